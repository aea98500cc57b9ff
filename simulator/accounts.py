"""Who may bind, from where and how often, and what each may submit.

Owns the accounts, the order in which a bind is looked at, the reasons for a refusal and the command_status of each.
Pure: what it has to know of a connection is an argument. Without accounts anyone may do anything, and nothing in here
is asked. The token bucket behind an account's rate stands in centre.py with those of everybody else.
"""

from __future__ import annotations

import ipaddress
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple

from simulator.patterns import address_pattern
from simulator.quirks import VERSIONS, StatusCode
from smppgw.smpp import Bind, BindReceiver, BindTransceiver, DataSm, Status, SubmitMulti, SubmitSm

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class BindType(StrEnum):
    """The three ways to bind (SMPP 3.4, 4.1)."""

    TRANSMITTER = "transmitter"
    RECEIVER = "receiver"
    TRANSCEIVER = "transceiver"


class Refused(StrEnum):
    """Why a bind or a submit of an account is refused: names in summaries, and keys of `refused_with`."""

    UNKNOWN_SYSTEM_ID = "unknown_system_id"
    WRONG_PASSWORD = "wrong_password"  # noqa: S105  # a reason, not a password
    NETWORK = "network"
    TLS_MISSING = "tls_missing"
    VERSION = "version"
    BIND_TYPE = "bind_type"
    TOO_MANY_BINDS = "too_many_binds"
    WINDOW = "window"
    RATE = "rate"
    SOURCE = "source"


#: What SMSCs answer. Where the standard has no word of its own it is ESME_RBINDFAIL; some say ESME_RBINDFAIL for too
#: many binds, too, and some ESME_RINVSRCADR for a foreign network: that is what `refused_with` is for.
STATUSES: Final[Mapping[Refused, int]] = {
    Refused.UNKNOWN_SYSTEM_ID: Status.ESME_RINVSYSID,
    Refused.WRONG_PASSWORD: Status.ESME_RINVPASWD,
    Refused.NETWORK: Status.ESME_RBINDFAIL,
    Refused.TLS_MISSING: Status.ESME_RBINDFAIL,
    Refused.VERSION: Status.ESME_RBINDFAIL,
    Refused.BIND_TYPE: Status.ESME_RBINDFAIL,
    Refused.TOO_MANY_BINDS: Status.ESME_RALYBND,
    Refused.WINDOW: Status.ESME_RTHROTTLED,
    Refused.RATE: Status.ESME_RTHROTTLED,
    Refused.SOURCE: Status.ESME_RINVSRCADR,
}

