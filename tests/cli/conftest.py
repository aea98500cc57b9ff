"""One gateway for each test that asks for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cli.runner import Served, served


@pytest.fixture
def gateway() -> Iterator[Served]:
    with served() as it:
        yield it
