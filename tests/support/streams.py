"""Streams that behave badly on purpose, around any trio stream."""

from __future__ import annotations

import trio


class EvilStream(trio.abc.Stream):
    """Passes octets on between the test and what it wraps, with faults that are switched on by attribute.

    `chunk`: receive_some gives at most so many octets. `write_limit`: after so many written octets the connection
    breaks in the middle of a send_all. `deaf`: send_all never returns, as with a peer that stopped reading.
    """

    def __init__(
        self,
        inner: trio.abc.Stream,
        *,
        chunk: int | None = None,
        write_limit: int | None = None,
        deaf: bool = False,
    ) -> None:
        self.inner = inner
        self.chunk = chunk
        self.write_limit = write_limit
        self.deaf = deaf
        self.written = 0
        self.closed = False

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        wanted = max_bytes if self.chunk is None else min(self.chunk, max_bytes or self.chunk)
        return await self.inner.receive_some(wanted)

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        if self.deaf:
            await trio.sleep_forever()
        room = None if self.write_limit is None else self.write_limit - self.written
        if room is not None and len(data) > room:
            self.written += room
            await self.inner.send_all(bytes(data[:room]))
            await self.inner.aclose()
            raise trio.BrokenResourceError("connection reset by peer")
        self.written += len(data)
        await self.inner.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self.inner.wait_send_all_might_not_block()

    async def aclose(self) -> None:
        self.closed = True
        await self.inner.aclose()
