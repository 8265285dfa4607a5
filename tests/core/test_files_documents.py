"""Office documents lose their properties, their authors and everything that acts."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from defusedxml import ElementTree
from hypothesis import HealthCheck, given
from hypothesis import settings as how
from hypothesis import strategies as st
from PIL import Image

from portal.core import files
from portal.core.files import FORMATS, BadFile
from portal.core.files.stored import clean

Parts = Mapping[str, bytes | str]

WHO = "Fatou D"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
MAIN = {
    "docx": (
        "word/document.xml",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
    ),
    "xlsx": (
        "xl/workbook.xml",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
    ),
}
ODT = "application/vnd.oasis.opendocument.text"


@pytest.fixture(autouse=True)
def limits(tmp_path: Path) -> None:
    files.configure(tmp_path)


def cleaned(content: bytes, name: str) -> bytes:
    return clean(io.BytesIO(content), name, tuple(FORMATS))[1]


def refusal(content: bytes, name: str) -> str:
    with pytest.raises(BadFile) as refused:
        cleaned(content, name)
    return refused.value.sentence


def photograph() -> bytes:
    data = Image.Exif()
    data[0x010E] = WHO
    written = io.BytesIO()
    Image.new("RGB", (8, 8), "teal").save(written, "JPEG", exif=data)
    return written.getvalue()


def pack(parts: dict[str, bytes | str]) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in parts.items():
            package.writestr(name, content)
    return written.getvalue()


def unpack(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        assert package.testzip() is None
        return {name: package.read(name) for name in package.namelist()}


def relationships(*rows: tuple[str, str, str]) -> str:
    inside = "".join(
        f'<Relationship Id="r{number}" Type="{OFFICE}/{kind}" Target="{target}" {mode}/>'
        for number, (kind, target, mode) in enumerate(rows)
    )
    return f'<Relationships xmlns="{PACKAGE}/relationships">{inside}</Relationships>'


OUTSIDE = 'TargetMode="External"'


def ooxml(
    kind: str, body: str = "", more: Parts | None = None, media: str = ""
) -> dict[str, bytes | str]:
    """Return the parts of a small DOCX or XLSX, and `more`."""
    main, declared = MAIN[kind]
    space = WORD if kind == "docx" else SHEET
    parts: dict[str, bytes | str] = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types">'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/{main}" ContentType="{media or declared}"/>'
        '<Override PartName="/docProps/core.xml" ContentType="x"/></Types>',
        "_rels/.rels": relationships(
            ("officeDocument", main, ""), ("core-properties", "docProps/core.xml", "")
        ),
        "docProps/core.xml": f"<p>{WHO}</p>",
        main: f'<w:d xmlns:w="{space}" xmlns:r="{OFFICE}" xmlns:x15ac="urn:x" '
        f'xmlns:mc="urn:mc" mc:Ignorable="x15ac">{body}</w:d>',
    }
    parts.update(more or {})
    return parts


def odf(body: str = "", more: Parts | None = None, kind: str = ODT) -> dict[str, bytes | str]:
    """Return the parts of a small ODT, and `more`."""
    names = "content.xml", "meta.xml", "settings.xml", "Thumbnails/thumbnail.png", *(more or {})
    entries = "".join(f'<m:file-entry m:full-path="{n}" m:media-type=""/>' for n in ("/", *names))
    return {
        "mimetype": kind,
        "content.xml": '<o:document-content xmlns:o="urn:o" xmlns:dc="urn:dc" xmlns:s="urn:s" '
        f'xmlns:d="urn:d" xmlns:t="urn:t" xmlns:xlink="http://www.w3.org/1999/xlink">{body}'
        "</o:document-content>",
        "meta.xml": f"<m>{WHO}</m>",
        "settings.xml": f"<m>{WHO}</m>",
        "Thumbnails/thumbnail.png": b"x",
        **(more or {}),
        "META-INF/manifest.xml": f'<m:manifest xmlns:m="urn:m">{entries}</m:manifest>',
    }


def test_a_word_document_keeps_its_text_and_loses_its_authors() -> None:
    body = (
        f'<w:ins w:author="{WHO}"><w:t>author="{WHO[:5]} said" العالم</w:t></w:ins>'
        '<w:hyperlink r:id="r0"/><w:hyperlink r:id="r1"/><w:pict r:id="r2"/>'
    )
    parts = ooxml("docx", body)
    parts["word/_rels/document.xml.rels"] = relationships(
        ("hyperlink", "https://example.org/", OUTSIDE),
        ("hyperlink", "file:///c:/users/x", OUTSIDE),
        ("image", "media/image1.jpeg", ""),
        ("customXml", "../customXml/item1.xml", ""),
    )
    parts["word/_rels/settings.xml.rels"] = relationships(
        ("attachedTemplate", "file://server/Normal.dotm", OUTSIDE)
    )
    parts["word/settings.xml"] = (
        f'<w:settings xmlns:w="{WORD}" xmlns:r="{OFFICE}"><w:attachedTemplate r:id="r0"/>'
        "<w:zoom/></w:settings>"
    )
    parts["word/comments.xml"] = (
        f'<w:comments xmlns:w="{WORD}"><w:comment w:author="{WHO}" w:initials="FD">why</w:comment>'
        "</w:comments>"
    )
    parts["word/people.xml"] = f'<p xmlns:w15="urn:w15"><w15:person w15:author="{WHO}"/></p>'
    parts["word/media/image1.jpeg"] = photograph()
    parts["customXml/item1.xml"] = f"<x>{WHO}</x>"
    after = unpack(cleaned(pack(parts), "a.docx"))
    assert set(after) == set(parts) - {"docProps/core.xml", "customXml/item1.xml"}
    assert next(iter(after)) == "[Content_Types].xml"
    assert not [name for name, content in after.items() if WHO.encode() in content]
    document = after["word/document.xml"]
    assert 'author="Fatou said" العالم'.encode() in document
    assert b'mc:Ignorable="x15ac"' in document
    assert b'<w:hyperlink r:id="r0"/><w:hyperlink/><w:pict r:id="r2"/>' in document
    links = after["word/_rels/document.xml.rels"]
    assert b"example.org" in links
    assert b"users" not in links
    assert b"customXml" not in links
    assert b"attachedTemplate" not in after["word/settings.xml"]
    assert b"w:zoom" in after["word/settings.xml"]
    assert b"docProps" not in after["[Content_Types].xml"] + after["_rels/.rels"]
    assert b"Exif" not in after["word/media/image1.jpeg"]
    assert b'w:author="Author"' in after["word/comments.xml"]


def test_a_workbook_loses_its_authors_printers_and_paths() -> None:
    parts = ooxml("xlsx", f'<x15ac:absPath url="C:\\Users\\{WHO}\\"/><w:sheets/>')
    parts["xl/worksheets/sheet1.xml"] = (
        f'<worksheet xmlns="{SHEET}" xmlns:r="{OFFICE}"><c t="n"><f>SUM(A1:B1)</f><v>4800</v></c>'
        '<pageSetup orientation="portrait" r:id="r0"/></worksheet>'
    )
    parts["xl/worksheets/_rels/sheet1.xml.rels"] = relationships(
        ("printerSettings", "../printerSettings/printerSettings1.bin", "")
    )
    parts["xl/printerSettings/printerSettings1.bin"] = WHO
    parts["xl/comments1.xml"] = (
        f'<comments xmlns="{SHEET}"><authors><author>{WHO}</author></authors></comments>'
    )
    parts["xl/persons/person.xml"] = f'<l><person displayName="{WHO}" userId="{WHO}" id="1"/></l>'
    parts["xl/tables/table1.xml"] = '<table displayName="Budget" id="1"/>'
    after = unpack(cleaned(pack(parts), "a.xlsx"))
    assert not [name for name, content in after.items() if WHO.encode() in content]
    assert "xl/printerSettings/printerSettings1.bin" not in after
    sheet = after["xl/worksheets/sheet1.xml"]
    assert b"<f>SUM(A1:B1)</f><v>4800</v>" in sheet
    assert b'<pageSetup orientation="portrait"/>' in sheet
    assert b"<author>Author</author>" in after["xl/comments1.xml"]
    assert b'displayName="Budget"' in after["xl/tables/table1.xml"]
    for name, content in after.items():
        assert ElementTree.fromstring(content) is not None, name


def test_an_open_document_keeps_its_text_and_loses_its_authors() -> None:
    body = (
        f"<t:p>Bonjour<o:annotation><dc:creator>{WHO}</dc:creator><t:p>pourquoi</t:p></o:annotation>"
        ' le monde</t:p><t:a xlink:href="https://example.org/">x</t:a>'
        '<t:a xlink:href="file:///c:/x">y</t:a><d:image xlink:href="Pictures/1.jpg"/>'
        '<o:event-listeners><s:event-listener xlink:href="vnd.sun.star.script:x"/>'
        "</o:event-listeners>"
    )
    before = odf(body, {"Pictures/1.jpg": photograph(), "Basic/script-lc.xml": "<x/>"})
    content = cleaned(pack(before), "a.odt")
    after = unpack(content)
    assert list(after) == ["mimetype", "content.xml", "Pictures/1.jpg", "META-INF/manifest.xml"]
    assert content[30:].startswith(b"mimetype" + ODT.encode())
    assert not [name for name, part in after.items() if WHO.encode() in part]
    text = after["content.xml"]
    assert b"Bonjour<o:annotation><dc:creator>Author</dc:creator>" in text
    assert b"https://example.org/" in text
    assert b"c:/x" not in text
    assert b"vnd.sun" not in text
    for gone in (b"meta.xml", b"settings.xml", b"Thumbnails", b"Basic"):
        assert gone not in after["META-INF/manifest.xml"]
    assert b"Exif" not in after["Pictures/1.jpg"]


MACRO_TYPE = "application/vnd.ms-word.document.macroEnabled.main+xml"
DTD = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><x>&b;</x>'
LINKED = relationships(("image", "http://127.0.0.1/pixel.png", OUTSIDE))
FIELD = "<w:fldChar/><w:instrText> DDE</w:instrText><w:instrText>AUTO c:\\x </w:instrText>"


@pytest.mark.parametrize(
    ("name", "parts", "says"),
    [
        ("a.docx", ooxml("docx", media=MACRO_TYPE), "macros"),
        ("a.docx", ooxml("docx", more={"word/vbaProject.bin": b"x"}), "macros"),
        ("a.docx", ooxml("docx", more={"word/activeX/activeX1.xml": b"<x/>"}), "macros"),
        (
            "a.docx",
            ooxml("docx", more={"word/embeddings/oleObject1.bin": b"x"}),
            "other files inside",
        ),
        ("a.docx", ooxml("docx", more={"word/evil.exe": b"x"}), "other files inside"),
        (
            "a.docx",
            ooxml("docx", more={"word/_rels/document.xml.rels": LINKED}),
            "from another file",
        ),
        ("a.docx", ooxml("docx", FIELD), "from another file"),
        (
            "a.docx",
            ooxml("docx", '<w:fldSimple w:instr=" INCLUDEPICTURE x"/>'),
            "from another file",
        ),
        ("a.docx", ooxml("docx", more={"word/styles.xml": DTD}), "damaged"),
        ("a.docx", ooxml("docx", more={"word/styles.xml": "<x>"}), "damaged"),
        ("a.docx", ooxml("docx", more={"../up.xml": "<x/>"}), "damaged"),
        ("a.docx", ooxml("docx", more={"WORD/document.xml": "<x/>"}), "damaged"),
        ("a.docx", {"a.xml": "<x/>"}, "damaged"),
        ("a.docx", {}, "damaged"),
        ("a.docx", ooxml("xlsx"), "not in the format DOCX"),
        ("a.xlsx", ooxml("docx"), "not in the format XLSX"),
        ("a.docx", odf(), "damaged"),
        ("a.xlsx", ooxml("xlsx", "<w:f>WEBSERVICE(A1)</w:f>"), "from another file"),
        ("a.xlsx", ooxml("xlsx", more={"xl/connections.xml": "<x/>"}), "from another file"),
        (
            "a.xlsx",
            ooxml("xlsx", more={"xl/externalLinks/externalLink1.xml": "<x/>"}),
            "from another",
        ),
        ("a.odt", odf(kind=ODT.replace("text", "spreadsheet")), "not in the format ODT"),
        ("a.ods", odf(), "not in the format ODS"),
        ("a.odt", ooxml("docx"), "not in the format ODT"),
        ("a.odt", odf(more={"Basic/Standard/Module1.xml": "<x/>"}), "macros"),
        ("a.odt", odf(more={"Scripts/python/x.py": "x"}), "macros"),
        ("a.odt", odf(more={"Object 1": b"ole"}), "other files inside"),
        ("a.odt", odf('<d:image xlink:href="http://127.0.0.1/x.png"/>'), "from another file"),
        ("a.odt", odf('<d:image xlink:href="../../x.png"/>'), "from another file"),
        ("a.odt", odf("<o:dde-source/>"), "from another file"),
        ("a.odt", odf('<t:c t:formula="of:=DDE(1)"/>'), "from another file"),
        ("a.odt", odf(more={"styles.xml": DTD}), "damaged"),
    ],
)
def test_documents_that_act_or_mislead_are_refused(
    name: str, parts: dict[str, bytes | str], says: str
) -> None:
    assert says in refusal(pack(parts) if parts else b"PK\x05\x06" + bytes(18), name)


DAMAGE = st.lists(
    st.tuples(st.floats(0, 0.999), st.integers(0, 12), st.binary(max_size=4)),
    min_size=1,
    max_size=4,
)


def damaged(content: bytes, damage: list[tuple[float, int, bytes]]) -> bytes:
    for where, cut, put in damage:
        position = int(where * len(content))
        content = content[:position] + put + content[position + cut :]
    return content


@pytest.mark.filterwarnings("ignore")
@how(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.sampled_from(["a.docx", "a.xlsx", "a.odt"]), st.integers(0, 5), DAMAGE)
def test_any_damage_is_cleaned_or_refused(
    name: str, part: int, damage: list[tuple[float, int, bytes]]
) -> None:
    parts = odf("<t:p>x</t:p>") if name == "a.odt" else ooxml(name[2:], "<w:t>x</w:t>")
    chosen = sorted(parts)[part % len(parts)]
    content = parts[chosen]
    parts[chosen] = damaged(content.encode() if isinstance(content, str) else content, damage)
    for upload in (pack(parts), damaged(pack(parts), damage)):
        try:
            assert cleaned(upload, name)
        except BadFile:
            continue


@pytest.mark.parametrize("declared", ["UTH-8", "UTF-16", "utf-7", "rot13"])
def test_a_strange_encoding_is_refused(declared: str) -> None:
    part = f'<?xml version="1.0" encoding="{declared}"?><x/>'
    assert "damaged" in refusal(pack(ooxml("docx", more={"word/styles.xml": part})), "a.docx")


def test_an_open_document_with_a_password_is_refused() -> None:
    parts = odf()
    manifest = str(parts["META-INF/manifest.xml"])
    parts["META-INF/manifest.xml"] = manifest.replace(
        "</m:manifest>", "<m:file-entry><m:encryption-data/></m:file-entry></m:manifest>"
    )
    assert "protected by a password" in refusal(pack(parts), "a.odt")


def test_a_zip_with_a_password_is_refused() -> None:
    content = bytearray(pack(ooxml("docx")))
    directory = content.index(b"PK\x01\x02")
    content[directory + 8] |= 1
    assert "protected by a password" in refusal(bytes(content), "a.docx")


@pytest.mark.parametrize(
    "bomb",
    [
        {"word/big.xml": b"<x>" + b" " * 30_000_000 + b"</x>"},
        {"word/huge.xml": b"<x>" + bytes(range(32, 59)) * 1_600_000 + b"</x>"},
        {f"word/{number}.xml": "<x/>" for number in range(2001)},
    ],
    ids=["dense", "huge", "many"],
)
def test_bombs_are_refused_before_they_unpack(bomb: dict[str, bytes | str]) -> None:
    assert "unpacks to far more" in refusal(pack({**ooxml("docx"), **bomb}), "a.docx")
