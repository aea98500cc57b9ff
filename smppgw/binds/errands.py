"""query_sm and cancel_sm: what the store wants asked of the SMSC, a few at a time beside the submit_sms.

Owns how many are out, their PDUs and what their answers say. An errand is asked once; one that is not answered moves
nothing, and the store asks for it anew if need be. Refuses to know why something is asked.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable

import trio

from smppgw.addresses import Address
from smppgw.binds import events
from smppgw.binds.context import BindContext
from smppgw.binds.submit import Rewrite
from smppgw.errors import LocalProtocolError
from smppgw.queue.model import Errand, ErrandDone, ErrandKind, ReceiptState
from smppgw.smpp import CancelSm, Pdu, QuerySm, QuerySmResp, ResponseReceived, Session, SessionState, Status
from smppgw.telemetry import log

#: The store is asked so often at most, and only after its work signal moved.
LOOK_S = 2.0

#: Errands take this part of the window, at least one slot, at most so many.
_PART_OF_WINDOW = 20
_MOST = 10

_SUBMITTING = (SessionState.BOUND_TX, SessionState.BOUND_TRX)
_STATES = {state.value: state for state in ReceiptState}
_FAILED = {ErrandKind.QUERY: Status.ESME_RQUERYFAIL, ErrandKind.CANCEL: Status.ESME_RCANCELFAIL}


class Errands:
    """The errands of one session. `stopping` is set when nothing more shall be asked."""

    def __init__(self, context: BindContext, session: Session) -> None:
        self._context = context
        self._session = session
        self._most = min(_MOST, max(1, context.settings.window // _PART_OF_WINDOW))
        self._taken: deque[Errand] = deque()  # off the store's list, waiting for a slot
        self._out = 0
        self._version = -1  # of the work signal, at the last look
        self.stopping = False
        #: Those not answered in time. Each keeps its slot, and nothing more is asked over this session: an SMSC that
        #: ignores one question ignores the next, until no slot is left for submit_sm.
        self.overdue = 0

    @property
    def room(self) -> int:
        """How many may be asked now."""
        if self.stopping or self.overdue or self._context.probing or self._session.state not in _SUBMITTING:
            return 0
        return max(0, min(self._most - self._out, self._session.window_free))

    async def run(self, wake: Callable[[], None]) -> None:
        """Asks until it is cancelled. `wake` is called when the session has something to send."""
        try:
            while True:
                await trio.sleep(LOOK_S)
                await self._look()
                if self._ask():
                    wake()
        finally:  # what was taken and not asked comes back from the store's list, not from here
            self._context.recorder.waiting.errands += [_undone(errand) for errand in self._taken]
            self._taken.clear()

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
        while self._taken and self.room:
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
                self._context.recorder.waiting.errands.append(_undone(errand))
            else:
                self._out += 1
                asked = True
        return asked

    def _request(self, errand: Errand) -> QuerySm | CancelSm:
        """The addresses are written as in the submit_sm: the SMSC compares them (SMPP 3.4, 4.8 and 4.9)."""
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
            service_type=self._context.settings.submit.service_type,
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
        self._out -= 1
        if event.late:
            self.overdue -= 1
        if event.response.command_status:
            self._context.counters.deviations[f"{errand.kind.name.lower()}_sm_refused"] += 1
        self._context.recorder.waiting.errands.append(_done(errand, event.response))

    def unanswered(self, errand: Errand) -> None:
        """No response in time."""
        self.overdue += 1
        self._context.counters.deviations[f"{errand.kind.name.lower()}_sm_unanswered"] += 1
        self._context.recorder.waiting.errands.append(_undone(errand))


def _written(address: Address, rewrite: Rewrite | None) -> Address:
    return address if rewrite is None else rewrite(address)


def _undone(errand: Errand) -> ErrandDone:
    return ErrandDone(errand.segment_id, errand.kind, _FAILED[errand.kind])


def _done(errand: Errand, response: Pdu) -> ErrandDone:
    if response.command_status:
        return ErrandDone(errand.segment_id, errand.kind, response.command_status)
    if errand.kind is ErrandKind.CANCEL and response.answers is not None:
        return ErrandDone(errand.segment_id, errand.kind, Status.ESME_ROK)
    if isinstance(response, QuerySmResp):
        error = f"{response.error_code:03d}" if response.error_code else ""
        return ErrandDone(errand.segment_id, errand.kind, Status.ESME_ROK, _STATES.get(response.message_state), error)
    return _undone(errand)  # a generic_nack, whatever its status says (SMPP 3.4, 4.3)
