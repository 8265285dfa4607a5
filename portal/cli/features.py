"""What features give the command line: their background work and their invariants.

A feature's `tasks.py` and `checks.py` are found by their names; there is no list to keep.
"""

import importlib
from importlib.util import find_spec
from pkgutil import iter_modules
from types import ModuleType

import portal
from portal.contributions.service.cards import checks as cards
from portal.core import outbox
from portal.core.check import Check
from portal.core.stripe import checks as stripe


def load_tasks() -> None:
    """Import the background work of every feature, which registers its sweeps."""
    _each("tasks")


def all_checks() -> list[Check]:
    """Return the invariants of every feature, in a stable order."""
    found = [*outbox.checks(), *stripe.checks(), *cards.checks()]
    for module in _each("checks"):
        found.extend(module.checks())
    return found


def _each(name: str) -> list[ModuleType]:
    """Import the module `name` of each feature that has one."""
    features = [f"portal.{feature.name}" for feature in iter_modules(portal.__path__)]
    named = [f"{feature}.{name}" for feature in sorted(features) if feature != __package__]
    return [importlib.import_module(module) for module in named if find_spec(module)]
