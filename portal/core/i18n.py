"""Languages: the six of the United Nations, and two made-up ones that the tests read by.

Texts go through Babel's gettext catalogues directly, because mail and documents are written by
the worker, where no web request exists. `en-XA` is a pseudo-locale: each translated text comes
out accented and in brackets, so a text that forgot gettext stands out. `ar-XB` is the same from
right to left.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from gettext import NullTranslations
from pathlib import Path
from typing import Any

from babel import Locale
from babel.support import LazyProxy, Translations
from flask import Flask, has_request_context, request, session

CATALOGUES = Path(__file__).parents[1] / "translations"
LANGUAGES = {
    "en": "English",
    "fr": "Français",
    "es": "Español",
    "ar": "العربية",
    "zh": "中文",
    "ru": "Русский",
}
PSEUDO = {"en-XA": "en", "ar-XB": "ar"}
RIGHT_TO_LEFT = frozenset({"ar", "ar-XB"})

_ACCENTED = str.maketrans("aeiouyAEIOUYcnsz", "áéíóúýÁÉÍÓÚÝçñšž")
_PLACEHOLDER = re.compile(r"(%\(\w+\)[sd]|%[sd%]|\{\w*\})")
_spoken: ContextVar[str | None] = ContextVar("language_spoken", default=None)


class PseudoTranslations(NullTranslations):
    """Accents and brackets around each text; placeholders such as `%(name)s` are left alone."""

    def gettext(self, message: str) -> str:
        """Return `message` accented, in brackets."""
        return f"[{_accent(message)}]" if message else ""

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """Return the form for `n`, accented, in brackets."""
        return self.gettext(msgid1 if n == 1 else msgid2)

    def pgettext(self, context: str, message: str) -> str:
        """Return `message` accented; `context` only tells homonyms apart."""
        del context
        return self.gettext(message)

    def npgettext(self, context: str, msgid1: str, msgid2: str, n: int) -> str:
        """Return the form for `n`, accented; `context` only tells homonyms apart."""
        del context
        return self.ngettext(msgid1, msgid2, n)


def _accent(message: str) -> str:
    """Accent all letters outside `%(…)s` placeholders and `{…}` fields."""
    return "".join(
        part if part[:1] in "%{" else part.translate(_ACCENTED)
        for part in _PLACEHOLDER.split(message)
    )


@cache
def _catalogue(tag: str) -> NullTranslations:
    """Return the catalogue of `tag`; English texts are their own keys."""
    if tag in PSEUDO:
        return PseudoTranslations()
    return Translations.load(str(CATALOGUES), [tag])


@cache
def offered() -> dict[str, str]:
    """Return the languages that the portal can speak: English, and whatever has a catalogue."""
    return {
        tag: name
        for tag, name in LANGUAGES.items()
        if tag == "en" or (CATALOGUES / tag / "LC_MESSAGES" / "messages.mo").exists()
    }


def language() -> str:
    """Return the tag of the language in use, such as `fr` or `en-XA`; English without a reader."""
    fixed = _spoken.get()
    if fixed:
        return fixed
    if not has_request_context():
        return "en"
    for asked in (request.args.get("lang"), session.get("lang")):
        if asked in offered() or asked in PSEUDO:
            return str(asked)
    return request.accept_languages.best_match(list(offered()), default="en") or "en"


@contextmanager
def speaking(tag: str) -> Iterator[None]:
    """Write in the language `tag` inside the block, whoever asks: for mail and documents.

    A language without a catalogue is written as English, its dates and numbers too: a document
    in two languages is in none.
    """
    token = _spoken.set(tag if tag in offered() or tag in PSEUDO else "en")
    try:
        yield
    finally:
        _spoken.reset(token)


def direction() -> str:
    """Return `rtl` where the language in use is written from right to left, else `ltr`."""
    return "rtl" if language() in RIGHT_TO_LEFT else "ltr"


def locale() -> Locale:
    """Return the locale of dates, numbers and money for the language in use."""
    return Locale.parse(PSEUDO.get(language(), language()))


def gettext(message: str, /, **values: Any) -> str:
    """Return `message` in the language in use, its `%(name)s` filled from `values`."""
    text = _catalogue(language()).gettext(message)
    return text % values if values else text


def ngettext(one: str, many: str, number: int, /, **values: Any) -> str:
    """Return the form of the message for `number`, which also fills `%(num)s`."""
    text = _catalogue(language()).ngettext(one, many, number)
    return text % {"num": number, **values}


def lazy_gettext(message: str, /, **values: Any) -> LazyProxy:
    """Return a text that is translated at the moment when somebody reads it."""
    return LazyProxy(gettext, message, enable_cache=False, **values)


_ = gettext
_l = lazy_gettext


def translated(text: str) -> str:
    """Return a text of a fund's profile in the language in use; nothing for nothing."""
    return gettext(text) if text else ""


def init_i18n(app: Flask) -> None:
    """Give the templates of `app` gettext, `lang`, `dir` and the languages to choose from."""
    app.jinja_env.add_extension("jinja2.ext.i18n")
    install = getattr(app.jinja_env, "install_gettext_callables")  # noqa: B009 — added at run time
    install(
        gettext=lambda text: _catalogue(language()).gettext(text),
        ngettext=lambda one, many, n: _catalogue(language()).ngettext(one, many, n),
        newstyle=True,
    )

    @app.context_processor
    def languages() -> dict[str, Any]:
        return {
            "lang": PSEUDO.get(language(), language()),
            "dir": direction(),
            "languages": offered(),
            "all_languages": LANGUAGES,
            "translated": translated,
        }
