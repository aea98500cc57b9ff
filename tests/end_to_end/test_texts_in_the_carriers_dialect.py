"""Each way in which a carrier wants its texts: what its SMSC got is the text, told by the simulator's ledger."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simulator.ledger import Submit
from smppgw.smpp import Tag
from smppgw.sms.encoding import DefaultAlphabet, Encoding, LongMessages, Packing
from smppgw.sms.reassemble import join, join_parts

from .world import world

TEXTS = ["short", "Grüße [1] €", "Ваш код 1234. " * 12, "x" * 400, "ä{}" * 100, "😀" * 80]


def rejoined(submits: list[Submit], encoding: Encoding) -> str:
    """The text of one message, by whatever tells its parts apart."""
    first = submits[0].pdu
    if first.esm_class & 0x40:
        octets = [one.octets for one in submits]
        return join(octets, data_coding=first.data_coding, udhi=True, encoding=encoding)
    if Tag.SAR_MSG_REF_NUM in first.tlvs:
        assert len({one.pdu.tlvs[Tag.SAR_MSG_REF_NUM] for one in submits}) == 1
        assert {one.pdu.tlvs[Tag.SAR_TOTAL_SEGMENTS] for one in submits} == {bytes([len(submits)])}
        submits = sorted(submits, key=lambda one: one.pdu.tlvs[Tag.SAR_SEGMENT_SEQNUM])
        assert [one.pdu.tlvs[Tag.SAR_SEGMENT_SEQNUM][0] for one in submits] == list(range(1, len(submits) + 1))
    else:
        assert len(submits) == 1
    return join_parts([one.octets for one in submits], data_coding=first.data_coding, encoding=encoding)


@pytest.mark.parametrize(
    "dialect",
    [
        {},
        {"long": "udh16"},
        {"long": "sar", "max_octets": 120},
        {"long": "payload"},
        {"packing": "packed"},
        {"packing": "packed", "long": "udh16"},
        {"default_alphabet": "latin1", "gsm7_data_coding": 3, "ucs2_data_coding": 0x18},
        {"default_alphabet": "ascii", "long": "sar"},
        {"default_alphabet": "utf8"},
    ],
    ids=lambda dialect: "-".join(map(str, dialect.values())) or "default",
)
async def test_every_text_arrives_as_it_was_given(tmp_path: Path, dialect: dict[str, Any]) -> None:
    kinds: dict[str, Any] = {"default_alphabet": DefaultAlphabet, "packing": Packing, "long": LongMessages}
    encoding = Encoding(**{name: kinds.get(name, int)(value) for name, value in dialect.items()})
    async with world(tmp_path, encoding=dialect) as w:
        items = [{"to": f"+4477009000{number:02d}", "text": text} for number, text in enumerate(TEXTS)]
        results = await w.send(*items)
        messages = {message["to"]: message for message in await w.until_final(len(TEXTS))}
        for item, result in zip(items, results, strict=True):
            submits = [one for one in w.smsc.submits if f"+{one.destination}" == item["to"]]
            assert len(submits) == result["segments"]
            assert rejoined(submits, encoding) == item["text"]
            assert messages[item["to"]]["state"] == "delivered"


async def test_what_a_request_says_beside_the_text(tmp_path: Path) -> None:
    tlvs = {
        "campaign": {"tag": 0x1400, "required": True},
        "product": {"tag": 0x1401, "type": "integer", "octets": 2},
        "account_no": {"tag": 0x1402, "value": "4711", "from_request": False},
    }
    async with world(tmp_path, vendor_tlvs=tlvs) as w:
        own = {"service_type": "CMT", "protocol_id": 65, "priority": 3, "replace_if_present": True}
        results = await w.send(
            {"to": "+447700900123", "text": "x", **own, "tlvs": {"campaign": "may", "product": 258}},
            {"to": "+447700900124", "text": "x"},
            {"to": "+447700900125", "text": "x", "tlvs": {"campaign": "may", "account_no": "1"}},
        )
        codes = [result.get("error", {}).get("code") for result in results]
        assert codes == [None, "tlv_missing", "tlv_not_allowed"]
        await w.until_final(1)
        (submit,) = (one.pdu for one in w.smsc.submits)
        assert (submit.service_type, submit.protocol_id, submit.priority_flag) == ("CMT", 65, 3)
        assert submit.replace_if_present_flag == 1
        assert [submit.tlvs[tag] for tag in (0x1400, 0x1401, 0x1402)] == [b"may\0", b"\x01\x02", b"4711\0"]
        shown = (await w.message(results[0]["id"]))["extras"]
        assert (shown["service_type"], shown["priority"]) == ("CMT", 3)
        assert shown["tlvs"] == [{"tag": "0x1400", "octets": "6d617900"}, {"tag": "0x1401", "octets": "0102"}]
