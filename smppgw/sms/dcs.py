"""What comes from an SMSC to text: octets and their data_coding.

Owns the table of data_coding values: SMPP 3.4, 5.2.19 for 0 to 14, 3GPP TS 23.038, section 4 for the groups above.
Refuses to fail: what cannot be decoded is made visible, and the octets are kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from smppgw.sms import gsm7, national, udh
from smppgw.sms.encoding import (
    DEFAULT_ENCODING,
    Alphabet,
    DefaultAlphabet,
    Encoding,
    Language,
    Packing,
    Waiting,
    WaitingKind,
)


class DataCoding(NamedTuple):
    """What a data_coding says. `alphabet`: None for character sets that phones know nothing of (JIS, ISO 8859-5 and
    so on). `compressed`: by 23.042, which no one sends; then the octets are no text, and the alphabet is BINARY."""

    alphabet: Alphabet | None
    message_class: int | None = None
    waiting: Waiting | None = None
    compressed: bool = False


class Decoded(NamedTuple):
    """One short_message or message_payload, read. `text`: as `decode_text` gives it.

    `waiting`: by the data_coding, the UDH or both. `locking`, `single`: the shift tables by which it was read, None
    for the default one. `elements`: the UDH's information elements (identifier, data), in order. `octets`: as they
    came, UDH included.
    """

    text: str
    alphabet: Alphabet | None
    message_class: int | None
    waiting: Waiting | None
    locking: Language | None
    single: Language | None
    elements: tuple[tuple[int, bytes], ...]
    octets: bytes


# ---------------------------------------------------------------------------------------------------------------- #
# Alphabets
# ---------------------------------------------------------------------------------------------------------------- #

_NUL_PICTURE = "\u2400"

_UNPRINTABLE = re.compile(rb"[^\x20-\x7e\n\r\t]")
_C1 = re.compile("[\x80-\x9f]")


def _binary(octets: bytes) -> str:
    r"""8-bit data is no text: printable ASCII as it is, the rest as \xNN."""
    return _UNPRINTABLE.sub(lambda found: b"\\x%02x" % found[0][0], octets).decode("ascii")


def _latin1(octets: bytes) -> str:
    """Latin-1. Its C1 controls are read as Windows-1252, which is what their senders mean."""
    text = octets.decode("latin-1")
    return _C1.sub(lambda found: found[0].encode("latin-1").decode("cp1252", "replace"), text)


def _utf16(octets: bytes) -> str:
    """UTF-16BE as the standard has it; a byte order mark, which it does not have, is obeyed."""
    if octets[:2] == b"\xff\xfe":
        return octets[2:].decode("utf-16-le", "replace")
    if octets[:2] == b"\xfe\xff":
        octets = octets[2:]
    return octets.decode("utf-16-be", "replace")


def _charset(name: str) -> Callable[[bytes], str]:
    return lambda octets: octets.decode(name, "replace")


def _jis(designation: bytes, codec: str, otherwise: str) -> Callable[[bytes], str]:
    """Bare two-octet JIS codes (all in 0x21 to 0x7E), as the standard's name says; else the usual encoding."""

    def decode(octets: bytes) -> str:
        if len(octets) % 2 == 0 and all(0x21 <= octet <= 0x7E for octet in octets):
            return (designation + octets).decode(codec, "replace")
        return octets.decode(otherwise, "replace")

    return decode


# ---------------------------------------------------------------------------------------------------------------- #
# What a data_coding says
# ---------------------------------------------------------------------------------------------------------------- #

