"""Documents of scenes: set in type once, for all the tests that read none of them.

Setting a document in type takes longer than all else that makes an award. What a test itself asks
for is always set anew; one that reads the documents of its scene takes the fixture
`documents_as_they_are`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from portal.core import templating
from portal.core.pdf import render_pdf

_set: list[bytes] = []
_anew: list[bool] = []


@contextmanager
def set_once() -> Iterator[None]:
    """Let every document that is made inside be the first one that ever was."""
    if _anew:
        yield
        return

    def once(*text: Any, **options: Any) -> bytes:
        if not _set:
            _set.append(render_pdf(*text, **options))
        return _set[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(templating, "render_pdf", once)
        yield


@contextmanager
def set_anew() -> Iterator[None]:
    """Let every document inside be its own, also where `set_once` is asked for."""
    _anew.append(True)
    try:
        yield
    finally:
        _anew.pop()
