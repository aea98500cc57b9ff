"""The answer to each request other than a submit: query_sm, cancel_sm, replace_sm.

Owns which requests are known, and what is checked before a message is shown or changed. A message is found by its
message_id, only by the system_id that submitted it, and only with the source address it was submitted with.
cancel_sm without a message_id (a whole group, SMPP 3.4, 4.9) is refused with ESME_RCANCELFAIL.
"""

from __future__ import annotations

from collections.abc import Callable

from simulator.centre import MessageCentre
from simulator.fates import ERROR_CODES, MessageState
from simulator.messages import Message, absolute_time
from smppgw.smpp import (
    CancelSm,
    CancelSmResp,
    GenericNack,
    Pdu,
    QuerySm,
    QuerySmResp,
    ReplaceSm,
    ReplaceSmResp,
    Status,
)


class Operations:
    """Answers requests out of the message centre."""

    def __init__(self, centre: MessageCentre) -> None:
        self._centre = centre
        self._answers: dict[type[Pdu], Callable[[str, Pdu, int], Pdu]] = {
            QuerySm: self._query_sm,
            CancelSm: self._cancel_sm,
            ReplaceSm: self._replace_sm,
        }

    def answer(self, system_id: str, pdu: Pdu, utc_ms: int) -> Pdu:
        """The response to `pdu`; generic_nack with ESME_RINVCMDID for what this SMSC does not offer."""
        handler = self._answers.get(type(pdu))
        if handler is None:
            return GenericNack(sequence_number=pdu.sequence_number, command_status=Status.ESME_RINVCMDID)
        return handler(system_id, pdu, utc_ms)

    def _query_sm(self, system_id: str, pdu: Pdu, utc_ms: int) -> QuerySmResp:
        """query_sm (SMPP 3.4, 4.8)."""
        assert isinstance(pdu, QuerySm)
        status, message = self._find(system_id, pdu.message_id, pdu.source_addr, Status.ESME_RQUERYFAIL)
        response = QuerySmResp(sequence_number=pdu.sequence_number, command_status=status, message_id=pdu.message_id)
        if message is not None:
            state = message.state_at(utc_ms)
            response.message_state = int(state)
            if state is not MessageState.ENROUTE:
                response.final_date = absolute_time(message.final_utc_ms)
                response.error_code = ERROR_CODES[state]
        return response

    def _cancel_sm(self, system_id: str, pdu: Pdu, utc_ms: int) -> CancelSmResp:
        """cancel_sm (SMPP 3.4, 4.9)."""
        assert isinstance(pdu, CancelSm)
        status, message = self._find_enroute(
            system_id, pdu.message_id, pdu.source_addr, utc_ms, Status.ESME_RCANCELFAIL
        )
        if message is not None:
            self._centre.cancel(message, utc_ms)
        return CancelSmResp(sequence_number=pdu.sequence_number, command_status=status)

    def _replace_sm(self, system_id: str, pdu: Pdu, utc_ms: int) -> ReplaceSmResp:
        """replace_sm (SMPP 3.4, 4.10)."""
        assert isinstance(pdu, ReplaceSm)
        status, message = self._find_enroute(
            system_id, pdu.message_id, pdu.source_addr, utc_ms, Status.ESME_RREPLACEFAIL
        )
        if message is not None:
            message.octets = pdu.short_message
            message.registered_delivery = pdu.registered_delivery
            self._centre.replan(message, utc_ms)
        return ReplaceSmResp(sequence_number=pdu.sequence_number, command_status=status)

    def _find_enroute(
        self, system_id: str, message_id: str, source_addr: str, utc_ms: int, failure: Status
    ) -> tuple[int, Message | None]:
        status, message = self._find(system_id, message_id, source_addr, failure)
        if message is not None and message.state_at(utc_ms) is not MessageState.ENROUTE:
            return failure, None
        return status, message

    def _find(
        self, system_id: str, message_id: str, source_addr: str, mismatch: Status
    ) -> tuple[int, Message | None]:
        if not message_id:
            return mismatch, None
        message = self._centre.find(message_id)
        if message is None or message.system_id != system_id:
            return Status.ESME_RINVMSGID, None
        if message.source.addr != source_addr:
            return mismatch, None
        return 0, message
