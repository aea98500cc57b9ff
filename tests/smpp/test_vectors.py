"""Vectors of other implementations, read in place beside the project; skipped where they are absent."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from smppgw.errors import RemoteProtocolError
from smppgw.smpp import (
    Closed,
    CloseReason,
    DataSm,
    DeliverSm,
    DistributionList,
    Event,
    GenericNack,
    Pdu,
    Rejected,
    Role,
    Session,
    Status,
    SubmitSm,
    Tag,
    UnsuccessSme,
    command_name,
    decode,
    encode,
    read_receipt,
)
from smppgw.smpp.constants import RESPONSE_BIT
from tests.smpp.test_session import START, bound, session

FOLDER = Path(__file__).parents[3] / "shared" / "vectors"


def cases(name: str) -> list[Any]:
    path = FOLDER / name
    if not path.exists():
        return [pytest.param({}, marks=pytest.mark.skip(reason=f"{name} is not here"))]
    return [pytest.param(case, id=case["id"]) for case in json.loads(path.read_text(encoding="utf-8"))["cases"]]


PDUS = cases("pdus.json")
RECEIPTS = cases("receipts.json")


def expecting(*reactions: str) -> pytest.MarkDecorator:
    """Parametrizes with the PDUs that are due one of `reactions`."""
    chosen = [case for case in PDUS if not case.values[0] or case.values[0]["expect"] in reactions]
    return pytest.mark.parametrize("case", chosen)


def plain(value: Any) -> Any:
    """A field in the notation of the vectors."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, tuple) and not hasattr(value, "_fields"):
        return [plain(entry) for entry in value]
    if isinstance(value, DistributionList):
        return f"dl:{value.dl_name}"
    if isinstance(value, UnsuccessSme):
        return f"{value.destination_addr}:{value.error_status_code}"
    return value.destination_addr if hasattr(value, "destination_addr") else value


RENAMED = {"dest_addresses": "dests", "unsuccess_smes": "unsuccess"}
HEADER = {"command_length", "command_id", "command", "command_status", "sequence_number"}


def described(pdu: Pdu) -> dict[str, Any]:
    fields = {RENAMED.get(name, name): plain(getattr(pdu, name)) for name in pdu.fields}
    return fields | {f"tlv_{tag:04x}": value.hex() for tag, value in pdu.tlvs.items()}


def sessions() -> list[Session]:
    return [session(Role.ESME), session(Role.SMSC), bound(Role.ESME), bound(Role.SMSC)]


def first_frame(octets: bytes) -> bytes:
    return octets[: int.from_bytes(octets[:4], "big")]


@expecting("ok")
def test_good_pdus_are_read_as_the_tables_say_and_written_again(case: dict[str, Any]) -> None:
    frame = bytes.fromhex(case["hex"])
    noted: list[str] = []
    pdu = decode(frame, noted.append)
    decoded = case["decoded"]
    assert pdu.command_id.label == decoded["command"]
    assert (pdu.command_status, pdu.sequence_number) == (decoded["command_status"], decoded["sequence_number"])
    expected = {name: value for name, value in decoded.items() if name not in HEADER}
    found = described(pdu)
    if decoded["command_length"] > 16:
        # The vectors never list unsuccess_sme; test_commands.py does.
        assert {name: value for name, value in found.items() if name != "unsuccess"} == expected
    else:  # no body: the vectors leave the fields out, we have them empty
        assert expected == {}
        assert not any(found.values())
    # The one thing tolerated in a good vector is the body that a response may leave out.
    assert noted in ([], ["body_missing"])
    again = encode(pdu)
    if pdu.is_response and (len(frame) == 16 or (pdu.command_status and len(again) == 16)):
        assert decode(again) == pdu  # with or without a body that says nothing
    else:
        assert again == frame


def react(case: dict[str, Any], subject: Session) -> list[Event]:
    return subject.receive_data(bytes.fromhex(case["hex"]), START)


@expecting("nack")
def test_unknown_requests_are_nacked_and_the_link_kept(case: dict[str, Any]) -> None:
    frame = first_frame(bytes.fromhex(case["hex"]))
    for subject in sessions():
        state = subject.state
        events = react(case, subject)
        command_id, number = case["decoded"]["command_id"], case["decoded"]["sequence_number"]
        error = f"unknown command_id {command_name(command_id)}"
        assert events[0] == Rejected(command_id, number, Status.ESME_RINVCMDID, "", frame, error)
        nack = GenericNack(sequence_number=case["decoded"]["sequence_number"], command_status=Status.ESME_RINVCMDID)
        assert subject.data_to_send().startswith(encode(nack))
        assert subject.state is state


@expecting("framing")
def test_lost_framing_closes(case: dict[str, Any]) -> None:
    for subject in sessions():
        assert react(case, subject) == [Closed(CloseReason.FRAMING_LOST, [])]
        assert subject.data_to_send() == encode(GenericNack(command_status=Status.ESME_RINVCMDLEN))


@expecting("incomplete")
def test_incomplete_pdus_are_waited_for(case: dict[str, Any]) -> None:
    for subject in sessions():
        assert react(case, subject) == []
        assert subject.data_to_send() == b""


