"""The papers that people upload: small real PDFs and pictures, each marked as a demonstration.

They go through the same cleaner as any upload.
"""

from datetime import date
from html import escape
from io import BytesIO
from unicodedata import normalize

from PIL import Image, ImageDraw

from portal.core.config import ROOT
from portal.core.i18n import RIGHT_TO_LEFT
from portal.core.pdf import render_pdf

STATIC = ROOT / "static"
PAPER, INK, SOFT = (250, 247, 240), (29, 35, 41), (120, 116, 104)
PICTURE = (1200, 800)

MARKED = {
    "en": "Made for a demonstration. Not a real document.",
    "fr": "Établi pour une démonstration. Ce n’est pas un document réel.",
    "es": "Hecho para una demostración. No es un documento real.",
    "ar": "أُعدّت لأغراض العرض. ليست وثيقة حقيقية.",
}

TITLES = {
    "en": {
        "registration": "Certificate of registration",
        "formal_request": "Formal request",
        "consent_letter": "Letter of consent of the State",
        "note_verbale": "Note verbale",
        "work_plan": "Work plan",
        "elearning_certificate": "Certificate of the e-learning course",
        "curriculum": "Curriculum vitae",
        "support_letter": "Letter of support",
        "contribution_agreement": "Agreement on a voluntary contribution",
    },
    "fr": {
        "registration": "Récépissé de déclaration",
        "formal_request": "Requête officielle",
        "work_plan": "Plan de travail",
        "support_letter": "Lettre de soutien",
    },
    "es": {
        "registration": "Constancia de inscripción",
        "support_letter": "Carta de apoyo",
    },
    "ar": {
        "registration": "شهادة تسجيل",
        "support_letter": "رسالة دعم",
    },
}


def letter(key: str, language: str, name: str, rows: list[str], dated: date) -> BytesIO:
    """Return a one-page PDF: its title by `key`, who it is about, and some lines."""
    title = TITLES.get(language, {}).get(key) or TITLES["en"].get(key) or key
    direction = "rtl" if language in RIGHT_TO_LEFT else "ltr"
    body = "".join(f'<p dir="auto">{escape(row)}</p>' for row in rows if row)
    html = (
        f'<!DOCTYPE html><html lang="{language}" dir="{direction}"><head><meta charset="utf-8">'
        f"<title>{escape(title)}</title></head><body>"
        f"<h1>{escape(title)}</h1><h2>{escape(name)}</h2>{body}"
        f"<p>{dated.isoformat()}</p><p><em>{MARKED.get(language, MARKED['en'])}</em></p>"
        "</body></html>"
    )
    return BytesIO(render_pdf(html, base=STATIC))


def picture(title: str, rows: list[str]) -> BytesIO:
    """Return a photograph of a paper: a page of a passport, a certificate, receipts.

    In plain Latin letters, as on passports: the font at hand knows no others.
    """
    image = Image.new("RGB", PICTURE, PAPER)
    draw = ImageDraw.Draw(image)
    draw.rectangle((40, 40, PICTURE[0] - 40, PICTURE[1] - 40), outline=SOFT, width=3)
    draw.text((90, 80), _plain(title), fill=INK, font_size=54)
    for number, row in enumerate(rows):
        draw.text((90, 190 + 70 * number), _plain(row), fill=INK, font_size=38)
    draw.text((90, PICTURE[1] - 110), MARKED["en"], fill=SOFT, font_size=30)
    return _jpeg(image)


def _plain(text: str) -> str:
    return normalize("NFKD", text).encode("ascii", "ignore").decode()


def scene(seed: int) -> BytesIO:
    """Return a picture as a report holds it: a meeting under a roof, drawn with a few shapes.

    `seed` changes the colours. Nobody can be recognised in it.
    """
    image = Image.new("RGB", PICTURE, (214, 226, 230))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 480, PICTURE[0], PICTURE[1]), fill=(196, 170 + seed % 30, 130))
    draw.polygon([(120, 330), (600, 120 + seed % 60), (1080, 330)], fill=(150, 78 + seed % 40, 52))
    for post in (180, 600, 1020):
        draw.rectangle((post - 12, 320, post + 12, 560), fill=(110, 84, 60))
    for number in range(9):
        centre = 190 + number * 105
        shade = (60 + (seed * 37 + number * 61) % 150, 80 + (number * 43) % 120, 140 - number * 9)
        draw.ellipse((centre - 26, 520, centre + 26, 572), fill=(92, 66, 50))
        draw.rounded_rectangle((centre - 42, 572, centre + 42, 700), 30, fill=shade)
    return _jpeg(image)


def _jpeg(image: Image.Image) -> BytesIO:
    content = BytesIO()
    image.save(content, "JPEG", quality=80)
    content.seek(0)
    return content
