"""The golden vectors of tests/vectors/sms.json and national.json, and a bit-by-bit packer that shares no code with
smppgw."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parents[1] / "vectors"
VECTORS: dict[str, Any] = json.loads((_FOLDER / "sms.json").read_text(encoding="utf-8"))
NATIONAL: dict[str, Any] = json.loads((_FOLDER / "national.json").read_text(encoding="utf-8"))


def named(key: str, vectors: dict[str, Any] = VECTORS) -> list[Any]:
    """The entries of a list of vectors as pytest parameters, each with its name or text as the id."""
    import pytest

    return [pytest.param(entry, id=entry.get("name", entry["source"])) for entry in vectors[key]]


def pack(septets: bytes, *, fill_bits: int = 0) -> bytes:
    """Septets to octets as 3GPP TS 23.038, 6.1.2.1 draws them: a string of bits, least significant first."""
    bits = "0" * fill_bits + "".join(f"{septet:07b}"[::-1] for septet in septets)
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[at : at + 8][::-1], 2) for at in range(0, len(bits), 8))


def tpdu_octets(short_message: bytes, *, gsm7: bool, udhi: bool) -> int:
    """How many octets of TP-UD a short_message takes once the SMSC has packed it (3GPP TS 23.040, 9.2.3.24)."""
    if not gsm7:
        return len(short_message)
    header = short_message[: short_message[0] + 1] if udhi else b""
    body = short_message[len(header) :]
    return len(header) + len(pack(body, fill_bits=-len(header) * 8 % 7))
