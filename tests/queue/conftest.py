from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from smppgw.bridge import asyncio_loop
from smppgw.queue.sqlite import open_store
from tests.support.inlinestore import InlineStore


@pytest.fixture(params=["inline", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Any]:
    """Every implementation of the store's contract in turn."""
    if request.param == "inline":
        inline = InlineStore()
        yield inline
        inline.close()
    else:
        async with asyncio_loop(), open_store(tmp_path / "store.db") as sqlite_store:
            yield sqlite_store