#: SMPP 3.4, 5.2.19, where its values are not those of 23.038; with the way to text, where the alphabet has none.
_BY_VALUE: dict[int, tuple[Alphabet | None, Callable[[bytes], str] | None]] = {
    0x01: (Alphabet.ASCII, None),  # IA5 (CCITT T.50)
    0x02: (Alphabet.BINARY, None),  # octet unspecified
    0x03: (Alphabet.LATIN1, None),
    0x05: (None, _jis(b"\x1b$B", "iso2022_jp", "cp932")),  # JIS X 0208-1990
    0x06: (None, _charset("iso8859-5")),  # Cyrillic
    0x07: (None, _charset("iso8859-8")),  # Latin/Hebrew
    0x09: (None, _charset("cp932")),  # pictogram encoding
    0x0A: (None, _charset("iso2022_jp")),  # music codes
    0x0D: (None, _jis(b"\x1b$(D", "iso2022_jp_1", "euc_jp")),  # extended Kanji JIS (X 0212-1990)
    0x0E: (None, _charset("cp949")),  # KS C 5601
}

#: 23.038, section 4, bits 3 and 2; 11 is reserved.
_BY_CHARACTER_SET = (Alphabet.GSM7, Alphabet.BINARY, Alphabet.UCS2, Alphabet.GSM7)


def _described(data_coding: int) -> DataCoding:
    """23.038, section 4, for what SMPP leaves to it. Reserved groups are to be read as the default alphabet."""
    if data_coding in _BY_VALUE:
        return DataCoding(_BY_VALUE[data_coding][0])
    group, low = data_coding >> 4, data_coding & 0x0F
    if group < 0x8:  # 00xx and 01xx, the latter to be deleted once read; bit 4: the lowest two bits are a class
        message_class = low & 0x03 if group & 0x1 else None
        if group & 0x2:
            return DataCoding(Alphabet.BINARY, message_class, compressed=True)
        return DataCoding(_BY_CHARACTER_SET[low >> 2], message_class)
    if 0xC <= group <= 0xE:  # message waiting: discard, store, store as UCS2
        waiting = Waiting(WaitingKind(low & 0x03), active=bool(low & 0x08), store=group != 0xC)
        return DataCoding(Alphabet.UCS2 if group == 0xE else Alphabet.GSM7, waiting=waiting)
    if group == 0xF:  # message class: bit 2 says 8-bit data
        return DataCoding(Alphabet.BINARY if low & 0x04 else Alphabet.GSM7, low & 0x03)
    return DataCoding(Alphabet.GSM7)


_DATA_CODINGS = tuple(map(_described, range(256)))


def describe(data_coding: int, encoding: Encoding = DEFAULT_ENCODING) -> DataCoding:
    """What a data_coding says at this SMSC: what its settings give a meaning of its own means that, all others what
    the standards say. A number that is no octet is taken modulo 256."""
    if encoding is not DEFAULT_ENCODING:
        own = _own_alphabet(data_coding, encoding)
        if own is not None and own is not _DATA_CODINGS[data_coding & 0xFF].alphabet:
            return DataCoding(own)
    return _DATA_CODINGS[data_coding & 0xFF]


def _own_alphabet(data_coding: int, encoding: Encoding) -> Alphabet | None:
    if data_coding == encoding.gsm7_data_coding:
        return Alphabet.GSM7
    if data_coding == encoding.ucs2_data_coding:
        return Alphabet.UCS2
    if data_coding == encoding.latin1_data_coding:
        return Alphabet.LATIN1
    if data_coding == encoding.ascii_data_coding:
        return Alphabet.ASCII
    return Alphabet.BINARY if data_coding == encoding.binary_data_coding else None


# ---------------------------------------------------------------------------------------------------------------- #
# Octets to text
# ---------------------------------------------------------------------------------------------------------------- #

_BY_ALPHABET: dict[Alphabet, Callable[[bytes], str]] = {
    Alphabet.GSM7: gsm7.decode,
    Alphabet.LATIN1: _latin1,
    Alphabet.ASCII: _charset("ascii"),
    Alphabet.UCS2: _utf16,
    Alphabet.BINARY: _binary,
}


def _decoder(data_coding: int) -> Callable[[bytes], str]:
    alphabet, otherwise = _DATA_CODINGS[data_coding].alphabet, _BY_VALUE.get(data_coding, (None, None))[1]
    return _BY_ALPHABET[alphabet] if alphabet is not None else otherwise or _binary


_DECODERS = tuple(map(_decoder, range(256)))

