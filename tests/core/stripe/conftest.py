"""A card processor on this machine, and the portal's adapter pointed at it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from portal.core.config import Settings
from portal.demo.stripe import KEY, Processor
from tests.core.stripe import pretending
from tests.core.stripe.pretending import Judge


@pytest.fixture
def served(tmp_path: Path, settings: Settings) -> Iterator[tuple[Processor, Judge, Settings]]:
    """Run the pretend processor, and have the adapter speak to it."""
    with pretending.connected(tmp_path, settings, stripe_secret_key=SecretStr(KEY)) as found:
        yield found


@pytest.fixture
def pretend(served: tuple[Processor, Judge, Settings]) -> Processor:
    """Return the pretend processor."""
    return served[0]


@pytest.fixture
def judge(served: tuple[Processor, Judge, Settings]) -> Judge:
    """Return who hears everything that goes there."""
    return served[1]
