"""Text that people typed, and the few bytes that are made of it: references, digests, counts."""

import hashlib
import json
import re
import secrets
import unicodedata
from collections.abc import Mapping, Sequence
from decimal import Decimal

from portal.core.i18n import _

REF_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Digits and capitals without those taken for each other: 0 O, 1 I L, U V."""

_REF_HALF = 4
_CONTROLS_KEPT = "\n\t"
_CUT = frozenset({"Cc", "Cs"})  # control characters and halves of a surrogate pair

Json = None | bool | int | str | Sequence["Json"] | Mapping[str, "Json"]


def new_ref() -> str:
    """Return a random reference such as `7K3M-Q9PX`.

    30 characters to the power of 8 leave nothing to count or to infer: neither how many
    applications there are, nor which came before. The column it goes into is unique.
    """
    halves = ("".join(secrets.choice(REF_ALPHABET) for _i in range(_REF_HALF)) for _h in range(2))
    return "-".join(halves)


def normalise(text: str) -> str:
    r"""Return `text` in Unicode form NFC, with line ends `\n` and no control characters.

    Tabs stay; space at the ends of lines and of the whole goes. Nothing that can be seen is lost.
    Doing it twice changes nothing.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n")
    text = text.replace("\u2029", "\n\n").replace("\x85", "\n")
    kept = "".join(
        mark for mark in text if mark in _CONTROLS_KEPT or unicodedata.category(mark) not in _CUT
    )
    lines = [line.rstrip() for line in unicodedata.normalize("NFC", kept).split("\n")]
    return "\n".join(lines).strip()


def canonical_json(value: Json) -> bytes:
    """Return the one way of writing `value` as JSON, in the manner of RFC 8785.

    Keys sorted by their UTF-16 units, no space, UTF-8, every text in NFC. The same answers always
    give the same bytes, so their SHA-256 proves what was submitted. Raises TypeError for a float
    (money and counts are whole numbers), for a key that is not text and for what JSON lacks;
    ValueError when two keys become one in NFC or an integer is past 2**53.
    """
    return json.dumps(
        _canonical(value), ensure_ascii=False, allow_nan=False, separators=(",", ":")
    ).encode()


