"""Logging that carries no personal data.

A line says when, how grave, where in the code, and what kind of thing; an error is logged with
the lines of code it came through but without its message, because messages of the database and
of parsers quote what people typed.
"""

import logging
import traceback
from types import TracebackType

ErrorInfo = (
    tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
)


class QuietFormatter(logging.Formatter):
    """Writes errors by their type and place only."""

    def formatException(self, ei: ErrorInfo) -> str:  # noqa: N802 — the name is logging's
        """Return the places that an error came through, and its type."""
        kind, error, _trace = ei
        if kind is None or error is None:
            return ""
        lines = [
            f"  {frame.filename}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(error.__traceback__)
        ]
        cause = error.__cause__ or error.__context__
        because = [f"  because of {type(cause).__qualname__}"] if cause else []
        return "\n".join([kind.__qualname__, *lines, *because])


def init_logs() -> None:
    """Send what `portal` logs to the standard error stream, once."""
    logger = logging.getLogger("portal")
    if logger.handlers:
        return
    handler = logging.StreamHandler()
    handler.setFormatter(QuietFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
