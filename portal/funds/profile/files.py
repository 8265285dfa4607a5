"""Profiles are read from TOML files; a file that is wrong is refused with a sentence."""

import tomllib
from pathlib import Path

from pydantic import ValidationError

from portal.funds.profile.model import Profile
from portal.funds.profile.process import Rulebook

PROFILES = Path(__file__).parents[1] / "profiles"
"""The folder of the funds that the portal comes with."""

RULEBOOK = Path(__file__).parents[1] / "rulebook.toml"
"""The rules that all funds share; a profile's own wording of a rule goes before it."""


class BadProfile(ValueError):
    """A profile file that cannot be used; the message names the file and what is wrong."""


def load_profile(path: Path) -> Profile:
    """Read one fund from its TOML file.

    Raises BadProfile when the file is no TOML, breaks a rule of the schema or is not named after
    the code of its fund.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        profile = _with_shared_rules(Profile.model_validate(content))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadProfile(f"{path.name} is not valid TOML: {error}") from error
    except ValidationError as error:
        raise BadProfile(f"{path.name}: {_first_fault(error)}") from error
    if profile.code != path.stem:
        raise BadProfile(
            f"{path.name}: a fund with code {profile.code!r} is in {profile.code}.toml"
        )
    return profile


def load_profiles(folder: Path | None = None) -> dict[str, Profile]:
    """Read every fund of a folder (the portal's own without one), by code, in display order."""
    found = [load_profile(path) for path in sorted((folder or PROFILES).glob("*.toml"))]
    found.sort(key=lambda profile: (profile.position, profile.code))
    return {profile.code: profile for profile in found}


def _with_shared_rules(profile: Profile) -> Profile:
    own = {text.rule for text in profile.reference_rules}
    book = Rulebook.model_validate(tomllib.loads(RULEBOOK.read_text(encoding="utf-8")))
    shared = tuple(text for text in book.rules if text.rule not in own)
    return profile.model_copy(update={"reference_rules": (*profile.reference_rules, *shared)})


def _first_fault(error: ValidationError) -> str:
    fault = error.errors()[0]
    where = ".".join(str(step) for step in fault["loc"])
    return f"{where}: {fault['msg']}" if where else fault["msg"]
