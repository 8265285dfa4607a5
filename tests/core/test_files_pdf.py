"""A PDF keeps its pages and loses whom it names, what it carries and what acts."""

import io
from pathlib import Path

import pikepdf
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as how
from hypothesis import strategies as st
from pikepdf import Array, Dictionary, Name, Pdf, Stream
from PIL import Image

from portal.core import files
from portal.core.files import FORMATS, BadFile
from portal.core.files.stored import clean

WHO = "Fatou D"


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


def hostile_pdf() -> bytes:
    """Return a PDF with everything that should not be in one."""
    pdf = Pdf.new()
    page = pdf.add_blank_page(page_size=(200, 200))
    script = Dictionary(S=Name.JavaScript, JS="app.alert('boo')")
    image = Stream(pdf, photograph())
    image.update(
        {
            "/Type": Name.XObject,
            "/Subtype": Name.Image,
            "/Width": 8,
            "/Height": 8,
            "/ColorSpace": Name.DeviceRGB,
            "/BitsPerComponent": 8,
            "/Filter": Name.DCTDecode,
        }
    )
    image.Metadata = Stream(pdf, WHO.encode(), Type=Name.Metadata)
    page.obj.Resources = Dictionary(XObject=Dictionary(I=pdf.make_indirect(image)))
    page.obj.Contents = Stream(pdf, b"q 8 0 0 8 0 0 cm /I Do Q")
    page.obj.AA = Dictionary(O=script)
    page.obj.PieceInfo = Dictionary(X=Dictionary(Private=pikepdf.String(WHO)))
    box = Array([0, 0, 10, 10])

    def note(kind: Name, action: Dictionary | None = None) -> Dictionary:
        made = Dictionary(Type=Name.Annot, Subtype=kind, Rect=box, T=WHO, Contents="a remark")
        if action is not None:
            made.A = action
        return made

    launch = Dictionary(S=Name.GoTo, D=Array([page.obj, Name.Fit]))
    launch.Next = Dictionary(S=Name.Launch, F="calc.exe")
    page.obj.Annots = Array(
        [
            note(Name.Text),
            note(Name.Link, Dictionary(S=Name.URI, URI="https://example.org/page")),
            note(Name.Link, Dictionary(S=Name.URI, URI="file:///c:/secret")),
            note(Name.Link, Dictionary(S=Name.SubmitForm, F="http://127.0.0.1/collect")),
            note(Name.Link, pdf.make_indirect(launch)),
            pdf.make_indirect(
                Dictionary(
                    Type=Name.Annot,
                    Subtype=Name.Widget,
                    Rect=box,
                    FT=Name.Tx,
                    T="field",
                    V="typed",
                    AA=Dictionary(K=script),
                )
            ),
        ]
    )
    pdf.Root.AcroForm = Dictionary(
        Fields=Array([page.obj.Annots[5]]), XFA=Stream(pdf, b"<xdp>xfa</xdp>")
    )
    pdf.Root.OpenAction = script
    pdf.Root.Names = Dictionary(JavaScript=Dictionary(Names=Array(["x", script])))
    pdf.attachments["evil.exe"] = b"MZ attached"
    pdf.docinfo["/Author"] = WHO
    with pdf.open_metadata() as metadata:
        metadata["dc:creator"] = [WHO]
    written = io.BytesIO()
    pdf.save(written)
    return written.getvalue()


HOSTILE = hostile_pdf()


def test_a_pdf_keeps_its_page_and_loses_what_acts_and_whom_it_names() -> None:
    before = hostile_pdf()
    after = cleaned(before, "a.pdf")
    with pikepdf.open(io.BytesIO(after)) as pdf:
        whole = b"".join(
            thing.unparse() + (thing.read_raw_bytes() if isinstance(thing, Stream) else b"")
            for thing in pdf.objects
        )
        page = pdf.pages[0]
        assert page.obj.Contents.read_bytes() == b"q 8 0 0 8 0 0 cm /I Do Q"
        assert not pdf.attachments
        assert "/Info" not in pdf.trailer
        assert "/Metadata" not in pdf.Root
        assert str(page.obj.Annots[0].Contents) == "a remark"
        assert str(page.obj.Annots[1].A.URI) == "https://example.org/page"
        assert str(page.obj.Annots[5].V) == "typed"
        with Image.open(io.BytesIO(page.obj.Resources.XObject.I.read_raw_bytes())) as image:
            assert image.size == (8, 8)
    for gone in (b"Fatou", b"JavaScript", b"app.alert", b"calc.exe", b"collect", b"secret",
                 b"MZ attached", b"OpenAction", b"/AA", b"xfa", b"Exif"):  # fmt: skip
        assert gone in before or gone in b"".join(_streams(before)), gone
        assert gone not in whole, gone


def _streams(content: bytes) -> list[bytes]:
    with pikepdf.open(io.BytesIO(content)) as pdf:
        return [
            thing.unparse() + (thing.read_bytes() if _decodable(thing) else b"")
            for thing in pdf.objects
        ] + [pdf.trailer.unparse(resolved=True)]


def _decodable(thing: pikepdf.Object) -> bool:
    return isinstance(thing, Stream) and thing.get("/Filter") != Name.DCTDecode


def test_a_pdf_with_a_password_is_refused_and_one_that_only_restricts_is_freed() -> None:
    locked, restricted = io.BytesIO(), io.BytesIO()
    with Pdf.new() as pdf:
        pdf.add_blank_page()
        pdf.save(locked, encryption=pikepdf.Encryption(owner="o", user="u"))
        pdf.save(restricted, encryption=pikepdf.Encryption(owner="o", user=""))
    assert "protected by a password" in refusal(locked.getvalue(), "a.pdf")
    with pikepdf.open(io.BytesIO(cleaned(restricted.getvalue(), "a.pdf"))) as pdf:
        assert not pdf.is_encrypted


def test_a_pdf_without_pages_with_too_many_or_of_one_program_is_refused() -> None:
    empty, form, thick = io.BytesIO(), io.BytesIO(), io.BytesIO()
    with Pdf.new() as pdf:
        pdf.save(empty)
        pdf.add_blank_page()
        pdf.Root.NeedsRendering = True
        pdf.save(form)
        del pdf.Root.NeedsRendering
        for _page in range(500):
            pdf.add_blank_page()
        pdf.save(thick)
    assert "no pages" in refusal(empty.getvalue(), "a.pdf")
    assert "one program only" in refusal(form.getvalue(), "a.pdf")
    assert "more than 500 pages" in refusal(thick.getvalue(), "a.pdf")


@pytest.mark.filterwarnings("ignore")
@how(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.floats(0, 0.999), st.binary(min_size=1, max_size=4)), min_size=1))
def test_any_damage_is_cleaned_or_refused(damage: list[tuple[float, bytes]]) -> None:
    content = HOSTILE
    for where, put in damage:
        position = int(where * len(content))
        content = content[:position] + put + content[position + len(put) :]
    try:
        after = cleaned(content, "a.pdf")
    except BadFile:
        return
    assert after.startswith(b"%PDF-")


def test_the_same_pdf_is_written_the_same() -> None:
    before = hostile_pdf()
    assert cleaned(before, "a.pdf") == cleaned(before, "b.pdf")
