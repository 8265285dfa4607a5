"""What is stored is never what came in: each file is written anew, or refused with a way out."""

import io
import os
import secrets
import zlib
from pathlib import Path
from uuid import uuid4

import pytest
from PIL import Image
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.core import files
from portal.core.files import FORMATS, BadFile, StoredFile, open_stored, store
from portal.core.files.kinds import cleaned_name
from portal.core.files.plain import safe_cell
from portal.core.files.stored import clean
from portal.core.text import sha256_hex

EVERYTHING = tuple(FORMATS)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files.configure(tmp_path / "files", max_bytes=200_000)
    return tmp_path / "files"


def cleaned(content: bytes, name: str, allowed: tuple[str, ...] = EVERYTHING) -> bytes:
    return clean(io.BytesIO(content), name, allowed)[1]


def refusal(content: bytes, name: str, allowed: tuple[str, ...] = EVERYTHING) -> str:
    with pytest.raises(BadFile) as refused:
        cleaned(content, name, allowed)
    assert refused.value.sentence.endswith(".")
    return refused.value.sentence


def picture(
    kind: str, mode: str = "RGB", size: tuple[int, int] = (40, 20), **options: object
) -> bytes:
    image = Image.new(mode, size, 200 if mode in {"L", "P", "1", "I;16"} else None)
    written = io.BytesIO()
    image.save(written, kind, **options)
    return written.getvalue()


def exif() -> Image.Exif:
    data = Image.Exif()
    data[0x0112] = 6  # taken with the camera on its side
    data[0x010E] = "house of Fatou"
    data[0x013B] = "Fatou"
    data.get_ifd(0x8825)[1] = "N"
    return data


def test_a_file_is_kept_under_a_random_name(db: Session, folder: Path) -> None:
    who, case = uuid4(), uuid4()
    file = store(io.BytesIO(b"hello\r\n"), "C:\\me\\Note.TXT", who, ("txt",), case_id=case)
    assert (file.name, file.media_type) == ("Note.txt", "text/plain; charset=utf-8")
    assert (file.by_id, file.case_id) == (who, case)
    with open_stored(file) as stream:
        content = stream.read()
    assert content == b"hello\n"
    assert (file.size_bytes, file.sha256) == (6, sha256_hex(content))
    name = str(file.id)
    path = folder / name[:2] / name[2:4] / name
    assert [item for item in folder.rglob("*") if item.is_file()] == [path]
    assert path.stat().st_mode & 0o777 == 0o600
    assert files.damaged([file]) == []
    db.expire_all()
    assert db.get_one(StoredFile, file.id).sha256 == file.sha256


def test_no_row_is_without_its_content(db: Session, folder: Path) -> None:
    folder.write_text("a file where the folder should be")
    with pytest.raises(OSError, match="files"):
        store(io.BytesIO(b"hello"), "a.txt", None)
    assert not db.new
    assert db.query(StoredFile).count() == 0


def test_a_full_disk_leaves_nothing_half_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_handle: int) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        store(io.BytesIO(b"hello"), "a.txt", None)
    assert not [item for item in folder.rglob("*") if item.is_file()]


def test_a_changed_content_is_noticed(db: Session, folder: Path) -> None:
    file = store(io.BytesIO(b"hello"), "a.txt", None)
    path = next(item for item in folder.rglob("*") if item.is_file())
    path.write_bytes(b"jello\n")
    assert files.damaged([file]) == [file.id]
    path.write_bytes(b"longer than before")
    with pytest.raises(OSError, match="another size"):
        open_stored(file)
    path.unlink()
    with pytest.raises(FileNotFoundError):
        open_stored(file)
    assert files.damaged([file]) == [file.id]
    file.size_bytes = 0
    with pytest.raises(IntegrityError, match="not_empty"):
        db.flush()


class Endless(io.BytesIO):
    """A stream that never ends, and counts what is read of it."""

    taken = 0

    def read(self, size: int | None = -1, /) -> bytes:
        """Return `size` zeros; reading without a limit would be the fault."""
        assert size is not None
        assert 0 <= size < 300_000
        self.taken += size
        return bytes(size)


