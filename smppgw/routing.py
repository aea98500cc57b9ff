"""Which carriers a message may go to, in order.

Pure: the routes of the settings are compiled once into one prefix table per account; a lookup costs as many dict
probes as there are different prefix lengths, however many routes there are. Knows nothing of binds or queues.
"""

from __future__ import annotations

from typing import NamedTuple

from smppgw.config import RouteSettings, Settings
from smppgw.errors import Refusal


class _Entry(NamedTuple):
    rank: int  # place of the route in the file: the first that fits decides
    carriers: tuple[str, ...]


class _Table(NamedTuple):
    entries: dict[str, _Entry]  # by prefix digits; "" fits all
    lengths: tuple[int, ...]


class Router:
    """The routes of `settings`, ready for lookups."""

    def __init__(self, settings: Settings) -> None:
        self._general = _compile(settings, None)
        self._by_account = {name: _compile(settings, name) for name in settings.accounts}

    def carriers_for(self, account: str, e164_digits: str) -> tuple[str, ...]:
        """The carriers, best first, for a message of `account` to `e164_digits` (country code first, no '+').

        Raises Refusal `no_route` when no route fits.
        """
        entries, lengths = self._by_account.get(account, self._general)
        best: _Entry | None = None
        for length in lengths:
            entry = entries.get(e164_digits[:length])
            if entry is not None and (best is None or entry.rank < best.rank):
                best = entry
        if best is None:
            raise Refusal(
                "no_route", f"no route leads to +{e164_digits[:4]}...; see [[routes]] in the config", field="to"
            )
        return best.carriers


def _compile(settings: Settings, account: str | None) -> _Table:
    entries: dict[str, _Entry] = {}
    for rank, route in enumerate(_routes(settings)):
        if route.accounts and account not in route.accounts:
            continue
        for prefix in route.prefixes or [""]:
            entries.setdefault(prefix.lstrip("+"), _Entry(rank, tuple(route.carriers)))
    return _Table(entries, tuple(sorted({len(digits) for digits in entries})))


def _routes(settings: Settings) -> list[RouteSettings]:
    """Without any, all goes to the only carrier (the settings refuse several carriers without routes)."""
    return settings.routes or [RouteSettings(carriers=[name]) for name in settings.carriers]