# What we chose where the vectors leave the choice: the field and status of the refusal, or the deviation tolerated
# ('' where nothing is odd for us).
CHOICES: dict[str, str | tuple[str, Status]] = {
    "pdu-005": ("", Status.ESME_RINVCMDID),  # unknown response: dropped
    "pdu-018": "terminator_missing",
    "pdu-035": "tlv_unreadable",
    "pdu-047": ("sm_length", Status.ESME_RINVMSGLEN),
    "pdu-083": ("password", Status.ESME_RINVPASWD),
    "pdu-084": "",
    "pdu-088": "",
    "pdu-089": "",
    "pdu-138": ("", Status.ESME_RINVCMDID),  # unknown response: dropped
    "pdu-143": "terminator_missing",
    "pdu-153": ("sm_length", Status.ESME_RINVMSGLEN),
}


@expecting("either", "reject", "refuse")
def test_bad_pdus_get_the_answer_we_chose_and_harm_nothing(case: dict[str, Any]) -> None:
    frame = bytes.fromhex(case["hex"])
    choice = CHOICES[case["id"]]
    noted: list[str] = []
    if isinstance(choice, str):
        decode(frame, noted.append)
        assert noted == ([choice] if choice else [])
    else:
        with pytest.raises(RemoteProtocolError) as caught:
            decode(frame, noted.append)
        assert (caught.value.field, caught.value.command_status) == choice
    for subject in sessions():
        state = subject.state
        react(case, subject)
        answer = subject.data_to_send()
        assert subject.state is state
        if int.from_bytes(frame[4:8], "big") & RESPONSE_BIT:
            assert answer == b""


def test_every_choice_belongs_to_a_vector() -> None:
    if not (FOLDER / "pdus.json").exists():
        pytest.skip("pdus.json is not here")
    open_to_choice = {c.values[0]["id"] for c in PDUS if c.values[0]["expect"] in ("either", "reject", "refuse")}
    assert open_to_choice == set(CHOICES)


# --- receipts ------------------------------------------------------------------------------------------------------

STATES = ["SCHEDULED", "ENROUTE", "DELIVERED", "EXPIRED", "DELETED", "UNDELIVERABLE", "ACCEPTED", "UNKNOWN"]
STATES += ["REJECTED", "SKIPPED"]


def allowed(expected: Any) -> set[str]:
    """`a|b` lists acceptable values; absent and empty are one thing to us."""
    return set("" if expected is None else str(expected).split("|")) or {""}


def built(case: dict[str, Any], *, in_payload: bool) -> DeliverSm | DataSm:
    body = bytes.fromhex(case["body_hex"])
    tlvs = {int(tag, 16): bytes.fromhex(value) for tag, value in case["tlvs"].items()}
    common: dict[str, Any] = {"esm_class": case["esm_class"], "data_coding": case["data_coding"]}
    if in_payload:
        common["tlvs"] = {**tlvs, Tag.MESSAGE_PAYLOAD: body}
        return DataSm(**common) if case["command"] == "data_sm" else DeliverSm(**common)
    return DeliverSm(**common, tlvs=tlvs, short_message=body)


@pytest.mark.parametrize("in_payload", [False, True])
@pytest.mark.parametrize("case", RECEIPTS)
def test_receipts_are_read_as_a_tolerant_reader_reads_them(case: dict[str, Any], in_payload: bool) -> None:
    pdu = decode(encode(built(case, in_payload=in_payload)))
    assert isinstance(pdu, DeliverSm | DataSm)
    found = read_receipt(pdu)
    expected = case["expected"]
    assert (found is not None) == expected["receipt"] or expected["receipt"] == "either"
    if found is None:
        return
    assert found.message_id in allowed(expected["id"])
    assert found.stat in allowed(expected["stat"])
    assert found.error in allowed(expected["err"])
    assert found.text in ({expected["text"] or ""} | allowed(expected["text"]))
    # A state that nobody knows is None, and later UNKNOWN: never a failure.
    name = "UNKNOWN" if found.state is None else STATES[found.state]
    assert name in (allowed(expected["state"]) if expected["state"] else {"UNKNOWN"})
    for shown, naive in ((found.submit_date, expected["submit"]), (found.done_date, expected["done"])):
        assert bool(shown) == bool(naive)
        if naive:  # dates stay as they came; their digits must be those of the reading expected
            digits = "".join(filter(str.isdigit, str(naive).partition("|")[0]))
            assert shown in (digits[2:12], digits[2:14], digits[:14], digits[:12])
    done = expected["done"] and datetime.fromisoformat(expected["done"].partition("|")[0]).replace(tzinfo=UTC)
    assert found.done_utc_ms == (int(done.timestamp()) * 1000 if done else None)


def test_the_vectors_are_all_read() -> None:
    if not (FOLDER / "pdus.json").exists():
        pytest.skip("the vectors are not here")
    known = {"ok", "nack", "framing", "incomplete", "either", "reject", "refuse"}
    assert {case.values[0]["expect"] for case in PDUS} <= known
    assert len(PDUS) == 154
    assert len(RECEIPTS) == 47
    assert isinstance(decode(bytes.fromhex(PDUS[-3].values[0]["hex"])), SubmitSm)
