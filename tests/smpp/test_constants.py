from __future__ import annotations

import pytest
from smpplib import command_codes, consts

from smppgw.smpp import CommandId, Status, Tag, command_name, status_name, status_text


def test_command_ids_are_those_of_smpplib() -> None:
    assert {command.label: int(command) for command in CommandId} == command_codes.commands


def test_statuses_are_those_of_smpplib() -> None:
    theirs = {name[5:]: value for name, value in vars(consts).items() if name.startswith("SMPP_ESME_")}
    assert {status.name: int(status) for status in Status} == theirs


def test_tags_are_those_of_smpplib() -> None:
    assert {tag.name.lower(): int(tag) for tag in Tag} == consts.OPTIONAL_PARAMS


@pytest.mark.parametrize(
    ("code", "name", "text"),
    [
        (0x00, "ESME_ROK", "No Error"),
        (0x58, "ESME_RTHROTTLED", "Throttling error (ESME has exceeded allowed message limits)"),
        (0x07, "ESME_RINVREGDLVFLG", "Invalid Registered Delivery Flag"),
        (0x411, "0x00000411", "Vendor specific error"),
        (0x4FF, "0x000004FF", "Vendor specific error"),
        (0x500, "0x00000500", "Reserved status"),
        (0xFFFFFFFF, "0xFFFFFFFF", "Reserved status"),
    ],
)
def test_names_and_texts_of_statuses(code: int, name: str, text: str) -> None:
    assert (status_name(code), status_text(code)) == (name, text)


def test_every_status_has_a_text() -> None:
    assert all(status_text(status) and "not set" not in status_text(status).lower() for status in Status)


@pytest.mark.parametrize(
    ("command_id", "name"), [(4, "submit_sm"), (0x80000103, "data_sm_resp"), (0x110, "0x00000110")]
)
def test_command_names(command_id: int, name: str) -> None:
    assert command_name(command_id) == name
