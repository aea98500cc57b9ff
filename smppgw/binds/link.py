"""What the two halves of a pair share: where they connect, and what refusals cost. A transceiver has one to itself.

Owns the choice among the endpoints of a carrier and the refusals in a row. Refuses to know streams and sessions: it
is told what happened, and time is an argument. A `half` is the name of a bind, such as "demo/1-tx".

Both halves are on the same endpoint, always: two SMSCs of a carrier need not know of each other's sessions. Each half
comes and goes by itself all the same. Submitting goes on while the receiver is down, since the store keeps what was
sent, and the receipts come later over any bind of the carrier; receiving goes on while the transmitter is down.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import trio

from smppgw.config import CarrierSettings

#: So many rounds a half tries in vain where the other half is connected; then both go to the next endpoint. Twice as
#: many each time that did not bring both of them together, up to so many times as many.
STUCK_ROUNDS = 3
_MOST_PATIENCE = 128


class Endpoint(NamedTuple):
    """Where an SMSC listens. `receive_port` is for the receiver of a pair."""

    host: str
    port: int
    receive_port: int


def endpoints(settings: CarrierSettings) -> list[Endpoint]:
    """The endpoints in the order of the settings. At a fallback the receiver of a pair connects to the same port."""
    found = [Endpoint(settings.host, settings.port, settings.receive_port or settings.port)]
    for text in settings.fallbacks:
        host, _, port = text.rpartition(":")
        found.append(Endpoint(host.strip("[]"), int(port), int(port)))
    return found


class Link:
    """One transceiver, or a transmitter with its receiver."""

    def __init__(self, name: str, endpoints: Sequence[Endpoint]) -> None:
        self.name = name
        self._endpoints = endpoints
        self._current = 0
        self._connected: set[str] = set()
        self._bound: set[str] = set()
        self._trying: set[str] = set()
        self._settled = trio.Event()
        self._stuck = 0
        self._patience = 1
        self._moving = False
        #: By half: ends its session in good order, so that the link can go elsewhere.
        self.leave: dict[str, Callable[[], None]] = {}
        #: Refused binds in a row, of both halves together.
        self.refusals = 0
        #: After a refusal neither half tries before this time.
        self.not_before_mono = -math.inf

    # Endpoints --------------------------------------------------------------------------------------------------

    @property
    def endpoint(self) -> Endpoint:
        """Where to connect next."""
        return self._endpoints[self._current]

    @property
    def choices(self) -> int:
        """How many endpoints there are."""
        return len(self._endpoints)

    def unusable(self, endpoint: Endpoint) -> bool:
        """`endpoint` could not be used: the next one in turn. False when there is no other one to try now.

        While the other half is connected the link stays where that is.
        """
        if endpoint == self.endpoint and not self._connected:
            self._current = (self._current + 1) % len(self._endpoints)
        return endpoint != self.endpoint

    def connected(self, half: str, endpoint: Endpoint) -> bool:
        """A half has a connection to `endpoint`. False when the other half has one elsewhere: it cannot be used."""
        if self._connected and endpoint != self.endpoint:
            return False
        self._current = self._endpoints.index(endpoint)
        self._connected.add(half)
        self._stuck = 0
        return True

    def stuck(self, half: str) -> None:
        """A half found no endpoint. Where that is because the other half holds the link to this one, in the end both
        go on to the next: half a pair in one place is worth less than both in another."""
        if not self._connected or self.choices == 1:
            return
        self._stuck += 1
        if self._stuck >= STUCK_ROUNDS * self._patience:
            self._stuck = 0
            self._patience = min(self._patience * 2, _MOST_PATIENCE)
            self._moving = True
            for other in self._connected - {half}:
                self.leave[other]()

    # Binds ------------------------------------------------------------------------------------------------------

    def begin(self, half: str) -> bool:
        """Whether a half may try now. After a refusal only one tries at a time: wrong passwords lock accounts."""
        if self.refusals and self._trying - {half}:
            return False
        self._trying.add(half)
        return True

    async def settled(self) -> None:
        """Returns when an attempt under way is decided; then `begin` may say otherwise."""
        await self._settled.wait()

    def bound(self, half: str) -> None:
        self._bound.add(half)
        self.refusals = 0
        if len(self._bound) > 1:
            self._patience = 1
        self._decided(half)

    def refused(self, now_mono: float) -> int:
        """Counts a refused bind; refusals in a row. Halves that tried at the same time count once."""
        if not self.refusals or now_mono >= self.not_before_mono:
            self.refusals += 1
        return self.refusals

    def hold(self, until_mono: float) -> None:
        """Holds both halves after a refusal, unless one is bound: then the account as such is not what is wrong."""
        if not self._bound:
            self.not_before_mono = max(self.not_before_mono, until_mono)

    def ended(self, half: str) -> None:
        """An attempt or a session of a half is over, whatever it came to.

        After a session the next connect goes to the first endpoint again: the order is the operator's wish, and a
        connect that has to be made anyway is the one moment at which going back costs nothing. When the first is
        still away, the next one follows at once. After a bind that failed it is the next one's turn.
        """
        was_connected, was_bound = half in self._connected, half in self._bound
        self._connected.discard(half)
        self._bound.discard(half)
        if not self._connected and was_connected:
            start_anew = was_bound and not self._moving
            self._current = 0 if start_anew else (self._current + 1) % len(self._endpoints)
            self._moving = False
        self._decided(half)

    def _decided(self, half: str) -> None:
        self._trying.discard(half)
        self._settled.set()
        self._settled = trio.Event()
