from __future__ import annotations

import pytest
from smpplib import command_codes, consts

from smppgw.smpp import CommandId, MessageState, Status, Tag, command_name, parse_status, status_name, status_text
from smppgw.smpp.constants import RESPONSE_BIT

# smpplib has SMPP 3.4 only. What 5.0 adds is written out here once more, as its tables have it.
COMMANDS_5_0 = {"broadcast_sm": 0x111, "query_broadcast_sm": 0x112, "cancel_broadcast_sm": 0x113}
STATUSES_5_0 = [
    "RSERTYPUNAUTH", "RPROHIBITED", "RSERTYPUNAVAIL", "RSERTYPDENIED", "RINVDCS", "RINVSRCADDRSUBUNIT",
    "RINVDSTADDRSUBUNIT", "RINVBCASTFREQINT", "RINVBCASTALIAS_NAME", "RINVBCASTAREAFMT", "RINVNUMBCAST_AREAS",
    "RINVBCASTCNTTYPE", "RINVBCASTMSGCLASS", "RBCASTFAIL", "RBCASTQUERYFAIL", "RBCASTCANCELFAIL", "RINVBCAST_REP",
    "RINVBCASTSRVGRP", "RINVBCASTCHANIND",
]  # fmt: skip
TAGS_5_0 = {
    "congestion_state": 0x428, "broadcast_channel_indicator": 0x600, "broadcast_content_type": 0x601,
    "broadcast_content_type_info": 0x602, "broadcast_message_class": 0x603, "broadcast_rep_num": 0x604,
    "broadcast_frequency_interval": 0x605, "broadcast_area_identifier": 0x606, "broadcast_error_status": 0x607,
    "broadcast_area_success": 0x608, "broadcast_end_time": 0x609, "broadcast_service_group": 0x60A,
    "billing_identification": 0x60B, "source_network_id": 0x60D, "dest_network_id": 0x60E, "source_node_id": 0x60F,
    "dest_node_id": 0x610, "dest_addr_np_resolution": 0x611, "dest_addr_np_information": 0x612,
    "dest_addr_np_country": 0x613,
}  # fmt: skip


def test_command_ids_are_those_of_smpplib_and_of_5_0() -> None:
    theirs = dict(command_codes.commands)
    for name, number in COMMANDS_5_0.items():
        theirs |= {name: number, f"{name}_resp": number | RESPONSE_BIT}
    assert {command.label: int(command) for command in CommandId} == theirs


def test_statuses_are_those_of_smpplib_and_of_5_0() -> None:
    theirs = {name[5:]: value for name, value in vars(consts).items() if name.startswith("SMPP_ESME_")}
    theirs |= {f"ESME_{name}": 0x100 + index for index, name in enumerate(STATUSES_5_0)}
    assert {status.name: int(status) for status in Status} == theirs


def test_tags_are_those_of_smpplib_and_of_5_0() -> None:
    assert {tag.name.lower(): int(tag) for tag in Tag} == consts.OPTIONAL_PARAMS | TAGS_5_0


def test_names_of_5_0_for_statuses_of_3_4() -> None:
    assert Status["ESME_RINVTLVSTREAM"] is Status.ESME_RINVOPTPARSTREAM
    assert Status["ESME_RINVTLVVAL"] is Status.ESME_RINVOPTPARAMVAL
    assert parse_status("ESME_RMISSINGTLV") == 0xC3
    assert status_name(0xC3) == "ESME_RMISSINGOPTPARAM"


def test_message_states() -> None:
    assert [state.name for state in sorted(MessageState)] == [
        "SCHEDULED", "ENROUTE", "DELIVERED", "EXPIRED", "DELETED", "UNDELIVERABLE", "ACCEPTED", "UNKNOWN", "REJECTED",
        "SKIPPED",
    ]  # fmt: skip
    assert (min(MessageState), max(MessageState)) == (0, 9)


@pytest.mark.parametrize(
    ("code", "name", "text"),
    [
        (0x00, "ESME_ROK", "No Error"),
        (0x58, "ESME_RTHROTTLED", "Throttling error (ESME has exceeded allowed message limits)"),
        (0x07, "ESME_RINVREGDLVFLG", "Invalid Registered Delivery Flag"),
        (0x101, "ESME_RPROHIBITED", "Not allowed to use this operation"),
        (0x112, "ESME_RINVBCASTCHANIND", "Invalid Broadcast Channel Indicator"),
        (0x113, "0x00000113", "Reserved status"),
        (0x411, "0x00000411", "Vendor specific error"),
        (0x4FF, "0x000004FF", "Vendor specific error"),
        (0x500, "0x00000500", "Reserved status"),
        (0xFFFFFFFF, "0xFFFFFFFF", "Reserved status"),
    ],
)
def test_names_and_texts_of_statuses(code: int, name: str, text: str) -> None:
    assert (status_name(code), status_text(code)) == (name, text)


def test_every_status_has_a_text() -> None:
    assert all(status_text(status) != "Reserved status" for status in Status)
    assert not any("not set" in status_text(status).lower() for status in Status)


@pytest.mark.parametrize(
    ("command_id", "name"),
    [(4, "submit_sm"), (0x80000103, "data_sm_resp"), (0x111, "broadcast_sm"), (0x110, "0x00000110")],
)
def test_command_names(command_id: int, name: str) -> None:
    assert command_name(command_id) == name
