"""docs/what-you-see.md is complete: every word for a state or a reason that the API shows, and no other."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from smppgw.binds.status import Alarm, BindState, Limit
from smppgw.config import CarrierSettings, SettingsBase
from smppgw.queue.model import ErrandKind, Reason, ReceiptFlag, SegmentState, Verdict
from smppgw.smpp.codec import Deviation

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "what-you-see.md").read_text(encoding="utf-8")


def rows(title: str) -> list[list[str]]:
    """The rows of the table of a section, without its head."""
    part = TEXT.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def words(title: str) -> list[str]:
    return [word for row in rows(title) for word in re.findall(r"`(\w+)`", row[0])]


def counted() -> set[str]:
    """Deviations that code counts under a name of its own."""
    found = set()
    for room in ("smpp", "binds"):
        for file in (ROOT / "smppgw" / room).glob("*.py"):
            found |= set(re.findall(r"(?:counters|deviations)\[\"(\w+)\"\]", file.read_text(encoding="utf-8")))
    return found


#: Those of a receipt that are known before it is matched.
_OF_RECEIPTS = {f"receipt_{flag}" for flag in (ReceiptFlag.STATES_DISAGREE, ReceiptFlag.STATE_UNKNOWN)}
_OF_ERRANDS = {f"{kind.name.lower()}_sm_{end}" for kind in ErrandKind for end in ("refused", "unanswered")}

TABLES: dict[str, Iterable[str]] = {
    "Alarms": Alarm,
    "What limits a bind": Limit,
    "States of a bind": BindState,
    "States of a message": ["open", *Verdict],
    "States of a segment": [state.label for state in SegmentState],
    "Reasons": Reason,
    "Flags of receipts": ReceiptFlag,
    "Deviations": {*Deviation, *counted(), *_OF_RECEIPTS, *_OF_ERRANDS},
}


@pytest.mark.parametrize("title", TABLES)
def test_every_word_is_explained_once(title: str) -> None:
    told = words(title)
    assert len(told) == len(set(told))
    assert set(told) == set(map(str, TABLES[title]))


@pytest.mark.parametrize("title", TABLES)
def test_every_row_is_whole(title: str) -> None:
    found = rows(title)
    assert len({len(row) for row in found}) == 1
    assert all(cell for row in found for cell in row)


def test_there_is_no_other_table() -> None:
    assert re.findall(r"^## (.+)$", TEXT, re.MULTILINE) == list(TABLES)


def _settings(model: type[SettingsBase] = CarrierSettings, above: str = "") -> set[str]:
    found = set()
    for name, field in model.model_fields.items():
        found.add(above + name)
        if isinstance(field.default, SettingsBase):
            found |= _settings(type(field.default), f"{above}{name}.")
    return found


def test_settings_that_it_names_exist() -> None:
    named = set(re.findall(r"`(\w+\.\w+|\w+_s|bind_refusals|outcomes|caps|on_doubt)`", TEXT)) - {"submits_per_s"}
    assert len(named) > 10
    assert named <= _settings()
