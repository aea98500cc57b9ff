"""What a PDU costs: our codec against smpplib's in one run, and a session's hot paths. Prints one JSON line.

    python benchmarks/codec.py [--seconds 0.3]

Times are microseconds per PDU: the best of several rounds, so that a busy machine disturbs least. `speedup` compares
encode plus decode of the same submit_sm, `speedup_with_tlv` that of one with a user_message_reference; both sides get
the same fields and the decoded values are checked first. Of the receipts, the odd one needs the tokenizer.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

from smpplib import smpp as smpplib_smpp

sys.path.insert(0, str(Path(__file__).parents[1]))

from smppgw.smpp import (
    BindTransceiver,
    DeliverSm,
    RequestReceived,
    Role,
    Session,
    SubmitSm,
    SubmitSmResp,
    Tag,
    Timers,
    decode,
    encode,
    format_receipt,
    read_receipt,
)

FIELDS = {
    "source_addr_ton": 5,
    "source_addr": "smppgw",
    "dest_addr_ton": 1,
    "dest_addr_npi": 1,
    "destination_addr": "447700900456",
    "registered_delivery": 1,
}
TEXT = b"Your parcel will arrive today between 14:00 and 16:00. Track it at https://example.com/t/4711 and be there."
ROUNDS = 7
BATCH = 100


class Client:
    """What smpplib wants to take sequence numbers from."""

    sequence = 1

    def next_sequence(self) -> int:
        return self.sequence


def best(call: Callable[[], object], seconds: float, per_call: int = 1) -> float:
    """Microseconds per PDU of `call`, which deals with `per_call` of them."""
    began = time.perf_counter()
    call()
    once = max(time.perf_counter() - began, 1e-7)
    loops = max(1, int(seconds / ROUNDS / once))
    fastest = float("inf")
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(loops):
            call()
        fastest = min(fastest, (time.perf_counter() - began) / loops)
    return round(fastest / per_call * 1e6, 3)


def submit_figures(seconds: float, suffix: str, tlvs: dict[str, int]) -> dict[str, float]:
    """Encoding and decoding of one submit_sm, ours and smpplib's; `tlvs` are two-octet TLVs by name."""
    ours = SubmitSm(sequence_number=1, short_message=TEXT, **FIELDS)  # type: ignore[arg-type]
    ours.tlvs = {Tag[name.upper()]: value.to_bytes(2, "big") for name, value in tlvs.items()}
    client = Client()
    theirs = smpplib_smpp.make_pdu("submit_sm", client=client, short_message=TEXT, **FIELDS, **tlvs)
    frame = encode(ours)
    if frame != theirs.generate() or decode(frame) != ours:
        raise SystemExit("the two codecs disagree: nothing to compare")
    return {
        f"encode_submit_sm{suffix}": best(lambda: encode(ours), seconds),
        f"decode_submit_sm{suffix}": best(lambda: decode(frame), seconds),
        f"smpplib_encode_submit_sm{suffix}": best(lambda: theirs.generate(), seconds),
        f"smpplib_decode_submit_sm{suffix}": best(lambda: smpplib_smpp.parse_pdu(frame, client=client), seconds),
    }


def speedup(figures: dict[str, float], suffix: str) -> float:
    ours = figures[f"encode_submit_sm{suffix}"] + figures[f"decode_submit_sm{suffix}"]
    theirs = figures[f"smpplib_encode_submit_sm{suffix}"] + figures[f"smpplib_decode_submit_sm{suffix}"]
    return round(theirs / ours, 1)


def receipt_of(text: bytes) -> DeliverSm:
    return DeliverSm(
        esm_class=4,
        source_addr="447700900456",
        destination_addr="smppgw",
        short_message=text,
        tlvs={0x1E: b"a1b2c3d4e5f6\0", 0x427: b"\2"},
    )


