"""A statement is read as it streams in: what it takes does not grow with its length."""

import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from io import RawIOBase
from pathlib import Path
from typing import Any

import pytest

from portal.payments.iso20022 import Statement, read
from tests.payments.iso20022 import messages

SHORT, LONG = 1_000, 20_000
MUST_NOT_GROW_BY = 200_000
"""Bytes: less than a tenth of what the entries of the longer statement would take."""


class Endless(RawIOBase):
    """A file that is made while it is read: `count` entries, then the end."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self._pieces = pieces(count)
        self._left = b""

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        while len(self._left) < size and (piece := next(self._pieces, b"")):
            self._left += piece
        given, self._left = self._left[:size], self._left[size:]
        return given


def pieces(count: int) -> Iterator[bytes]:
    """Yield a statement of `count` entries, bit by bit."""
    entry = messages.entry().encode()
    begin, mark, end = messages.statement(["|"]).partition(b"|")
    del mark
    yield begin
    for _entry in range(count):
        yield entry
    yield end


def peak(count: int) -> int:
    """Return the most that Python held while it read `count` entries, in bytes."""
    stream: Any = Endless(count)
    tracemalloc.start()
    try:
        statement = read(stream)
        assert isinstance(statement, Statement)
        assert sum(1 for _entry in statement.entries()) == count
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_python_holds_no_more_for_a_long_statement_than_for_a_short_one() -> None:
    peak(10)
    assert peak(LONG) < peak(SHORT) + MUST_NOT_GROW_BY


PROGRAM = """
import resource
from tests.payments.iso20022.test_streaming import Endless
from portal.payments.iso20022 import read
def most():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for count in ({short}, {long}):
    for _entry in read(Endless(count)).entries():
        pass
    print(most())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="counts kilobytes as Linux does")
def test_the_process_takes_no_more_for_a_long_statement_than_for_a_short_one() -> None:
    """What lxml holds is not Python's to count: the process is asked."""
    program = PROGRAM.format(short=SHORT, long=LONG)
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=root
    )
    short, long = map(int, done.stdout.split())
    assert (long - short) * 1024 < 10 * MUST_NOT_GROW_BY
