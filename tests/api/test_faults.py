"""Every code that the API can answer stands in a table, and every code of the tables can be answered."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from smppgw.api.faults import CONTENT_CODES, ITEM_CODES, REQUEST_CODES, ApiError, error_object, nearest, to_json

SOURCES = Path(__file__).parent.parent.parent / "smppgw"


def raised(pattern: str, room: str = "api") -> set[str]:
    texts = [path.read_text(encoding="utf-8") for path in (SOURCES / room).glob("*.py")]
    return {code for text in texts for code in re.findall(pattern, text)}


def test_codes_of_requests() -> None:
    assert raised(r'(?:ApiError|Unavailable)\(\s*"(\w+)"') == REQUEST_CODES.keys()
    assert {status for status, _ in REQUEST_CODES.values()} <= {400, 401, 404, 405, 409, 413, 415, 422, 500, 503}


def test_codes_of_items() -> None:
    found = raised(r'Refusal\(\s*"(\w+)"') | raised(r'ItemError\(index, "(\w+)"')
    found |= raised(r'Refusal\("wrong_type" if [^,]+ else "(\w+)"') | {"wrong_type"}
    found |= raised(r'refuse_unstorable\(value, code="(\w+)"')
    assert found - CONTENT_CODES.keys() == ITEM_CODES.keys()


def test_codes_of_the_planner() -> None:
    found = raised(r'Refusal\(\s*"(\w+)"', "sms")
    assert found - ITEM_CODES.keys() - {"ports_invalid"} == CONTENT_CODES.keys()  # no item has such a port


def test_a_code_decides_the_status() -> None:
    assert ApiError("batch_too_large", "x").status == 413
    with pytest.raises(KeyError):
        ApiError("no_such_code", "x")


def test_error_objects() -> None:
    assert error_object("c", "m") == {"code": "c", "message": "m"}
    assert error_object("c", "m", "f") == {"code": "c", "message": "m", "field": "f"}
    assert len(error_object("c", "m" * 5000)["message"]) == 500


def test_json_is_ascii_whatever_is_in_it() -> None:
    value = {"text": "é\ud800\0😀"}
    assert to_json(value).isascii()
    assert json.loads(to_json(value)) == value


def test_the_nearest_name() -> None:
    assert nearest("txt", ["to", "text"]) == "; did you mean text?"
    assert nearest("zzz", ["to", "text"]) == ""
    assert nearest("x" * 100_000, ["to", "text"]) == ""