def codec_figures(seconds: float) -> dict[str, float]:
    receipt = receipt_of(
        format_receipt(
            message_id="a1b2c3d4e5f6",
            sub=1,
            dlvrd=1,
            submit_utc_ms=1_767_225_600_000,
            done_utc_ms=1_767_225_660_000,
            stat="DELIVRD",
            err="000",
            text=TEXT.decode(),
        )
    )
    odd = receipt_of(b"ID:a1b2c3d4e5f6, Stat:DELIVRD, Err:0, done date:26-01-01 00:01:00, sub:001, dlvrd:001")
    if read_receipt(odd) is None or read_receipt(receipt) is None:
        raise SystemExit("the receipts cannot be read")
    answer = SubmitSmResp(sequence_number=1, message_id="a1b2c3d4e5f6")
    receipt_frame, answer_frame = encode(receipt), encode(answer)
    return {
        "build_submit_sm": best(lambda: SubmitSm(short_message=TEXT, **FIELDS), seconds),  # type: ignore[arg-type]
        **submit_figures(seconds, "", {}),
        **submit_figures(seconds, "_with_tlv", {"user_message_reference": 4711}),
        "encode_submit_sm_resp": best(lambda: encode(answer), seconds),
        "decode_submit_sm_resp": best(lambda: decode(answer_frame), seconds),
        "decode_deliver_sm_receipt": best(lambda: decode(receipt_frame), seconds),
        "read_receipt": best(lambda: read_receipt(receipt), seconds),
        "read_odd_receipt": best(lambda: read_receipt(odd), seconds),
    }


def bound_pair() -> tuple[Session, Session]:
    timers = Timers(enquire_link_s=0)
    esme, smsc = (Session(role, timers=timers, window=BATCH, now=0.0) for role in (Role.ESME, Role.SMSC))
    bind = BindTransceiver(system_id="bench")
    esme.bind(bind, 0.0)
    smsc.receive_data(esme.data_to_send(), 0.0)
    smsc.accept_bind(bind, "smsc")
    esme.receive_data(smsc.data_to_send(), 0.0)
    return esme, smsc


def session_figures(seconds: float) -> dict[str, float]:
    """A window of submit_sm there and back, by stage; each stage deals with 100 PDUs."""
    esme, smsc = bound_pair()
    names = ["request_many", "receive_submit_sm", "respond_many", "receive_submit_sm_resp"]
    fastest = dict.fromkeys(names, float("inf"))
    until = time.perf_counter() + seconds * 3
    while time.perf_counter() < until:
        batch = [(SubmitSm(short_message=TEXT, **FIELDS), n) for n in range(BATCH)]  # type: ignore[arg-type]
        marks = [time.perf_counter()]
        esme.request_many(batch, 0.0)
        octets = esme.data_to_send()
        marks.append(time.perf_counter())
        events = smsc.receive_data(octets, 0.0)
        marks.append(time.perf_counter())
        answers = [
            SubmitSmResp(sequence_number=event.pdu.sequence_number, message_id="a1b2c3d4e5f6")
            for event in events
            if isinstance(event, RequestReceived)
        ]
        began = time.perf_counter()
        smsc.respond_many(answers)
        octets = smsc.data_to_send()
        marks.append(marks[-1] + time.perf_counter() - began)
        began = time.perf_counter()
        answered = len(esme.receive_data(octets, 0.0))
        marks.append(marks[-1] + time.perf_counter() - began)
        if answered != BATCH:
            raise SystemExit(f"{answered} answers for {BATCH} requests")
        for name, start, stop in zip(names, marks, marks[1:], strict=False):
            fastest[name] = min(fastest[name], stop - start)
    return {name: round(value / BATCH * 1e6, 3) for name, value in fastest.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=0.3, help="time for each figure")
    seconds = parser.parse_args().seconds
    codec = codec_figures(seconds)
    result = {
        "bench": "codec",
        "python": platform.python_version(),
        "unit": "us per PDU",
        "speedup": speedup(codec, ""),
        "speedup_with_tlv": speedup(codec, "_with_tlv"),
        "codec": codec,
        "session": session_figures(seconds),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