_MAX_SYSTEM_ID = 15
_MAX_PASSWORD = 8
_BEFORE_34 = 0x34


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An ESME that may bind, and within which limits. What is left out is not limited."""

    system_id: str  # 1 to 15 characters (SMPP 3.4, 5.2.1)
    password: str | None = None  # up to 8 characters (SMPP 3.4, 5.2.2); left out: any
    bind_types: tuple[BindType, ...] = tuple(BindType)  # others: ESME_RBINDFAIL
    max_binds: int | None = None  # at one time, of any kind; more: ESME_RALYBND
    window: int | None = None  # submits without a response on each bind; more: ESME_RTHROTTLED
    rate: float | None = None  # submits a second on all its binds; more: ESME_RTHROTTLED. In place of settings.rate
    burst: float | None = None  # left out: one second of rate
    #: Its own addresses: exact, with * or ?, or /regular expression/. Submits from others get ESME_RINVSRCADR, and
    #: inbound texts to others are not for it.
    address_range: tuple[str, ...] = ()
    interface_versions: tuple[str, ...] = ()  # such as 3.4; others: ESME_RBINDFAIL
    tls_required: bool = False  # without: ESME_RBINDFAIL
    networks: tuple[Network, ...] = ()  # such as 10.0.0.0/8 or ::1; from elsewhere: ESME_RBINDFAIL
    refused_with: Mapping[Refused, StatusCode] = field(default_factory=dict)  # other statuses than these

    def problems(self) -> Iterable[str]:
        """What cannot be, each with the name of its key."""
        if not 1 <= len(self.system_id) <= _MAX_SYSTEM_ID:
            yield f"system_id: {self.system_id!r} is not a system_id, 1 to 15 characters (SMPP 3.4, 5.2.1)"
        if self.password is not None and len(self.password) > _MAX_PASSWORD:
            yield f"password: that of {self.system_id!r} is longer than 8 characters (SMPP 3.4, 5.2.2)"
        if not self.bind_types:
            yield f"bind_types: must have one at least: {', '.join(BindType)}"
        for name, number in (("max_binds", self.max_binds), ("window", self.window)):
            if number is not None and number < 1:
                yield f"{name}: must be 1 or more"
        if self.rate is not None and not 0 < self.rate < math.inf:
            yield f"rate: {self.rate} is not a rate, above 0 submits a second"
        if self.burst is not None and not 1 <= self.burst < math.inf:
            yield f"burst: {self.burst} is not a burst, 1 or more submits"
        if self.burst is not None and self.rate is None:
            yield "burst: means nothing without rate"
        for written in self.address_range:
            try:
                address_pattern(written)
            except ValueError as wrong:
                yield f"address_range: {wrong}"
        for version in self.interface_versions:
            if version not in VERSIONS:
                yield f"interface_versions: unknown {version!r}; known: {', '.join(VERSIONS)}"
        if Refused.UNKNOWN_SYSTEM_ID in self.refused_with:
            yield "refused_with.unknown_system_id: belongs to no account"


class Peer(NamedTuple):
    """The other end of a connection. `host` is empty where it has no IP address, such as a stream in memory."""

    host: str = ""
    tls: bool = False


NO_PEER: Final = Peer()


class Allowance:
    """What the submits of one account are held to. One for each system_id, used by its binds in turn."""

    __slots__ = ("_account", "_counts", "_may_send", "_unanswered", "_window")

    def __init__(self, account: Account, counts: Counter[str]) -> None:
        self._account = account
        self._counts = counts
        self._window = account.window or math.inf
        self._may_send = _one_of(account.address_range)
        self._unanswered = 0

    def start_batch(self, unanswered: int) -> None:
        """Called before the submits of one read: so many of its bind have no response yet."""
        self._unanswered = unanswered

    def status(self, pdu: SubmitSm | DataSm | SubmitMulti) -> int:
        """The command_status of a submit as far as the account has a say, once for each PDU; 0 accepts it.

        What came in one read had no response when it was sent: it counts as unanswered, however fast we are. An ESME
        that keeps to its window is never over it by this count.
        """
        unanswered = self._unanswered
        self._unanswered = unanswered + 1
        if unanswered >= self._window:
            return self.refuse(Refused.WINDOW)
        if self._may_send is not None and not self._may_send(pdu.source_addr):
            return self.refuse(Refused.SOURCE)
        return 0

    def refuse(self, reason: Refused) -> int:
        """Counts a refusal and returns its command_status."""
        self._counts[reason] += 1
        return status_of(self._account, reason)


class Accounts:
    """All of them. `counts` has the refusals of each, by reason."""

    def __init__(self, accounts: Iterable[Account]) -> None:
        self._accounts = {account.system_id: account for account in accounts}
        self.counts: dict[str, Counter[str]] = {system_id: Counter() for system_id in self._accounts}
        self._allowances = {
            system_id: Allowance(account, self.counts[system_id]) for system_id, account in self._accounts.items()
        }
        self._receivable = {
            system_id: _one_of(account.address_range) for system_id, account in self._accounts.items()
        }

    def __bool__(self) -> bool:
        return bool(self._accounts)

    def bind_status(self, pdu: Bind, peer: Peer, open_binds: Callable[[], int]) -> int:
        """The command_status of a bind; 0 where nothing speaks against it. `open_binds`: of its system_id, now."""
        if not self._accounts:
            return 0
        account = self._accounts.get(pdu.system_id)
        if account is None:
            return STATUSES[Refused.UNKNOWN_SYSTEM_ID]
        reason = _objection(account, pdu, peer, open_binds)
        if reason is None:
            return 0
        self.counts[account.system_id][reason] += 1
        return status_of(account, reason)

    def allowance(self, system_id: str) -> Allowance | None:
        """What the submits of this ESME are held to; None where it has no account."""
        return self._allowances.get(system_id)

    def rates(self) -> dict[str, tuple[float, float | None]]:
        """system_id -> rate and burst of the accounts that have their own."""
        return {
            system_id: (account.rate, account.burst)
            for system_id, account in self._accounts.items()
            if account.rate is not None
        }

    def may_receive(self, system_id: str, address: str) -> bool:
        """Whether inbound texts to `address` are for this ESME."""
        fits = self._receivable.get(system_id)
        return fits is None or fits(address)

    def summary(self, open_binds: Mapping[str, int]) -> dict[str, dict[str, int]]:
        """What each account has open, and what it was refused, by reason. Empty while none are configured."""
        return {
            system_id: {"binds": open_binds.get(system_id, 0), **dict(sorted(counts.items()))}
            for system_id, counts in self.counts.items()
        }


def status_of(account: Account, reason: Refused) -> int:
    """The command_status with which this account is told of `reason`."""
    return account.refused_with.get(reason) or STATUSES[reason]


def _objection(account: Account, pdu: Bind, peer: Peer, open_binds: Callable[[], int]) -> Refused | None:
    """The first thing that speaks against a bind. Limits of an account are told only to who has its password."""
    if account.password is not None and account.password != pdu.password:
        return Refused.WRONG_PASSWORD
    if account.networks and not _is_in(peer.host, account.networks):
        return Refused.NETWORK
    if account.tls_required and not peer.tls:
        return Refused.TLS_MISSING
    if account.interface_versions and _version(pdu) not in account.interface_versions:
        return Refused.VERSION
    if _bind_type(pdu) not in account.bind_types:
        return Refused.BIND_TYPE
    if account.max_binds is not None and open_binds() >= account.max_binds:
        return Refused.TOO_MANY_BINDS
    return None


def _one_of(written: Iterable[str]) -> Callable[[str], bool] | None:
    """Whether an address fits one of these patterns; None where there are none, and hence no limit."""
    patterns = [address_pattern(one) for one in written]
    if not patterns:
        return None

    def fits(address: str) -> bool:
        try:
            return any(pattern.fits(address) for pattern in patterns)
        except ValueError:
            return False  # an expression that would look for ever: nobody gets in by it

    return fits


def _bind_type(pdu: Bind) -> BindType:
    if isinstance(pdu, BindTransceiver):
        return BindType.TRANSCEIVER
    return BindType.RECEIVER if isinstance(pdu, BindReceiver) else BindType.TRANSMITTER


def _version(pdu: Bind) -> str:
    """interface_version as it is written: 0x00 to 0x33 is 3.3 or before (SMPP 3.4, 5.2.4)."""
    if pdu.interface_version < _BEFORE_34:
        return "3.3"
    return f"{pdu.interface_version >> 4}.{pdu.interface_version & 0x0F}"


def _is_in(host: str, networks: Iterable[Network]) -> bool:
    try:
        address = ipaddress.ip_address(host.partition("%")[0])  # a link-local address tells its interface
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in networks)


# ---------------------------------------------------------------------------------------------------------------- #
# Notations. Each raises ValueError with a text for the user.
# ---------------------------------------------------------------------------------------------------------------- #


def parse_account(text: str) -> Account:
    """`alice:secret`."""
    system_id, found, password = text.partition(":")
    if not found:
        raise ValueError(f"{text!r} lacks its ':'; write SYSTEM_ID:PASSWORD")
    account = Account(system_id=system_id, password=password)
    for problem in account.problems():
        raise ValueError(problem)
    return account


def parse_network(text: str) -> Network:
    """`10.0.0.0/8`, `192.0.2.7`, `2001:db8::/32`."""
    try:
        return ipaddress.ip_network(text)
    except ValueError as wrong:
        raise ValueError(f"{text!r} is no network such as 10.0.0.0/8: {wrong}") from None


def account_problems(accounts: Iterable[Account]) -> Iterable[str]:
    """What cannot be in a list of accounts, by position and key."""
    seen: set[str] = set()
    for at, account in enumerate(accounts):
        yield from (f"accounts[{at}].{problem}" for problem in account.problems())
        if account.system_id in seen:
            yield f"accounts[{at}].system_id: {account.system_id!r} comes twice"
        seen.add(account.system_id)
