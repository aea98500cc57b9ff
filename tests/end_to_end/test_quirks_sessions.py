"""Sessions that are refused, cut, unbound or filled with oddities: the bind comes back, and nothing is lost."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import trio

from smppgw.binds import backoff
from smppgw.config import RefusalPolicy

from .world import World, acting, items, mixed_fates, states, until, verdicts, world

COUNT = 10


async def delivers(w: World, count: int = COUNT) -> None:
    """The path works from end to end."""
    await w.send(*items(count))
    assert {message["state"] for message in await w.until_final(count)} == {"delivered"}
    assert w.smsc.stats.duplicates == 0


async def until_submits(w: World, count: int) -> None:
    with trio.fail_after(20):
        await w.smsc.wait_until(lambda: len(w.smsc.submits) >= count)


async def test_enquire_link_that_is_never_answered(tmp_path: Path) -> None:
    """Other traffic shows that the link lives; without any the setting switches enquire_link off."""
    async with world(
        tmp_path, acting("enquire-link-unanswered"), timers={"enquire_link_s": 0.0, "response_s": 0.2}
    ) as w:
        await trio.sleep(0.6)
        await delivers(w)
        assert w.smsc.stats.connections == 1


async def test_enquire_link_before_the_bind_response(tmp_path: Path) -> None:
    async with world(tmp_path, acting("enquire-link-early")) as w:
        await delivers(w)
        assert w.smsc.stats.odd_answers == {"enquire_link: ESME_ROK": 1}
        assert w.smsc.stats.connections == 1


@pytest.mark.parametrize("enquire_link_s", [0.3, 0.0])
async def test_an_idle_connection_that_is_cut(tmp_path: Path, enquire_link_s: float) -> None:
    """enquire_link in time keeps it; without, it is bound again and nothing is lost."""
    async with world(tmp_path, acting("idle-cut"), timers={"enquire_link_s": enquire_link_s}) as w:
        await trio.sleep(1.4)
        await delivers(w)
        assert (w.smsc.stats.idle_cuts > 0) is (enquire_link_s == 0)


async def test_unbind_for_maintenance(tmp_path: Path) -> None:
    """Planned: every answer that is owed still comes, no submit is in doubt, and we are back at once."""
    fates = mixed_fates(40)
    async with world(tmp_path, acting("unbind-for-maintenance", fates=fates), window=10) as w:
        results = await w.send(*items(40))
        assert states(await w.until_final(40)) == verdicts(fates)
        assert [visit.reason for visit in w.smsc.visits] == ["unbound", "unbound"]
        assert (w.smsc.stats.submits, w.smsc.stats.duplicates) == (40, 0)
        for message in await w.details(results):
            assert not {"link_lost", "response_overdue"} & {entry["reason"] for entry in message["history"]}
        (bind,) = await w.binds()
        assert (bind["reconnects"], bind["alarm"]) == (2, None)


async def test_a_place_that_stays_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ESME_RALYBND is waited for, and is no success: some do take it for one."""
    monkeypatch.setitem(backoff.PLANS, RefusalPolicy.ALREADY_BOUND, backoff.RefusalPlan(0.5, 1.0, 0.5))
    async with world(tmp_path, acting("already-bound")) as w:
        w.smsc.cut()

        async def refused() -> bool:
            (bind,) = await w.binds()
            return w.smsc.stats.binds_refused[5] > 0 and bind["state"] == "backing_off"

        await until(refused)
        await w.until_bound()
        assert [visit.bind_status for visit in w.smsc.visits][1:] == [5] * w.smsc.stats.binds_refused[5]
        assert w.smsc.stats.binds_refused[5] <= 3, "not hammered"
        await delivers(w)


async def test_which_takes_half_a_minute(tmp_path: Path) -> None:
    async with world(tmp_path, acting("already-bound")) as w:
        w.smsc.cut()

        async def refused() -> bool:
            (bind,) = await w.binds()
            return bind["state"] == "backing_off" and w.smsc.stats.binds_refused[5] > 0

        await until(refused)
        (bind,) = await w.binds()
        wait = datetime.fromisoformat(bind["next_attempt_at"]) - datetime.now(UTC)
        assert 25 < wait.total_seconds() <= 61


