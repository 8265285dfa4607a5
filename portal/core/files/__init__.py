"""Files that people upload: taken apart, cleaned, written anew, and kept under random names.

What is stored is never the bytes that came in. Each type is opened by its own parser and written
again without its metadata and without anything that acts by itself; what cannot be, is refused
with a sentence that says what to do. Digital signatures inside a PDF do not survive this.
"""

from portal.core.files.kinds import FORMATS, BadFile
from portal.core.files.stored import (
    MAX_BYTES,
    StoredFile,
    configure,
    damaged,
    keep_document,
    open_stored,
    read_stored,
    store,
)

__all__ = [
    "FORMATS",
    "MAX_BYTES",
    "BadFile",
    "StoredFile",
    "configure",
    "damaged",
    "keep_document",
    "open_stored",
    "read_stored",
    "store",
]
