"""query_sm and cancel_sm: what the store wants asked of the SMSC, a few at a time beside the submit_sms.

Owns how many are out, their PDUs and what their answers say. An errand is asked once; the store is told what came of
it, also where no answer did, and asks for it anew if need be. Refuses to know why something is asked.
"""

from __future__ import annotations

import logging
import math
from collections import deque
from collections.abc import Callable

import trio

from smppgw.addresses import Address
from smppgw.binds import events
from smppgw.binds.context import BindContext
from smppgw.binds.submit import Rewrite
from smppgw.binds.wake import Wake
from smppgw.errors import LocalProtocolError
from smppgw.queue.model import Errand, ErrandDone, ErrandKind, ReceiptState
from smppgw.smpp import (
    CancelSm,
    Pdu,
    QuerySm,
    QuerySmResp,
    ReceiptRules,
    ResponseReceived,
    Session,
    SessionState,
    Status,
)
from smppgw.telemetry import log

#: The store is asked so often, and only after its work signal moved. With something asked, or to be asked, also after
#: each answer.
LOOK_S = 2.0
#: An SMSC that does not answer a question is asked one at a time, after a pause that doubles from the first to the
#: last of these (seconds), until it answers one.
_FIRST_PAUSE_S = 60.0
_LONGEST_PAUSE_S = 600.0

#: Errands take this part of the window, at least one slot, at most so many.
_PART_OF_WINDOW = 20
_MOST = 10

_SUBMITTING = (SessionState.BOUND_TX, SessionState.BOUND_TRX)
_STATES = {state.value: state for state in ReceiptState}
#: What a generic_nack without a command_status says.
_FAILED = {ErrandKind.QUERY: Status.ESME_RQUERYFAIL, ErrandKind.CANCEL: Status.ESME_RCANCELFAIL}


