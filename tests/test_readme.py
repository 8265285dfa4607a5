"""What the README says stays true: its diagrams, commands, settings and addresses."""

import re
from typing import Any

import pytest

from portal.applications.workflow import WORKFLOW as APPLICATIONS
from portal.awards.amendments.workflow import AMENDMENT_WORKFLOW as AMENDMENTS
from portal.awards.workflow import WORKFLOW as AWARDS
from portal.cli import portal
from portal.core.config import ROOT, Settings
from portal.core.workflow import Workflow, diagram
from portal.payments.workflow import ORDER_WORKFLOW as ORDERS

README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "workflow", [APPLICATIONS, AWARDS, AMENDMENTS, ORDERS], ids=lambda each: each.kind
)
def test_the_diagrams_are_the_tables(workflow: Workflow[Any]) -> None:
    assert f"```mermaid\n{diagram(workflow)}\n```" in README


def test_every_command_is_named() -> None:
    for name in portal.commands:
        assert f"portal {name}" in README


def test_every_setting_is_named() -> None:
    for name in Settings.model_fields:
        variable = "DATABASE_URL" if name == "database_url" else f"PORTAL_{name.upper()}"
        assert name == "testing" or f"`{variable}`" in README


def test_every_path_exists() -> None:
    for path in re.findall(r"`((?:portal|templates|static|migrations|tests)/[\w./-]*)`", README):
        assert (ROOT / path).exists(), path
