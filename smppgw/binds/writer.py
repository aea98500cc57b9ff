"""Writes what a session wants to send: one send_all at a time, everything that has gathered meanwhile in the next.

Owns the octets between the session and the stream. Refuses to know what they mean, and what the end of the stream
leads to: that is told to whoever runs the session.
"""

from __future__ import annotations

from collections.abc import Callable

import trio

from smppgw.binds import tls
from smppgw.binds.wake import Wake
from smppgw.smpp import CloseReason, Session

#: So many octets wait for the SMSC to read at most; past it the link counts as dead. A full window of 10,000
#: submit_sm and the answers to all that may wait for a commit stay below: only what the SMSC asks without reading the
#: answers gets there.
MOST_OUTGOING_OCTETS = 8 * 1024 * 1024


class Writer:
    """The writing end of one stream.

    `taken` is called when all that the session held is on its way: from then on it counts as written. `failed` is
    told, at most once by each caller, why nothing more can be written.
    """

    def __init__(
        self,
        stream: trio.abc.Stream,
        session: Session,
        *,
        response_s: float,
        ended: trio.Event,
        taken: Callable[[], None],
        failed: Callable[[CloseReason, str], None],
    ) -> None:
        self._stream = stream
        self._session = session
        self._response_s = response_s
        self._ended = ended
        self._taken = taken
        self._failed = failed
        self._wake = Wake()
        self._outgoing = bytearray()  # run may be held up in a send_all
        #: Set once nothing more will be written.
        self.done = trio.Event()

    def wake(self) -> None:
        """Collects what the session wants to send; an SMSC that leaves too much of it unread is a dead link."""
        self._outgoing += self._session.data_to_send()
        if len(self._outgoing) > MOST_OUTGOING_OCTETS:
            self._failed(CloseReason.LINK_SILENT, "the SMSC stopped reading")
        self._wake.set()

    async def run(self) -> None:
        """Writes until the session has ended and all of it is out, or until the stream fails."""
        try:
            while True:
                data = self._take()
                if data:
                    with trio.move_on_after(self._response_s) as scope:
                        await self._stream.send_all(data)
                    if scope.cancelled_caught:  # half a PDU may be out: this stream is finished
                        self._failed(CloseReason.LINK_SILENT, "the SMSC stopped reading")
                        return
                elif self._ended.is_set():
                    return
                else:
                    await self._wake.wait()
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            self._failed(CloseReason.PEER_CLOSED, tls.explain(error))
        finally:
            self.done.set()

    def _take(self) -> bytearray:
        data, self._outgoing = self._outgoing, bytearray()
        data += self._session.data_to_send()
        self._taken()
        return data
