"""Tells binds that their carrier may have something to send, without polling the store."""

from __future__ import annotations

import trio


class WorkSignal:
    """A version that rises with every commit that may have queued something; see model.Work."""

    def __init__(self) -> None:
        self.version = 0
        self._event = trio.Event()

    def bump(self) -> None:
        self.version += 1
        self._event.set()
        self._event = trio.Event()

    async def changed(self, since: int) -> None:
        """Returns once `version` differs from `since`."""
        while self.version == since:
            await self._event.wait()


class WorkBoard:
    """One signal for each carrier."""

    def __init__(self) -> None:
        self._signals: dict[str, WorkSignal] = {}

    def signal(self, carrier: str) -> WorkSignal:
        return self._signals.setdefault(carrier, WorkSignal())

    def bump(self, carrier: str) -> None:
        self.signal(carrier).bump()
