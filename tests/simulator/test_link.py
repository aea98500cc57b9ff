"""One connection: whatever bytes come, in whatever pieces, it ends at worst itself."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
import trio.testing
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

from simulator import SimulatorSettings, Smsc
from simulator.delays import Delay
from smppgw.smpp import (
    BindTransceiver,
    CancelSm,
    DataSm,
    DeliverSmResp,
    EnquireLink,
    Pdu,
    QuerySm,
    ReplaceSm,
    SubmitMulti,
    SubmitSm,
    SubmitSmResp,
    Unbind,
    encode,
)
from tests.support.clock import VirtualClock

from .esme import Esme, bound, serving, submit_sm

_PDUS: list[Pdu] = [
    BindTransceiver(system_id="alice"),
    SubmitSm(destination_addr="1", registered_delivery=0x11, short_message=b"hello"),
    SubmitSm(destination_addr="", esm_class=0x40, short_message=b"\xff"),
    DataSm(source_addr="\xff" * 64, destination_addr="2" * 64, registered_delivery=1),
    SubmitMulti(short_message=b"x"),
    QuerySm(message_id="1000"),
    CancelSm(message_id="1000"),
    ReplaceSm(message_id="1000", short_message=b"y" * 254, registered_delivery=255),
    DeliverSmResp(command_status=8),
    SubmitSmResp(),
    EnquireLink(),
    Unbind(),
]


def numbered(pdu: Pdu, number: int) -> bytes:
    pdu.sequence_number = number
    return encode(pdu)


frames = st.tuples(st.sampled_from(_PDUS), st.integers(0, 5)).map(lambda pair: numbered(*pair))


def damaged(frame: bytes, position: int, octet: int) -> bytes:
    """The frame with one octet of its body or header changed, its length kept."""
    position = 4 + position % (len(frame) - 4)
    return frame[:position] + bytes((octet,)) + frame[position + 1 :]


pieces = st.one_of(
    frames, st.builds(damaged, frames, st.integers(0, 300), st.integers(0, 255)), st.binary(max_size=40)
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stream=st.lists(pieces, max_size=25), bind_first=st.booleans(), cut_into=st.integers(1, 80))
def test_no_bytes_harm_anybody_else(stream: list[bytes], bind_first: bool, cut_into: int) -> None:
    """Any mix of good, damaged and senseless PDUs; a second session then still gets its answer."""

    async def scenario() -> None:
        async with serving(response_s=2.0, session_init_s=3.0) as (_smsc, connect):
            bad, good = await connect(), await connect()
            octets = numbered(_PDUS[0], 1) * bind_first + b"".join(stream)
            try:
                for start in range(0, len(octets), cut_into):
                    await bad.stream.send_all(octets[start : start + cut_into])
            except trio.BrokenResourceError:
                pass  # it has been cut already
            assert await good.bind("good") == 0
            assert (await good.submit()).command_status == 0
            await trio.sleep(100)

    trio.run(scenario, clock=MockClock(autojump_threshold=0))


async def test_byte_at_a_time(autojump_clock: MockClock) -> None:
    async with serving() as (_smsc, connect):
        esme = await connect()
        octets = numbered(BindTransceiver(system_id="alice"), 1) + numbered(submit_sm(), 2)
        for index in range(len(octets)):
            await esme.stream.send_all(octets[index : index + 1])
            if index % 7 == 0:
                await trio.sleep(0.1)
        assert (await esme.expect(SubmitSmResp)).command_status == 0


async def test_the_last_words_are_sent_before_the_end(autojump_clock: MockClock) -> None:
    """Submits and the unbind in one write: all answered, then the end."""
    async with bound() as (smsc, esme):
        await esme.send(*(submit_sm() for _ in range(50)), Unbind())
        await esme.wait_end()
        assert Counter(type(pdu).__name__ for pdu in esme.inbox) == {"SubmitSmResp": 50, "UnbindResp": 1}
        assert smsc.stats.closed == {"unbound": 1}


async def test_an_unbind_waits_for_delayed_responses(autojump_clock: MockClock) -> None:
    async with bound(response_delay=Delay(3.0, 3.0)) as (smsc, esme):
        await esme.send(submit_sm(), Unbind())
        await esme.expect(SubmitSmResp)
        await esme.wait_end()
        assert trio.current_time() == pytest.approx(3.0, abs=0.1)
        assert smsc.stats.closed == {"unbound": 1}


async def test_many_binds_at_once(autojump_clock: MockClock) -> None:
    async with serving() as (smsc, connect):
        esmes = [await connect() for _ in range(300)]
        for number, esme in enumerate(esmes):
            assert await esme.bind(f"esme{number % 7}") == 0
        for esme in esmes:
            assert (await esme.submit()).command_status == 0
        assert len(smsc.binds) == 300


@asynccontextmanager
async def failing(smsc: Smsc) -> AsyncIterator[Esme]:
    async with trio.open_nursery() as nursery:
        await nursery.start(smsc.serve, [])
        ours, theirs = trio.testing.memory_stream_pair()
        nursery.start_soon(smsc.serve_stream, theirs)
        esme = Esme(ours)
        await esme.bind()
        yield esme
        nursery.cancel_scope.cancel()


async def test_an_error_of_ours_ends_one_session_and_is_counted(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    smsc = Smsc(clock=VirtualClock())

    def broken(system_id: str, pdu: SubmitSm, utc_ms: int) -> SubmitSmResp:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(smsc._centre, "submit_sm", broken)
    with caplog.at_level(logging.ERROR, logger="simulator"):
        async with failing(smsc) as esme:
            await esme.send(submit_sm())
            await esme.wait_end()
            await trio.testing.wait_all_tasks_blocked()
            assert smsc.stats.session_failures == 1
            assert smsc.links == []
    assert "ended by an error of ours" in caplog.text


async def test_a_ledger_that_cannot_be_written_ends_serve(autojump_clock: MockClock) -> None:
    smsc = Smsc(SimulatorSettings(ledger=Path("/dev/full")), VirtualClock())
    with pytest.raises(ExceptionGroup) as failed:
        async with failing(smsc) as esme:
            await esme.send(submit_sm())
            await trio.sleep(1)
    assert failed.group_contains(OSError, match="space")
    assert smsc.stats.session_failures == 0
