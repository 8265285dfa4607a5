"""Pictures: decoded, turned the right way up, and encoded anew from their pixels alone."""

import struct
from io import BytesIO

from PIL import Image, ImageCms, ImageOps

from portal.core.files.kinds import WHEN_DAMAGED, BadFile, Format
from portal.core.i18n import _

MAX_PIXELS = 50_000_000
"""50 megapixels: any telephone's camera; decoded they take some 150 MB of memory."""

JPEG_QUALITY = 88

_JPEG_PRIVATE = {0xE1, 0xEC, 0xED, 0xFE}  # EXIF and XMP, Ducky, Photoshop and IPTC, comment
_JPEG_BARE = {0x01, *range(0xD0, 0xD8)}  # markers without a length
_JPEG_MARK = 0xFF
_JPEG_SCAN = 0xDA
_PNG_START = b"\x89PNG\r\n\x1a\n"
_PNG_PRIVATE = {b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"tIME"}
_PNG_AROUND = 12  # length, type and checksum of a chunk
_PLAIN_MODES = {"L", "RGB"}


def rewrite_picture(content: bytes, kind: Format) -> bytes:
    """Return the picture encoded anew as the same format, without EXIF, profiles or comments.

    Raises BadFile where it cannot be decoded or is larger than MAX_PIXELS.
    """
    try:
        with Image.open(BytesIO(content), formats=[kind.label]) as picture:
            width, height = picture.size
            if width * height > MAX_PIXELS:
                raise BadFile(_too_large())
            return _encoded(_upright(picture), kind)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise BadFile(_too_large()) from None
    except (SyntaxError, struct.error, *WHEN_DAMAGED) as broken:
        raise BadFile(
            _(
                "This picture cannot be read to its end. Save it as %(format)s again, then add it.",
                format=kind.label,
            )
        ) from broken


def without_metadata(content: bytes) -> bytes:
    """Return a JPEG or PNG that stands inside a document without its private parts.

    Its pixels stay byte for byte. Anything else, and what is not well formed, comes back as it is.
    """
    if content.startswith(b"\xff\xd8"):
        return _jpeg_without_metadata(content)
    if content.startswith(_PNG_START):
        return _png_without_metadata(content)
    return content


def _too_large() -> str:
    return _(
        "This picture has more than %(limit)d million pixels. Make it smaller, then add it again.",
        limit=MAX_PIXELS // 1_000_000,
    )


def _upright(picture: Image.Image) -> Image.Image:
    """Return the first frame, turned as its EXIF says, in plain colours, with nothing else."""
    turned = ImageOps.exif_transpose(picture)
    profile = turned.info.get("icc_profile")
    alpha = "transparency" in turned.info or turned.mode in {"RGBA", "LA", "PA"}
    if alpha:
        plain = turned.convert("RGBA")
    elif turned.mode in _PLAIN_MODES:
        plain = turned
    else:
        plain = turned.convert("L" if turned.mode in {"1", "I;16", "I"} else "RGB")
    if profile and plain.mode == "RGB" and turned.mode == "RGB":
        plain = _in_srgb(plain, profile)
    bare = Image.new(plain.mode, plain.size)
    bare.paste(plain)
    return bare


def _in_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    """Return the colours of `picture` in sRGB; as they are where the profile is no good."""
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        converted = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"))
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture
    return converted or picture


def _encoded(picture: Image.Image, kind: Format) -> bytes:
    written = BytesIO()
    if kind.key == "jpeg":
        picture.save(written, "JPEG", quality=JPEG_QUALITY, optimize=True, progressive=True)
    else:
        picture.save(written, "PNG")
    return written.getvalue()


def _jpeg_without_metadata(content: bytes) -> bytes:
    kept = bytearray(content[:2])
    position = 2
    while position + 4 <= len(content) and content[position] == _JPEG_MARK:
        marker = content[position + 1]
        if marker == _JPEG_SCAN:
            return bytes(kept) + content[position:]
        size = (
            2 if marker in _JPEG_BARE else 2 + int.from_bytes(content[position + 2 : position + 4])
        )
        if marker not in _JPEG_PRIVATE:
            kept += content[position : position + size]
        position += size
    return content


def _png_without_metadata(content: bytes) -> bytes:
    kept = bytearray(_PNG_START)
    position = len(_PNG_START)
    while position + _PNG_AROUND <= len(content):
        size = int.from_bytes(content[position : position + 4]) + _PNG_AROUND
        name = content[position + 4 : position + 8]
        if name not in _PNG_PRIVATE:
            kept += content[position : position + size]
        position += size
    return bytes(kept) if position == len(content) else content