@pytest.mark.usefixtures("folder")
def test_a_large_upload_is_refused_before_it_is_read_or_parsed() -> None:
    endless = Endless()
    with pytest.raises(BadFile) as refused:
        clean(endless, "a.pdf", EVERYTHING)
    assert "larger than" in refused.value.sentence
    assert endless.taken == 200_001


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("content", "name", "allowed", "says"),
    [
        (b"", "a.pdf", EVERYTHING, "is empty"),
        (b"MZ\x90\x00", "a.exe", EVERYTHING, "cannot be added here. Add one of these: PDF, DOCX"),
        (b"hello", "a", EVERYTHING, "cannot be added here"),
        (b"hello", "a.txt", ("pdf", "jpeg"), "Add one of these: PDF, JPEG."),
        (b"hello", "a.pdf", EVERYTHING, "is not in the format PDF"),
        (b"%PDF-1.7\n", "a.png", EVERYTHING, "is not in the format PNG"),
        (b"%PDF-1.7\n", "a.txt", EVERYTHING, "is not in the format TXT"),
        (b"MZ\x90\x00", "a.txt", EVERYTHING, "is not in the format TXT"),
        (b"GIF89a", "a.jpg", EVERYTHING, "is not in the format JPEG"),
        (picture("PNG"), "a.jpg", EVERYTHING, "is not in the format JPEG"),
        (picture("JPEG"), "a.png", EVERYTHING, "is not in the format PNG"),
        (b"\x00\x00\x00\x18ftypheic", "IMG_1.jpg", EVERYTHING, "HEIC picture. Save it as JPEG"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
            "a.docx",
            EVERYTHING,
            "password, or in an old format",
        ),
        (b"PK\x03\x04broken", "a.docx", EVERYTHING, "damaged. Open it, save it as DOCX"),
        (b"%PDF-1.7\nbroken", "a.pdf", EVERYTHING, "damaged. Open it, print it to a new PDF"),
        (picture("PNG")[:60], "a.png", EVERYTHING, "cannot be read to its end"),
        (picture("JPEG")[:300], "a.jpg", EVERYTHING, "cannot be read to its end"),
        ("déjà".encode("latin-1"), "a.txt", EVERYTHING, "not text in Unicode"),
        (b"a\x00b", "a.csv", EVERYTHING, "not text in Unicode"),
        (b" \n ", "a.txt", EVERYTHING, "holds no text"),
        (b'a,"b\n', "a.csv", EVERYTHING, "table cannot be read"),
    ],
)
def test_what_is_not_taken_is_told_what_to_do(
    content: bytes, name: str, allowed: tuple[str, ...], says: str
) -> None:
    assert says in refusal(content, name, allowed)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    "name", [f"a.{ext}" for kind in FORMATS.values() for ext in kind.extensions]
)
def test_noise_is_refused_in_every_format(name: str) -> None:
    for start in (b"", b"%PDF-1.7\n", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"PK\x03\x04"):
        for _turn in range(5):
            refusal(start + secrets.token_bytes(500) + b"\x00\xff", name)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("Report.PDF", "Report.pdf"),
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\Users\\me\\photo.jpg", "photo.jpg"),
        ("عقد التأسيس.pdf", "عقد التأسيس.pdf"),
        ("e\u0301tat.pdf", "état.pdf"),
        ("invoice\u202efdp.txt", "invoicefdp.txt"),
        ("a\x00b\nc.txt", "abc.txt"),
        ('a<b>:"c|d?*.txt', "a_b___c_d__.txt"),
        (" .hidden.txt", "hidden.txt"),
        ("a   b.txt", "a b.txt"),
        ("a. .txt", "a.txt"),
        (".pdf", "pdf"),
        ("", "file"),
        ("/", "file"),
        ("x" * 300 + ".pdf", "x" * 116 + ".pdf"),
    ],
)
def test_names_are_cleaned(given: str, kept: str) -> None:
    assert cleaned_name(given) == kept


