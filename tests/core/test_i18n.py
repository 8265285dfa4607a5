"""Languages: the pseudo-locale, what is offered, and that translators get every text."""

import subprocess
import sys
from pathlib import Path

import pytest

from portal.core import i18n
from portal.core.config import ROOT

GIVEN_TO_TRANSLATORS = (
    "Submit application",  # a row of a workflow
    "This step belongs to somebody else.",  # a refusal
    "What does your organisation do, and for whom?",  # a fund's profile
    "Something waits for you in the portal",  # a message
    "Money for human rights, from the fund to the people",  # a template
)


def test_the_pseudo_locale_leaves_placeholders_alone() -> None:
    with i18n.speaking("en-XA"):
        assert i18n.gettext("Due on %(day)s", day="Friday") == "[Dúé óñ Friday]"
        assert i18n.ngettext("%(num)s file", "%(num)s files", 2) == "[2 fíléš]"
        assert i18n.gettext("") == ""


def test_the_right_to_left_pseudo_locale_turns_the_page() -> None:
    with i18n.speaking("ar-XB"):
        assert i18n.direction() == "rtl"
        assert str(i18n.locale()) == "ar"
    assert i18n.direction() == "ltr"


def test_a_lazy_text_is_spoken_when_it_is_read() -> None:
    label = i18n.lazy_gettext("Draft")
    assert str(label) == "Draft"
    with i18n.speaking("en-XA"):
        assert str(label) == "[Dráft]"


def test_only_languages_with_a_catalogue_are_offered() -> None:
    assert i18n.offered().keys() <= i18n.LANGUAGES.keys()
    for tag in i18n.offered().keys() - {"en"}:
        assert (i18n.CATALOGUES / tag / "LC_MESSAGES" / "messages.mo").exists()


@pytest.mark.parametrize("text", GIVEN_TO_TRANSLATORS)
def test_translators_get_every_text(text: str, catalogue: str) -> None:
    assert f'"{text}"' in catalogue


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Extract all messages, as a translator would begin."""
    target: Path = tmp_path_factory.mktemp("pot") / "messages.pot"
    command = [sys.executable, "-m", "babel.messages.frontend", "-q", "extract"]
    options = ["-F", "pyproject.toml", "-k", "_l", "-o", str(target), "."]
    subprocess.run([*command, *options], cwd=ROOT, check=True)
    return target.read_text(encoding="utf-8")
