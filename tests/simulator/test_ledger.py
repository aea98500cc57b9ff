from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from simulator.ledger import Ledger, Seen, Submit
from smppgw.smpp import SubmitSm


def entry(text: bytes = b"hello", message_id: str = "7", **fields: Any) -> Submit:
    pdu = SubmitSm(source_addr="SHOP", destination_addr="4477\xe9", short_message=text, **fields)
    return Submit(1_767_225_600_123, "alice", message_id, 0, pdu.destination_addr, pdu)


def test_lines_are_written_in_batches(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    ledger = Ledger(path, remembered=10)
    ledger.submit(entry(b"\x00\xff", data_coding=4, esm_class=3, registered_delivery=1))
    ledger.acked("receipt_acked", 1_767_225_600_456, "alice", "7", "DELIVRD")
    assert path.read_bytes() == b""
    ledger.flush()
    assert [json.loads(line) for line in path.read_text().splitlines()] == [
        {
            "kind": "submit",
            "utc_ms": 1_767_225_600_123,
            "system_id": "alice",
            "message_id": "7",
            "status": 0,
            "source": "SHOP",
            "destination": "4477\xe9",
            "data_coding": 4,
            "esm_class": 3,
            "registered_delivery": 1,
            "octets": "00ff",
            "text": "\\x00\\xff",
            "alphabet": "binary",
        },
        {
            "kind": "receipt_acked",
            "utc_ms": 1_767_225_600_456,
            "system_id": "alice",
            "message_id": "7",
            "state": "DELIVRD",
        },
    ]
    ledger.submit(entry())
    ledger.close()
    ledger.close()
    assert len(path.read_text().splitlines()) == 3


def test_a_second_run_adds_to_the_file(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    for _ in range(2):
        ledger = Ledger(path, remembered=10)
        ledger.submit(entry())
        ledger.close()
    assert len(path.read_text().splitlines()) == 2


def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        Ledger(tmp_path / "nowhere" / "ledger.jsonl", remembered=10)


def test_a_full_disk_is_not_silent() -> None:
    ledger = Ledger(Path("/dev/full"), remembered=10)
    ledger.submit(entry())
    with pytest.raises(OSError, match="space"):
        ledger.flush()
    with pytest.raises(OSError, match="space"):
        ledger.close()


def test_memory_is_bounded() -> None:
    ledger = Ledger(None, remembered=3)
    for number in range(10):
        ledger.submit(entry(message_id=str(number)))
    ledger.flush()
    assert [submit.message_id for submit in ledger.submits] == ["7", "8", "9"]


def test_a_line_shows_what_a_phone_would(tmp_path: Path) -> None:
    flash = entry(b"\x05\x00\x03\x07\x02\x01part", esm_class=0x40, data_coding=0x10)
    line = flash.line()
    shown = {key: line[key] for key in list(line)[list(line).index("octets") + 1 :]}
    assert shown == {
        "text": "part",
        "alphabet": "gsm7",
        "message_class": 0,
        "long": "udh8",
        "reference": 7,
        "part": 1,
        "parts": 2,
    }
    assert (flash.text, flash.schedule) == ("part", "")
    later = entry(schedule_delivery_time="260101120000000+")
    assert later.line()["schedule_delivery_time"] == later.schedule == "260101120000000+"


def test_seen_remembers_at_least_half_its_limit_and_never_more_than_its_limit() -> None:
    seen = Seen(100)
    assert all(seen.add((str(number), b"x")) for number in range(1000))
    assert not any(seen.add((str(number), b"x")) for number in range(950, 1000))
    assert seen.add(("0", b"x"))
    assert len(seen) <= 100


def test_entries_have_numbers_that_outlive_them() -> None:
    ledger = Ledger(None, remembered=3)
    assert ledger.submits_after(0) == []
    for at in range(5):
        ledger.submit(entry(message_id=str(at)))
        ledger.acked("receipt_acked", at, "alice", str(at), "DELIVRD", "SHOP", "4477")
    assert (ledger.entered, ledger.acknowledged, ledger.remembered_acks) == (5, 5, 3)
    assert [(number, submit.message_id) for number, submit in ledger.submits_after(0)] == [
        (3, "2"),
        (4, "3"),
        (5, "4"),
    ]
    assert [number for number, _ in ledger.submits_after(4)] == [5]
    assert ledger.submits_after(5) == ledger.submits_after(99) == []
    (number, ack), *_ = ledger.acks_after(3)
    assert (number, ack.utc_ms, ack.message_id, ack.destination) == (4, 3, "3", "4477")
