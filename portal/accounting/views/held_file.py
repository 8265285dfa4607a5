"""A small file that a page carries along, so that it need not be chosen again to confirm it.

It stands in the reader's own page only; what comes back is read as strictly as any upload.
"""

import base64
import binascii
import zlib

MOST_PACKED = 16_000
"""Characters in a page; a month of the UN's rates takes about half of them."""


def packed(content: bytes) -> str:
    """Return the file as a hidden field carries it; nothing where it would be too long."""
    text = base64.b64encode(zlib.compress(content, 9)).decode()
    return text if len(text) <= MOST_PACKED else ""


def unpacked(text: str, most: int) -> bytes:
    """Return the file that `packed` wrote, at most `most` bytes; nothing where it is damaged."""
    try:
        content = base64.b64decode(text, validate=True)
        return zlib.decompressobj().decompress(content, most)
    except (binascii.Error, ValueError, zlib.error):
        return b""
