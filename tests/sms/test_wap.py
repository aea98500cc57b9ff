"""WAP push against what others make of the same documents, and read back by a WBXML reader that shares no code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smppgw.errors import Refusal
from smppgw.sms.wap import service_indication, service_loading

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[1] / "vectors" / "wap.json").read_text(encoding="utf-8"))
CASES = [
    pytest.param(make, case, id=case["name"])
    for kind, make in (("service_indication", service_indication), ("service_loading", service_loading))
    for case in VECTORS[kind]
]

# A reader of WBXML, by the token tables of Wireshark's dissector and of gnokii's wappush.h --------------------------

VALUES = {0x85: ".com/", 0x86: ".edu/", 0x87: ".net/", 0x88: ".org/"}
SI = {
    0x05: "action=signal-none",
    0x06: "action=signal-low",
    0x07: "action=signal-medium",
    0x08: "action=signal-high",
    0x09: "action=delete",
    0x0A: "created=",
    0x0B: "href=",
    0x0C: "href=http://",
    0x0D: "href=http://www.",
    0x0E: "href=https://",
    0x0F: "href=https://www.",
    0x10: "si-expires=",
    0x11: "si-id=",
}
SL = {
    0x05: "action=execute-low",
    0x06: "action=execute-high",
    0x07: "action=cache",
    0x08: "href=",
    0x09: "href=http://",
    0x0A: "href=http://www.",
    0x0B: "href=https://",
    0x0C: "href=https://www.",
}


class Reader:
    def __init__(self, octets: bytes) -> None:
        self.octets = octets
        self.at = 0

    def take(self, count: int = 1) -> bytes:
        taken = self.octets[self.at : self.at + count]
        assert len(taken) == count, "the document ends too early"
        self.at += count
        return taken

    def string(self) -> str:
        end = self.octets.index(0, self.at)
        text = self.take(end - self.at).decode("utf-8")
        self.take()
        return text

    def attributes(self, tokens: dict[int, str]) -> dict[str, str]:
        found: dict[str, str] = {}
        name = ""
        while (token := self.take()[0]) != 0x01:
            if token == 0x03:
                found[name] += self.string()
            elif token == 0xC3:
                found[name] += self.take(self.take()[0]).hex()
            elif token >= 0x80:
                found[name] += VALUES[token]
            else:
                name, value = tokens[token].split("=", 1)
                assert name not in found, "an attribute twice"
                found[name] = value
        return found


def read_si(pdu: bytes) -> tuple[dict[str, str], str]:
    """(attributes, text)"""
    reader = Reader(pdu)
    assert reader.take(4)[1:] == bytes.fromhex("0601AE")
    assert reader.take(4) == bytes.fromhex("02056A00")
    assert reader.take() == b"\x45"
    tag = reader.take()[0]
    attributes = reader.attributes(SI)
    text = ""
    if tag & 0x40:
        assert reader.take() == b"\x03"
        text = reader.string()
        assert reader.take() == b"\x01"
    assert reader.take() == b"\x01"
    assert reader.at == len(pdu)
    assert tag & ~0x40 == 0x86
    return attributes, text


def read_sl(pdu: bytes) -> dict[str, str]:
    reader = Reader(pdu)
    assert reader.take(4)[1:] == bytes.fromhex("0601B0")
    assert reader.take(5) == bytes.fromhex("02066A0085")
    attributes = reader.attributes(SL)
    assert reader.at == len(pdu)
    return attributes


# What others make ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("make", "case"), CASES)
def test_as_others_make_it(make: Any, case: dict[str, Any]) -> None:
    pdu = make(**{name: case[name] for name in ("url", "text", "action", "id") if name in case})
    assert pdu[0] == 1  # the Transaction ID, which is the sender's
    whole = "pdu" in case
    expected = case["pdu"][2:] if whole else case["body"]
    assert pdu[1 if whole else 4 :].hex().upper() == expected


# What is in it comes out again -------------------------------------------------------------------------------------

BARE = ("http://www.", "https://www.")  # "http://" and "www."
URLS = st.builds(
    str.__add__,
    st.sampled_from(["http://", "http://www.", "https://", "https://www.", "HTTP://", "ftp://", "tel:+", "x-y:"]),
    st.lists(
        st.one_of(
            st.sampled_from([".com/", ".edu/", ".net/", ".org/", ".com", "www.", "http://", "%20", "?a=1&b=[2]"]),
            st.text("abzAZ09-._~:/?#@!$&'()*+,;=", min_size=1),
        ),
        min_size=1,
    ).map("".join),
).filter(lambda url: url not in BARE)
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), min_size=1)
INDICATION_ACTIONS = [SI[token].removeprefix("action=") for token in range(0x05, 0x0A)]
LOADING_ACTIONS = [SL[token].removeprefix("action=") for token in range(0x05, 0x08)]


@given(URLS, TEXTS, st.sampled_from(INDICATION_ACTIONS), TEXTS)
def test_a_service_indication_says_what_was_given(url: str, text: str, action: str, its_id: str) -> None:
    attributes, shown = read_si(service_indication(url, text, action=action, id=its_id))
    assert shown == text
    assert attributes.pop("href") == url
    assert attributes.pop("si-id") == its_id
    assert attributes.pop("action", "signal-medium") == action
    assert not attributes


@given(URLS, st.sampled_from(LOADING_ACTIONS))
def test_a_service_loading_says_what_was_given(url: str, action: str) -> None:
    attributes = read_sl(service_loading(url, action=action))
    assert attributes.pop("href") == url
    assert attributes.pop("action", "execute-low") == action
    assert not attributes


def test_the_default_action_costs_nothing() -> None:
    plain = service_indication("http://a.de/", "b")
    assert service_indication("http://a.de/", "b", action="signal-medium") == plain
    assert len(service_indication("http://a.de/", "b", action="signal-high")) == len(plain) + 1


def test_a_deletion_needs_no_text() -> None:
    assert read_si(service_indication("http://a.de/", "", action="delete", id="7")) == (
        {"href": "http://a.de/", "action": "delete", "si-id": "7"},
        "",
    )


# Refusals -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "field", "says"),
    [
        ({"url": ""}, "url", "scheme"),
        ({"url": "www.example.com"}, "url", "scheme"),
        ({"url": "//example.com"}, "url", "scheme"),
        ({"url": "http://"}, "url", "ends after http://"),
        ({"url": "https://www."}, "url", "ends after https://www."),
        ({"url": "http://a b"}, "url", "' ' at position 8"),
        ({"url": "http://ü.de"}, "url", "'\\xfc' at position 7"),
        ({"url": "http://a\0"}, "url", "'\\x00' at position 8"),
        ({"url": "http://a\ud800"}, "url", "'\\ud800' at position 8"),
        ({"text": ""}, "text", "without a text"),
        ({"text": "a\0b"}, "text", "U+0000 at position 1"),
        ({"text": "a\x1bb"}, "text", "U+001B at position 1"),
        ({"text": "\udc00"}, "text", "U+DC00 at position 0"),
        ({"text": "\uffff"}, "text", "U+FFFF at position 0"),
        ({"id": "\0"}, "id", "U+0000 at position 0"),
        ({"action": "delete"}, "id", "delete"),
        ({"action": "delete", "id": ""}, "id", "delete"),
        ({"action": "execute-low"}, "action", "signal-none, signal-low, signal-medium, signal-high, delete"),
    ],
)
def test_what_cannot_be_encoded_is_refused_by_name(arguments: dict[str, str], field: str, says: str) -> None:
    with pytest.raises(Refusal) as caught:
        service_indication(**({"url": "http://a.de/", "text": "b"} | arguments))  # type: ignore[arg-type]
    assert (caught.value.code, caught.value.field) == ("wap_push_invalid", f"wap_push.{field}")
    assert says in caught.value.text


@pytest.mark.parametrize(("arguments", "field"), [({"url": "x"}, "url"), ({"action": "signal-low"}, "action")])
def test_service_loading_is_refused_alike(arguments: dict[str, str], field: str) -> None:
    with pytest.raises(Refusal) as caught:
        service_loading(**({"url": "http://a.de/"} | arguments))
    assert (caught.value.code, caught.value.field) == ("wap_push_invalid", f"wap_push.{field}")


@given(st.text(), st.text())
def test_any_text_gives_a_document_or_a_refusal(url: str, text: str) -> None:
    for make in (lambda: service_indication(url, text), lambda: service_loading(url)):
        try:
            make()
        except Refusal as refusal:
            assert refusal.code == "wap_push_invalid"
            assert refusal.text.isprintable()
