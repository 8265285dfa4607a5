"""Verify an exported audit chain, without the portal and without trusting it.

    python standalone_verifier.py audit-chain.jsonl [number of events] [digest of the last]

Number and digest are those of the chain's head, as noted when the copy was taken; without them a
copy that lost its end looks whole.

Each line of the file is one event as JSON. An event's digest is the SHA-256 of its canonical JSON
(without "number" and "digest"; keys sorted by UTF-16 units, no space, UTF-8, text in NFC), and
"previous" is the digest of the event before it. Ends with 0 when all is well and 1 when it is not.
"""

import hashlib
import json
import sys
import unicodedata
from pathlib import Path
from typing import Any

FIRST = "0" * 64


def canonical(value: Any) -> Any:
    """Return `value` with texts in NFC and keys in order. Raises TypeError for a fraction."""
    if isinstance(value, float):
        raise TypeError("a number with a fraction has no place in the chain")
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, list):
        return [canonical(item) for item in value]
    if isinstance(value, dict):
        pairs = [(unicodedata.normalize("NFC", key), canonical(value[key])) for key in value]
        return dict(sorted(pairs, key=lambda pair: pair[0].encode("utf-16-be")))
    return value


def digest(event: dict[str, Any]) -> str:
    """Return the SHA-256 that an event must have."""
    said = {key: value for key, value in event.items() if key not in {"number", "digest"}}
    text = json.dumps(canonical(said), ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def verify(lines: list[str], *expected: str) -> str | None:
    """Return what is wrong, or None. `expected`: how many events there must be, the last digest."""
    previous, number = FIRST, 0
    for place, line in enumerate(lines, start=1):
        try:
            event = json.loads(line)
            follows = event["previous"] == previous and event["number"] > number
            if not follows:
                return f"line {place}: does not follow from the event before it"
            if event["digest"] != digest(event):
                return f"line {place}: does not say what it said when it was written"
            previous, number = event["digest"], event["number"]
        except (ValueError, KeyError, TypeError):
            return f"line {place}: is not an event"
    for end in expected:
        if end not in {previous, str(len(lines))}:
            return f"{len(lines)} events to {previous}, not to {end}: some are missing, or added"
    return None


def main(arguments: list[str]) -> int:
    """Verify the file that is named first; say how it went and return the exit status."""
    if len(arguments) not in {1, 2, 3}:
        sys.stderr.write(str(__doc__))
        return 2
    lines = Path(arguments[0]).read_text(encoding="utf-8").removesuffix("\n").split("\n")
    wrong = verify(lines, *arguments[1:])
    sys.stdout.write(f"BROKEN: {wrong}\n" if wrong else f"intact: {len(lines)} events\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