@pytest.mark.usefixtures("folder")
def test_a_photograph_loses_what_it_knows_and_stands_upright() -> None:
    before = picture("JPEG", exif=exif(), comment=b"Fatou")
    assert before.count(b"Fatou") == 3
    after = cleaned(before, "IMG.JPG")
    assert b"Fatou" not in after
    assert b"Exif" not in after
    with Image.open(io.BytesIO(after)) as image:
        assert image.format == "JPEG"
        assert image.size == (20, 40)
        assert not image.getexif()
        assert set(image.info) <= {
            "jfif",
            "jfif_version",
            "jfif_unit",
            "jfif_density",
            "progressive",
            "progression",
        }


@pytest.mark.usefixtures("folder")
def test_a_picture_loses_its_texts_and_what_follows_its_end() -> None:
    text = zlib.compress(b"Fatou")
    chunk = b"zTXtAuthor\x00\x00" + text
    extra = (len(chunk) - 4).to_bytes(4) + chunk + zlib.crc32(chunk).to_bytes(4)
    plain = picture("PNG", exif=exif())
    after = cleaned(plain[:33] + extra + plain[33:] + b"PK\x03\x04 hidden", "a.png")
    assert b"Fatou" not in after
    assert b"zTXt" not in after
    assert b"eXIf" not in after
    assert after.endswith(b"IEND\xaeB`\x82")
    with Image.open(io.BytesIO(after)) as image:
        assert image.format == "PNG"


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("kind", "mode", "becomes"),
    [
        ("PNG", "RGBA", "RGBA"),
        ("PNG", "LA", "RGBA"),
        ("PNG", "P", "RGB"),
        ("PNG", "1", "L"),
        ("PNG", "L", "L"),
        ("JPEG", "L", "L"),
        ("JPEG", "CMYK", "RGB"),
    ],
)
def test_pictures_of_all_kinds_of_colour_are_taken(kind: str, mode: str, becomes: str) -> None:
    with Image.open(io.BytesIO(cleaned(picture(kind, mode), f"a.{kind.lower()}"))) as image:
        assert image.mode == becomes
        assert image.size == (40, 20)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("size", [(8000, 8000), (16000, 16000)])
def test_a_picture_that_would_fill_the_memory_is_refused(size: tuple[int, int]) -> None:
    header = b"IHDR" + size[0].to_bytes(4) + size[1].to_bytes(4) + b"\x08\x02\x00\x00\x00"
    bomb = b"\x89PNG\r\n\x1a\n" + (13).to_bytes(4) + header + zlib.crc32(header).to_bytes(4)
    assert "more than 50 million pixels" in refusal(bomb + picture("PNG")[33:], "a.png")


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("\ufeffdéjà\r\nvu\x07".encode(), "déjà\nvu\n"),
        ("déjà".encode("utf-16"), "déjà\n"),
        ("حقوق".encode(), "حقوق\n"),
    ],
)
def test_text_is_kept_in_unicode(content: bytes, text: str) -> None:
    assert cleaned(content, "a.txt").decode() == text


@pytest.mark.usefixtures("folder")
def test_a_table_keeps_its_numbers_and_runs_nothing() -> None:
    table = 'item;amount\r\n=HYPERLINK("http://x");-4 800,50\n"two; words\nand lines";+2\n@x;\t=1\n'
    assert cleaned(table.encode(), "a.csv").decode() == (
        'item;amount\r\n"\'=HYPERLINK(""http://x"")";-4 800,50\r\n'
        "\"two; words\nand lines\";+2\r\n'@x;'=1\r\n"
    )


@pytest.mark.parametrize(
    "cell", ["=1+1", "+cmd|x", "-2+3", "@SUM(A1)", "\t=1", "\r=1", " =1", "-", "+"]
)
def test_cells_that_act_are_made_text(cell: str) -> None:
    assert safe_cell(cell).startswith("'")


@pytest.mark.parametrize(
    "cell", ["", "5", "-5", "+2.50", "-4 800,00", "-12 %", "text - more", "a=b"]
)
def test_other_cells_stay_as_they_are(cell: str) -> None:
    assert safe_cell(cell) == cell