#: Default alphabets that have no septets.
_WITHOUT_SEPTETS: dict[DefaultAlphabet, Callable[[bytes], str]] = {
    DefaultAlphabet.LATIN1: _latin1,
    DefaultAlphabet.ASCII: _latin1,  # what is above 0x7F was meant to be something
    DefaultAlphabet.UTF8: _charset("utf-8"),
}

_unpacked = gsm7.decode

_SINGLE_SHIFT, _LOCKING_SHIFT = national.SINGLE_SHIFT, national.LOCKING_SHIFT
_SEPTETS, _PACKED = DefaultAlphabet.GSM7, Packing.PACKED  # a name of an enumeration takes as long as the rest


def decode_text(octets: bytes, data_coding: int, udhi: bool, encoding: Encoding = DEFAULT_ENCODING) -> str:
    r"""Text of a short_message or message_payload; never raises.

    `udhi`: the octets start with a UDH, which is left out; the shift tables that it names are obeyed. `encoding`:
    what this SMSC means by which data_coding, and by its default alphabet, in which it also writes what comes with a
    class or an indication. What cannot be decoded becomes U+FFFD (\xNN in 8-bit data), U+0000 becomes U+2400, a lone
    surrogate U+FFFD: the text can be stored and shown anywhere.
    """
    header, content = udh.split(octets) if udhi else (b"", octets)
    decoder = _DECODERS[data_coding & 0xFF]
    if encoding is DEFAULT_ENCODING:
        if not header:
            return decoder(content).replace("\0", _NUL_PICTURE)
    else:
        own = _own_alphabet(data_coding, encoding)
        if own is not None:
            decoder = _BY_ALPHABET[own]
    text = _septets_text(content, header, encoding) if decoder is _unpacked else decoder(content)
    return text.replace("\0", _NUL_PICTURE)


def _septets_text(content: bytes, header: bytes, encoding: Encoding) -> str:
    """What is told to be in the default alphabet, as this SMSC writes it."""
    if encoding.default_alphabet is not _SEPTETS:
        return _WITHOUT_SEPTETS[encoding.default_alphabet](content)
    if encoding.packing is _PACKED:
        content = gsm7.unpack(content, udh.fill_bits(len(header)))
    if _SINGLE_SHIFT in header or _LOCKING_SHIFT in header:  # as some octet of it, at least
        return national.decode(content, *national.named(udh.parse(header)))
    return gsm7.decode(content)


def decode(octets: bytes, data_coding: int, udhi: bool, encoding: Encoding = DEFAULT_ENCODING) -> Decoded:
    """All that a short_message or message_payload tells, as `decode_text` reads it; never raises."""
    told = describe(data_coding, encoding)
    elements = tuple(udh.parse(octets)) if udhi else ()
    in_septets = told.alphabet is Alphabet.GSM7 and encoding.default_alphabet is DefaultAlphabet.GSM7
    locking, single = national.named(elements) if in_septets else (None, None)
    text = decode_text(octets, data_coding, udhi, encoding)
    waiting = _waiting(told.waiting, elements)
    return Decoded(text, told.alphabet, told.message_class, waiting, locking, single, elements, octets)


def _waiting(told: Waiting | None, elements: tuple[tuple[int, bytes], ...]) -> Waiting | None:
    """Message waiting by data_coding and by Special SMS Message Indication elements (23.040, 9.2.3.24.2).

    The first octet's highest bit says to store, its lowest two the kind; the second counts. There may be an element
    for each kind: that of the kind which the data_coding tells is taken, else the last. Whichever of the two says to
    store is obeyed.
    """
    found = told
    for iei, data in elements:
        if iei != udh.MESSAGE_WAITING or len(data) != 2:
            continue
        kind, store, count = WaitingKind(data[0] & 0x03), bool(data[0] & 0x80), data[1]
        if told is None:
            found = Waiting(kind, count > 0, store, count)
        elif kind is told.kind:
            found = told._replace(store=told.store or store, count=count)
    return found
