"""DOCX, XLSX, ODT, ODS: a zip of XML, unpacked within limits, cleaned part by part, packed anew."""

import zipfile
import zlib
from io import BytesIO

from portal.core.files import odf, ooxml
from portal.core.files.kinds import WHEN_DAMAGED, BadFile, Format
from portal.core.files.refusals import password
from portal.core.i18n import _

MAX_PARTS = 2000
MAX_UNPACKED = 100 * 1024 * 1024
"""100 MB: a table of some hundred thousand rows. Larger ones are bombs, or no annex to a grant."""

MAX_PART = 40 * 1024 * 1024
MAX_RATIO = 200
"""XML packs to a tenth or, for empty tables, to a hundredth; bombs go to a thousandth."""

_ALWAYS_FINE = 1024 * 1024
_ENCRYPTED = 0x1
_PACKINGS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_MADE = (1980, 1, 1, 0, 0, 0)


def rewrite_office(content: bytes, kind: Format) -> bytes:
    """Return the document packed anew without properties, authors, macros or private data.

    Raises BadFile for macros, content from outside, files within the file, a password, a format
    that is not the one of its name, and what does not unpack within the limits.
    """
    try:
        parts = _unpacked(content)
        clean = odf.clean if kind.media_type.startswith(odf.MEDIA_TYPES) else ooxml.clean
        return _packed(clean(parts, kind))
    except (zipfile.BadZipFile, zlib.error, *WHEN_DAMAGED) as broken:
        raise BadFile(
            _(
                "This file is damaged. Open it, save it as %(format)s again, then add that.",
                format=kind.label,
            )
        ) from broken


def _unpacked(content: bytes) -> dict[str, bytes]:
    """Return the parts by name. Nothing is unpacked before the directory is found reasonable."""
    with zipfile.ZipFile(BytesIO(content)) as package:
        members = [member for member in package.infolist() if not member.is_dir()]
        _within_limits(members)
        return {member.filename: package.read(member) for member in members}


def _within_limits(members: list[zipfile.ZipInfo]) -> None:
    """Raise BadFile for a bomb or a password, ValueError for a package that nobody writes."""
    unpacked = sum(member.file_size for member in members)
    if len(members) > MAX_PARTS or unpacked > MAX_UNPACKED or any(map(_is_bomb, members)):
        raise BadFile(
            _("This file unpacks to far more than a document holds. Save it as PDF and add that.")
        )
    if any(member.flag_bits & _ENCRYPTED for member in members):
        raise password()
    names = [member.filename for member in members]
    if len({name.lower() for name in names}) != len(names):
        raise ValueError("two parts of one name")
    for member in members:
        steps = member.filename.split("/")
        if (
            "\\" in member.filename
            or "\x00" in member.orig_filename
            or {"", ".", ".."} & set(steps)
        ):
            raise ValueError("a part that leads elsewhere")
        if member.compress_type not in _PACKINGS:
            raise ValueError("a part packed in a strange way")


def _is_bomb(member: zipfile.ZipInfo) -> bool:
    too_dense = member.file_size > MAX_RATIO * max(member.compress_size, 1)
    return member.file_size > MAX_PART or (too_dense and member.file_size > _ALWAYS_FINE)


def _packed(parts: dict[str, bytes]) -> bytes:
    """Return the package, its parts in their order; the first of ODF stands uncompressed."""
    written = BytesIO()
    with zipfile.ZipFile(written, "w") as package:
        for name, content in parts.items():
            member = zipfile.ZipInfo(name, date_time=_MADE)
            member.create_system = 0
            plain = name == odf.TYPE_PART
            member.compress_type = zipfile.ZIP_STORED if plain else zipfile.ZIP_DEFLATED
            package.writestr(member, content)
    return written.getvalue()