class Errands:
    """The errands of one session. `stopping` is set when nothing more shall be asked."""

    def __init__(self, context: BindContext, session: Session) -> None:
        self._context = context
        self._session = session
        self._most = min(_MOST, max(1, context.settings.window // _PART_OF_WINDOW))
        self._taken: deque[Errand] = deque()  # off the store's list, waiting for a slot
        self._out: set[Errand] = set()  # asked, neither answered nor overdue
        self._version = -1  # of the work signal, at the last look
        self._look_again = Wake()
        self._silences = 0  # overdue ones since the last answer
        self._ask_at_mono = -math.inf
        self.stopping = False

    @property
    def room(self) -> int:
        """How many may be asked now, but for pacing."""
        context, now_mono = self._context, self._context.clock.mono()
        held_until_mono = max(self._ask_at_mono, context.throttle.until_mono, context.paused_until_mono)
        if self.stopping or context.probing or now_mono < held_until_mono or self._session.state not in _SUBMITTING:
            return 0
        most = 1 if self._silences else self._most
        return max(0, min(most - len(self._out), self._session.window_free))

    async def run(self, wake: Callable[[], None]) -> None:
        """Asks until it is cancelled. `wake` is called when the session has something to send."""
        try:
            await trio.sleep(LOOK_S)
            while True:
                await self._look()
                if self._ask():
                    wake()
                await self._look_again.wait(self._context.clock.mono() + LOOK_S)
        finally:
            done = self._context.recorder.waiting.errands
            done += [ErrandDone(one.segment_id, one.kind, None, asked=False) for one in self._taken]
            done += map(_unanswered, self._out)
            self._taken.clear()
            self._out.clear()

    async def _look(self) -> None:
        """Takes errands off the store's list, if it may have any."""
        context = self._context
        version, limit = context.work.version, self.room - len(self._taken)
        if limit <= 0 or version == self._version:
            return
        errands = await context.recorder.take_errands(limit)
        if errands is None:  # the store cannot tell now
            return
        if not errands:
            self._version = version
        self._taken.extend(errands)

    def _ask(self) -> bool:
        """Sends what there is room for. True when something is to be written."""
        asked = False
        now_mono = self._context.clock.mono()
        while self._taken and self.room and self._context.pacer.take(now_mono, 1):
            errand = self._taken.popleft()
            try:
                self._session.request(self._request(errand), now_mono, errand)
            except LocalProtocolError as error:  # an id that fits no field, most likely
                log(
                    events.LOGGER,
                    logging.WARNING,
                    events.BIND_ERRAND_FAILED,
                    bind=self._context.name,
                    errand=errand.kind.name.lower(),
                    smsc_id=errand.smsc_id,
                    error=str(error),
                )
                self._context.recorder.waiting.errands.append(_unanswered(errand, f"not asked: {error}"))
            else:
                self._out.add(errand)
                asked = True
        return asked

    def _request(self, errand: Errand) -> QuerySm | CancelSm:
        """The addresses are written as in the submit_sm: the SMSC compares them (SMPP 3.4, 4.8 and 4.9). The
        service_type stays empty, as it does wherever message_id tells which message is meant (4.9.1)."""
        rules = self._context.rules
        source = _written(errand.source, rules.source_of)
        if errand.kind is ErrandKind.QUERY:
            return QuerySm(
                message_id=errand.smsc_id,
                source_addr_ton=source.ton,
                source_addr_npi=source.npi,
                source_addr=source.addr,
            )
        destination = _written(errand.destination, rules.destination_of)
        return CancelSm(
            message_id=errand.smsc_id,
            source_addr_ton=source.ton,
            source_addr_npi=source.npi,
            source_addr=source.addr,
            dest_addr_ton=destination.ton,
            dest_addr_npi=destination.npi,
            destination_addr=destination.addr,
        )

    # Answers ----------------------------------------------------------------------------------------------------

    def answered(self, event: ResponseReceived) -> None:
        """The response to an errand, late ones too."""
        errand = event.cookie
        assert isinstance(errand, Errand)  # the driver gives those with other cookies to their owners
        self._out.discard(errand)
        self._silences = 0
        self._ask_at_mono = -math.inf
        self._look_again.set()
        if event.response.command_status:
            self._context.counters.deviations[f"{errand.kind.name.lower()}_sm_refused"] += 1
        self._context.recorder.waiting.errands.append(_done(errand, event.response, self._context.rules.receipts))

    def unanswered(self, errand: Errand) -> None:
        """No response in time: the slot of the window is given back, and a late response still counts."""
        self._out.discard(errand)
        pause_s = min(_FIRST_PAUSE_S * 2.0 ** min(self._silences, 10), _LONGEST_PAUSE_S)
        self._silences += 1
        self._ask_at_mono = self._context.clock.mono() + pause_s
        self._context.counters.deviations[f"{errand.kind.name.lower()}_sm_unanswered"] += 1
        self._context.recorder.waiting.errands.append(_unanswered(errand))


def _written(address: Address, rewrite: Rewrite | None) -> Address:
    return address if rewrite is None else rewrite(address)


def _unanswered(errand: Errand, error: str = "") -> ErrandDone:
    return ErrandDone(errand.segment_id, errand.kind, None, error=error)


def _done(errand: Errand, response: Pdu, rules: ReceiptRules) -> ErrandDone:
    if response.command_status:
        return ErrandDone(errand.segment_id, errand.kind, response.command_status)
    if errand.kind is ErrandKind.CANCEL and response.answers is not None:
        return ErrandDone(errand.segment_id, errand.kind, Status.ESME_ROK)
    if isinstance(response, QuerySmResp):
        error = f"{response.error_code:03d}" if response.error_code else ""
        state = _STATES.get(rules.settled(response.message_state))
        return ErrandDone(errand.segment_id, errand.kind, Status.ESME_ROK, state, error)
    # A generic_nack, whatever its status says (SMPP 3.4, 4.3).
    return ErrandDone(errand.segment_id, errand.kind, _FAILED[errand.kind])
