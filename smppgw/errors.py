"""The exception tree: every error that crosses a room's border is one of these.

`LocalProtocolError` means that we broke the rules of SMPP, `RemoteProtocolError` that the peer did. Whether an
outcome of a submit_sm is temporary or permanent is not an exception but a property of an Outcome
(smppgw/binds/outcome.py).
"""

from __future__ import annotations


class SmppgwError(Exception):
    """Base of all errors raised on purpose by this project."""


class ConfigError(SmppgwError):
    """The configuration cannot be used. `problems` holds one line for each mistake, each with its key path.

    `more_may_follow`: something could not even be read, so what depends on it has not been looked at.
    """

    def __init__(self, problems: list[str], *, more_may_follow: bool = False) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
        self.more_may_follow = more_may_follow


class ProtocolError(SmppgwError):
    """Base of the two protocol errors."""


class LocalProtocolError(ProtocolError):
    """We tried something that SMPP does not allow now, or built a PDU that cannot be encoded."""


class RemoteProtocolError(ProtocolError):
    """The peer broke the rules. The length of the PDU is known, so the session goes on.

    `command_status` is the status due in the answer; `command_id` and `sequence_number` are those of the bad PDU
    (0 when unreadable); `field` names the field that could not be read, where there is one.
    """

    def __init__(
        self, text: str, *, command_status: int, command_id: int = 0, sequence_number: int = 0, field: str = ""
    ) -> None:
        super().__init__(text)
        self.command_status = command_status
        self.command_id = command_id
        self.sequence_number = sequence_number
        self.field = field


class FramingError(ProtocolError):
    """command_length cannot be trusted: where the next PDU starts is unknown, so the session must close."""


class Refusal(SmppgwError):
    """One item of the user's input is refused, by name. `code` is stable and documented; the text says what to do."""

    def __init__(self, code: str, text: str, *, field: str = "") -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.field = field


class StoreError(SmppgwError):
    """The store could not do what was asked; nothing of it was kept."""


class StoreUnavailable(StoreError):
    """The disk is full, read-only or failing. Nothing was accepted; trying again later may work."""


class StoreBusy(StoreUnavailable):
    """More messages wait for their commit than store.max_waiting_accepts allows."""


class StoreVersionError(StoreError):
    """The store file was written by a newer smppgw."""
