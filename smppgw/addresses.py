"""placeholder, see contract"""
from __future__ import annotations
from typing import NamedTuple


class Address(NamedTuple):
    """An SMPP address: type of number, numbering plan, digits or letters (SMPP 3.4, 5.2.5 to 5.2.7)."""

    ton: int
    npi: int
    addr: str
