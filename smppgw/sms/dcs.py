"""What comes from an SMSC to text: octets and their data_coding.

Owns the table of data_coding values: SMPP 3.4, 5.2.19 for 0 to 14, 3GPP TS 23.038, section 4 for the groups above.
Refuses to fail: what cannot be decoded is made visible, and the caller keeps the octets.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from smppgw.sms import gsm7, udh
from smppgw.sms.encoding import DEFAULT_ENCODING, DefaultAlphabet, Encoding

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


_BY_VALUE: dict[int, Callable[[bytes], str]] = {
    0x00: gsm7.decode,  # SMSC default alphabet
    0x01: _charset("ascii"),  # IA5 (CCITT T.50)
    0x02: _binary,  # octet unspecified
    0x03: _latin1,
    0x04: _binary,  # octet unspecified
    0x05: _jis(b"\x1b$B", "iso2022_jp", "cp932"),  # JIS X 0208-1990
    0x06: _charset("iso8859-5"),  # Cyrillic
    0x07: _charset("iso8859-8"),  # Latin/Hebrew
    0x08: _utf16,  # UCS2
    0x09: _charset("cp932"),  # pictogram encoding
    0x0A: _charset("iso2022_jp"),  # music codes
    0x0D: _jis(b"\x1b$(D", "iso2022_jp_1", "euc_jp"),  # extended Kanji JIS (X 0212-1990)
    0x0E: _charset("cp949"),  # KS C 5601
}

_BY_CHARACTER_SET = (gsm7.decode, _binary, _utf16, gsm7.decode)  # 23.038, section 4: bits 3 and 2; 11 is reserved


def _decoder(data_coding: int) -> Callable[[bytes], str]:
    """23.038, section 4, for what SMPP leaves to it. Reserved groups are to be read as the default alphabet."""
    group = data_coding >> 4
    if group < 0x8:  # 00xx and 01xx: bit 5 says compressed (23.042), which no one sends; then it is no text
        return _binary if data_coding & 0x20 else _BY_CHARACTER_SET[data_coding >> 2 & 3]
    if group == 0xE:  # message waiting, stored, UCS2
        return _utf16
    if group == 0xF:  # message class: bit 2 says 8-bit data
        return _binary if data_coding & 0x04 else gsm7.decode
    return gsm7.decode


_DECODERS = tuple(_BY_VALUE.get(value) or _decoder(value) for value in range(256))


_DEFAULT_ALPHABETS: dict[DefaultAlphabet, Callable[[bytes], str]] = {
    DefaultAlphabet.GSM7: gsm7.decode,
    DefaultAlphabet.LATIN1: _latin1,
    DefaultAlphabet.ASCII: _latin1,  # what is above 0x7F was meant to be something
    DefaultAlphabet.UTF8: _charset("utf-8"),
}


def decode_text(octets: bytes, data_coding: int, udhi: bool, encoding: Encoding = DEFAULT_ENCODING) -> str:
    r"""Text of a short_message or message_payload; never raises.

    `udhi`: the octets start with a UDH, which is left out. `encoding`: what this SMSC means by the default alphabet.
    What cannot be decoded becomes U+FFFD (\xNN in 8-bit data), U+0000 becomes U+2400, a lone surrogate U+FFFD: the
    text can be stored and shown anywhere.
    """
    header, content = udh.split(octets) if udhi else (b"", octets)
    if encoding is DEFAULT_ENCODING or data_coding not in (encoding.gsm7_data_coding, encoding.ucs2_data_coding):
        text = _DECODERS[data_coding & 0xFF](content)
    elif data_coding == encoding.ucs2_data_coding:
        text = _utf16(content)
    elif encoding.packs:
        text = gsm7.decode(gsm7.unpack(content, udh.fill_bits(len(header))))
    else:
        text = _DEFAULT_ALPHABETS[encoding.default_alphabet](content)
    return text.replace("\0", _NUL_PICTURE)