@pytest.mark.parametrize("scenario", ["bind-refused-password", "bind-refused-credit"])
async def test_refused_credentials_are_tried_slowly_and_alarm(tmp_path: Path, scenario: str) -> None:
    carrier: dict[str, Any] = {"bind_refusals": {"0x401": "credentials"}} if "credit" in scenario else {}
    async with world(tmp_path, acting(scenario), wait=False, **carrier) as w:

        async def alarmed() -> bool:
            (bind,) = await w.binds()
            return bind["alarm"] == "credentials"

        await until(alarmed)
        await trio.sleep(0.7)
        (bind,) = await w.binds()
        assert bind["state"] == "backing_off"
        wait = datetime.fromisoformat(bind["next_attempt_at"]) - datetime.now(UTC)
        assert wait.total_seconds() > 30
        assert w.smsc.stats.binds_refused.total() == 1
        (carrier_state,) = (await w.get("/v1/status"))["carriers"]
        assert carrier_state["alarms"] == [{"bind": "demo/1", "alarm": "credentials"}]


async def test_another_refusal_is_tried_again_sooner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(backoff.PLANS, RefusalPolicy.OTHER, backoff.RefusalPlan(0.1, 1.0, 0.1))
    async with world(tmp_path, acting("bind-refused-credit"), wait=False) as w:
        await w.until_bound()
        assert w.smsc.stats.binds_refused == {0x401: 3}
        await delivers(w)


async def test_smpp_33(tmp_path: Path) -> None:
    fates = mixed_fates(COUNT)
    async with world(tmp_path, acting("version-33", fates=fates), profile="smpp-33") as w:
        await w.send(*items(COUNT))
        assert states(await w.until_final(COUNT)) == verdicts(fates)
        assert {visit.bind_status for visit in w.smsc.visits} == set(), "nothing was refused"
        assert {bind["kind"] for bind in await w.binds()} == {"transmitter", "receiver"}
        assert {link.session.peer_interface_version for link in w.smsc.binds} == {0x33}
        assert all(not submit.pdu.tlvs for submit in w.smsc.submits)


async def test_smpp_50(tmp_path: Path) -> None:
    async with world(tmp_path, acting("version-50"), interface_version="5.0") as w:
        await delivers(w)
        (bind,) = await w.binds()
        assert bind["interface_version"] == "5.0"
        assert {link.session.peer_interface_version for link in w.smsc.binds} == {0x50}


async def test_no_sc_interface_version_is_no_reason_to_drop_tlvs(tmp_path: Path) -> None:
    async with world(tmp_path, acting("no-sc-interface-version")) as w:
        await delivers(w)
        (bind,) = await w.binds()
        assert bind["interface_version"] is None
        assert all(submit.pdu.tlvs for submit in w.smsc.submits), "user_message_reference"


async def test_a_pair_only(tmp_path: Path) -> None:
    async with world(tmp_path, acting("pair-only"), mode="pair") as w:
        await delivers(w)
        binds = await w.binds()
        assert {(bind["name"], bind["link"]) for bind in binds} == {("demo/1-tx", "demo/1"), ("demo/1-rx", "demo/1")}
        assert w.smsc.stats.binds_refused == {}


async def test_unknown_commands_are_refused_and_the_session_goes_on(tmp_path: Path) -> None:
    async with world(tmp_path, acting("unknown-command")) as w:
        await w.smsc.wait_until(lambda: w.smsc.stats.odd_answers.total() == 3)
        assert w.smsc.stats.odd_answers == {
            "vendor_command: ESME_RINVCMDID": 1,
            "broadcast_sm: ESME_RINVCMDID": 1,
            "submit_sm: ESME_RINVBNDSTS": 1,
        }
        await delivers(w)
        assert w.smsc.stats.connections == 1


async def test_malformed_pdus_are_answered_and_kept(tmp_path: Path) -> None:
    async with world(tmp_path, acting("malformed-pdu")) as w:
        await w.smsc.wait_until(lambda: w.smsc.stats.odd_answers.total() == 4)
        assert not any(answer.endswith("ESME_ROK") for answer in w.smsc.stats.odd_answers)
        await delivers(w)
        assert w.smsc.stats.connections == 1, "the session lived on"

        async def kept() -> bool:
            return len(await w.quarantine()) == 4

        await until(kept)
        for one in await w.quarantine():
            assert (one["command"], one["carrier"], one["bind"]) == ("deliver_sm", "demo", "demo/1")
            assert bytes.fromhex(one["octets"])[4:8] == b"\0\0\0\x05"
            assert one["error"]
            assert one["command_status"] != 0
        assert await w.inbound() == []


async def test_alert_notification_has_no_answer(tmp_path: Path) -> None:
    async with world(tmp_path, acting("alert-notification")) as w:
        await delivers(w)
        assert w.smsc.stats.odd_answers == {}
        assert w.smsc.stats.connections == 1
        assert await w.quarantine() == []
