"""WAP push: Service Indication (WAP-167, a link with a text to it) and Service Loading (WAP-168, a page to fetch), as
octets for the ports in ports.WAP_PUSH.

Owns the two documents in WBXML (WAP-192) and the push PDU of WSP (WAP-230) around them. Refuses to know
segments and headers: what comes out is binary content for the planner.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from smppgw.errors import Refusal

_TRANSACTION_ID: Final = 0x01  # of a push, which nobody answers: any will do
_PUSH: Final = 0x06  # PDU type
_SHORT: Final = 0x80  # marks a well-known value in one octet

_WBXML_1_2: Final = 0x02
_UTF_8: Final = 0x6A  # its MIBenum
_END, _STRING = 0x01, 0x03
_WITH_CONTENT, _WITH_ATTRIBUTES = 0x40, 0x80
_DOMAINS: Final = {".com/": 0x85, ".edu/": 0x86, ".net/": 0x87, ".org/": 0x88}  # in both, as values of attributes
_DOMAIN: Final = re.compile(r"(\.(?:com|edu|net|org)/)")


class _Document(NamedTuple):
    """One of the two, by its tokens."""

    name: str
    content_type: int  # its number in WAP-230
    public_id: int
    actions: dict[str, int]
    default_action: str  # need not be told
    href: dict[str, int]  # attribute and beginning of its value, the longest first


_INDICATION: Final = _Document(
    name="Service Indication",
    content_type=0x2E,  # application/vnd.wap.sic
    public_id=0x05,
    actions={"signal-none": 0x05, "signal-low": 0x06, "signal-medium": 0x07, "signal-high": 0x08, "delete": 0x09},
    default_action="signal-medium",
    href={"https://www.": 0x0F, "http://www.": 0x0D, "https://": 0x0E, "http://": 0x0C, "": 0x0B},
)
_SI_TAG, _INDICATION_TAG = 0x05, 0x06
_ID: Final = 0x11

_LOADING: Final = _Document(
    name="Service Loading",
    content_type=0x30,  # application/vnd.wap.slc
    public_id=0x06,
    actions={"execute-low": 0x05, "execute-high": 0x06, "cache": 0x07},
    default_action="execute-low",
    href={"https://www.": 0x0C, "http://www.": 0x0A, "https://": 0x0B, "http://": 0x09, "": 0x08},
)
_SL_TAG: Final = 0x05

#: RFC 3986: a scheme, then only these characters; others come percent-encoded.
_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")
_URL_CHARACTER: Final = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]")
#: XML 1.0, 2.2: what no document may contain.
_NO_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def service_indication(
    url: str,
    text: str,
    *,
    action: str = "signal-medium",
    id: str | None = None,
) -> bytes:
    """A Service Indication: the handset shows `text`, and opens `url` when the reader says so.

    A later one with the same `id` (without one: with the same `url`) replaces it, or deletes it with the action
    `delete`, which needs an `id`.

    Raises Refusal `wap_push_invalid`.
    """
    deletes = action == "delete"
    if deletes and not id:
        raise _invalid("id", "the action delete says by its id which Service Indication goes (WAP-167)")
    if not text and not deletes:
        raise _invalid("text", "a Service Indication without a text is thrown away by handsets, unseen")
    attributes = [_href(_INDICATION, url), _action(_INDICATION, action)]
    if id is not None:
        attributes.append(bytes((_ID,)) + _string(_clean("id", id)))
    tag = _INDICATION_TAG | _WITH_ATTRIBUTES | (_WITH_CONTENT if text else 0)
    content = _string(_clean("text", text)) + bytes((_END,)) if text else b""
    indication = bytes((tag, *b"".join(attributes), _END)) + content
    return _push(_INDICATION, bytes((_SI_TAG | _WITH_CONTENT,)) + indication + bytes((_END,)))


def service_loading(url: str, *, action: str = "execute-low") -> bytes:
    """A Service Loading: the handset fetches `url` and shows it, or only stores it with the action `cache`.

    Raises Refusal `wap_push_invalid`.
    """
    attributes = _href(_LOADING, url) + _action(_LOADING, action)
    return _push(_LOADING, bytes((_SL_TAG | _WITH_ATTRIBUTES, *attributes, _END)))


def _push(document: _Document, body: bytes) -> bytes:
    """The PDU: Transaction ID, type, octets of the headers, which are the content type and no others."""
    headers = bytes((document.content_type | _SHORT,))
    prologue = bytes((_WBXML_1_2, document.public_id, _UTF_8, 0))  # 0: no string table
    return bytes((_TRANSACTION_ID, _PUSH, len(headers))) + headers + prologue + body


def _href(document: _Document, url: str) -> bytes:
    if not _URL.fullmatch(url):
        raise _invalid("url", _what_is_wrong(url))
    start = next(start for start in document.href if url.startswith(start))
    if len(start) == len(url):
        raise _invalid("url", f"the URL ends after {start}")
    return bytes((document.href[start],)) + b"".join(_pieces(url[len(start) :]))


def _pieces(value: str) -> Iterator[bytes]:
    for piece in _DOMAIN.split(value):
        if piece in _DOMAINS:
            yield bytes((_DOMAINS[piece],))
        elif piece:
            yield _string(piece)


def _what_is_wrong(url: str) -> str:
    for at, character in enumerate(url):
        if not _URL_CHARACTER.match(character):
            return f"the URL has {character!a} at position {at}, which must be percent-encoded there"
    return "the URL is not complete: it starts with its scheme, such as https://"


def _action(document: _Document, action: str) -> bytes:
    if action not in document.actions:
        allowed = ", ".join(document.actions)
        raise _invalid("action", f"a {document.name} has no action {action!r}; there are {allowed}")
    return b"" if action == document.default_action else bytes((document.actions[action],))


def _clean(field: str, text: str) -> str:
    found = _NO_XML.search(text)
    if found is not None:
        at, code_point = found.start(), ord(found[0])
        raise _invalid(field, f"the {field} has U+{code_point:04X} at position {at}, which XML cannot carry")
    return text


def _string(text: str) -> bytes:
    return bytes((_STRING,)) + text.encode("utf-8") + b"\0"


def _invalid(field: str, text: str) -> Refusal:
    return Refusal("wap_push_invalid", text, field=f"wap_push.{field}")