def _canonical(value: Json) -> Json:
    if value is None or isinstance(value, bool):
        return value
    if type(value) is int:
        if abs(value) > 2**53:
            raise ValueError("an integer in JSON is exact up to 2**53 only; write it as text")
        return value
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, Mapping):
        return _canonical_object(value)
    if isinstance(value, list | tuple):
        return [_canonical(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no canonical form; give text or an integer")


def _canonical_object(value: Mapping[str, Json]) -> Json:
    result: dict[str, Json] = {}
    for key, item in value.items():
        if not isinstance(key, str):
            raise TypeError("keys are text")
        name = unicodedata.normalize("NFC", key)
        if name in result:
            raise ValueError(f"the key {name!r} stands twice")
        result[name] = _canonical(item)
    return dict(sorted(result.items(), key=lambda pair: pair[0].encode("utf-16-be")))


def sha256_hex(content: bytes) -> str:
    """Return the SHA-256 digest of `content`, 64 hexadecimal digits in lower case."""
    return hashlib.sha256(content).hexdigest()


# Scripts written without space between words, and about how many of their characters make a word
# of English in translation: two for Chinese and Japanese, four for Thai, Lao, Khmer and Burmese.
_UNSPACED = (
    (
        re.compile(
            r"[\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
            r"\U00020000-\U0003ffff]"
        ),
        2,
    ),
    (re.compile(r"[\u0e00-\u0e7f\u0e80-\u0eff\u1000-\u109f\u1780-\u17ff]"), 4),
)


def count_words(text: str) -> int:
    """Return the number of words in `text`, by a rule that treats scripts alike.

    A word is what stands between spaces and holds a letter or a digit, so Arabic with its vowel
    signs, hyphened words and numbers such as 4,800.00 are one each, and a lone dash is none.
    Chinese and Japanese are counted by two characters to a word, Thai, Lao, Khmer and Burmese by
    four, rounded up over the whole text: their writers are given as much room as others.
    """
    words = 0
    text = text.replace("\u1361", " ")  # Ethiopic word space
    for script, per_word in _UNSPACED:
        letters = sum(1 for mark in script.findall(text) if unicodedata.category(mark)[0] in "LN")
        words += -(-letters // per_word)
        text = script.sub(" ", text)
    return words + sum(1 for word in text.split() if any(map(str.isalnum, word)))


_EMAIL = re.compile(r"[^\s@<>()\[\],;:]{1,64}@[^\s@<>()\[\],;:]{1,255}\.[^\W\d_]{2,}")
_TELEPHONE = re.compile(
    r"(?<![\w.,/-])(?:\+|00)?\(?\d[\d ()./\u2010-\u2015-]{5,30}\d(?![\w/])",
)
_NO_TELEPHONE = re.compile(
    # dates, lists and spans of years, numbers with their thousands apart, spans of such numbers
    r"\d{1,2}[./ -]\d{1,2}[./ -](?:19|20)\d\d|(?:19|20)\d\d[./ -]\d{1,2}[./ -]\d{1,2}"
    r"|(?:(?:1[89]|20)\d\d[ /\u2010-\u2015-]*)+"
    r"|[1-9]\d{0,2}(?:[ .]\d{3})*(?: ?[\u2010-\u2015-] ?[1-9]\d{0,2}(?:[ .]\d{3})*)?"
)
_HONORIFIC = re.compile(
    r"\b(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Sir|Madam|Mme|Mlle|Monsieur|Madame|Mademoiselle"
    r"|Sr|Sra|Srta|Señor|Señora|Señorita|Don|Doña|Dra|Senhor|Senhora|Herr|Frau"
    r"|Г-н|Г-жа|г-н|г-жа|господин|госпожа|Господин|Госпожа)\b\.?\s+"
    r"(?:[A-ZÀ-ÖØ-ÞА-ЯЁ]\.\s*)*[A-ZÀ-ÖØ-ÞА-ЯЁ][\w'’-]+"
    r"|(?<!\w)(?:السيدة|السيد|الآنسة|الدكتورة|الدكتور|الأستاذة|الأستاذ)\s+\w{2,}"
    r"|[\u4e00-\u9fff]{0,2}(?![位名个些的])[\u4e00-\u9fff](?:先生|女士|小姐)(?!们)"
)
_TELEPHONE_DIGITS = range(7, 16)


def personal_data_warnings(text: str) -> list[str]:
    """Return a sentence for each kind of personal data that `text` seems to hold (R28).

    Reports tell of people in counts; case studies carry no names. The check looks for e-mail
    addresses, telephone numbers and names after a form of address in the six languages. It warns
    and never refuses: it can be wrong in both directions, and the sentences say so to nobody else.
    """
    plain = ascii_digits(normalise(text))
    warnings = []
    found = _EMAIL.search(plain)
    if found:
        warnings.append(
            _(
                "“%(found)s” looks like an e-mail address. Take it out: reports hold no contacts.",
                found=found[0],
            )
        )
    number = _telephone(_EMAIL.sub(" ", plain))
    if number:
        warnings.append(
            _(
                "“%(found)s” looks like a telephone number. Take it out: reports hold no contacts.",
                found=number,
            )
        )
    found = _HONORIFIC.search(plain)
    if found:
        warnings.append(
            _(
                "“%(found)s” looks like a person’s name. Write “a participant” instead, or another "
                "word that tells nobody who it is.",
                found=found[0],
            )
        )
    return warnings


def _telephone(text: str) -> str:
    """Return the first thing in `text` that is dialled like a telephone number, or nothing."""
    for found in _TELEPHONE.finditer(text):
        number = found[0].strip()
        digits = sum(map(str.isdigit, number))
        dialled = number[0] in "+(0" or not number.isdigit()
        if digits in _TELEPHONE_DIGITS and dialled and not _NO_TELEPHONE.fullmatch(number):
            return number
    return ""


def plain(number: Decimal) -> str:
    """Return a number in digits only, without zeros after the last one: never `1E+1`."""
    return f"{number.normalize():f}"


def ascii_digits(text: str) -> str:
    """Return `text` with the decimal digits of every script written as 0 to 9."""
    return "".join(str(unicodedata.decimal(mark)) if mark.isdecimal() else mark for mark in text)
