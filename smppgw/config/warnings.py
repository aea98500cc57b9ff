"""What works but is probably not meant."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

from smppgw.config.carrier import CarrierSettings
from smppgw.config.checks import TLS_PORT, port_of, uses_tls
from smppgw.config.kinds import InterfaceVersion, ScheduleBy
from smppgw.config.secrets import PASSWORD_OCTETS, SYSTEM_ID_OCTETS
from smppgw.config.settings import RouteSettings, Settings
from smppgw.config.words import toml_key


def warnings_of(settings: Settings, path: Path | None = None) -> list[str]:
    """What an operator should look at although the settings can be used. `path`: the file they came from."""
    found = list(_http_warnings(settings))
    for name, carrier in settings.carriers.items():
        found += _of_carrier(carrier, f"carriers.{toml_key(name)}")
    found += _profile_warnings(settings)
    found += _route_warnings(settings)
    if path is not None and path.exists() and path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        found += [f"{key}: stands in a file that others can read; chmod 600 {path}" for key in _clear(settings)][:1]
    return found


def _clear(settings: Settings) -> Iterator[str]:
    """The key paths of passwords in clear."""
    for name, carrier in settings.carriers.items():
        if any(link.password_env is None and link.password_file is None for link in carrier.links() or [carrier]):
            yield f"carriers.{toml_key(name)}.password"
        if carrier.outbind.password.get_secret_value():
            yield f"carriers.{toml_key(name)}.outbind.password"


def _http_warnings(settings: Settings) -> Iterator[str]:
    host = settings.http.host
    if not _loopback(host):
        yield f"http.host: {host} is not a loopback address; API keys travel unencrypted unless a proxy adds TLS"


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _of_carrier(carrier: CarrierSettings, path: str) -> Iterator[str]:
    """What holds for all its binds under the carrier, what holds for one under that one."""
    links = [list(_link_warnings(link)) for link in carrier.links()]
    common = [one for one in links[0] if all(one in other for other in links)] if links else []
    for key, text in (*common, *_carrier_warnings(carrier)):
        yield f"{path}.{key}: {text}"
    for index, found in enumerate(links):
        for key, text in found:
            if (key, text) not in common:
                yield f"{path}.bind[{index}].{key}: {text}"


def _link_warnings(link: CarrierSettings) -> Iterator[tuple[str, str]]:
    if not link.timers.enquire_link_s and not link.timers.inactivity_s:
        yield "timers.enquire_link_s", "is 0, and so is inactivity_s: a link that went silent is never noticed"
    long = len(link.system_id) > SYSTEM_ID_OCTETS or len(link.password.get_secret_value()) > PASSWORD_OCTETS
    if link.long_credentials and long:
        yield "long_credentials", "system_id or password is longer than SMPP allows; most SMSCs refuse such a bind"
    if link.tls.enabled is None and link.port != TLS_PORT:
        clear = [endpoint for endpoint in link.fallbacks if port_of(endpoint) != TLS_PORT]
        hosts = [link.host, *(endpoint.rpartition(":")[0].strip("[]") for endpoint in clear)]
        far = next((host for host in hosts if not _near_by(host)), None)
        if far is not None:
            yield (
                "tls.enabled",
                f"not set: texts and password travel to {far} unencrypted; say true, or false",
            )
    if link.tls.enabled is False and TLS_PORT in (link.port, *map(port_of, link.fallbacks)):
        yield (
            "tls.enabled",
            f"is false, but port {TLS_PORT} is that of SMPP over TLS",
        )
    if uses_tls(link) and not link.tls.verify:
        yield "tls.verify", "is false: whoever answers in the SMSC's place gets the password and every text"
    if link.interface_version is InterfaceVersion.V33 and link.tlvs:
        yield "interface_version", "is 3.3, which has no TLVs, but tlvs is true"


def _near_by(host: str) -> bool:
    """Whether it is this machine or a network of our own; a name without a dot is taken for one."""
    try:
        address = ip_address(host)
    except ValueError:
        name = host.rstrip(".").lower()
        return "." not in name or name.endswith((".localhost", ".local", ".internal", ".lan", ".home.arpa", ".test"))
    return address.is_loopback or address.is_private or address.is_link_local


def _carrier_warnings(carrier: CarrierSettings) -> Iterator[tuple[str, str]]:
    if carrier.receipts.sniff:
        text = "is on: whoever texts from a recipient's number and guesses an open message_id can forge its receipt"
        yield "receipts.sniff", text
    asked = carrier.submit.registered_delivery
    if asked and asked & 3 != 1:
        which = {0: "no message brings", 2: "only failed ones bring", 3: "only delivered ones bring"}[asked & 3]
        text = f"is {asked}: {which} a final receipt; the others end as unknown after receipt_timeout_s"
        yield "submit.registered_delivery", text
    if carrier.query.enabled and not asked & 3:
        yield "query.enabled", f"has no effect: submit.registered_delivery is {asked}, so no receipt can be overdue"
    if carrier.receipt_alarm_share and carrier.submit.schedule is ScheduleBy.CARRIER:
        text = "counts messages that the carrier keeps (submit.schedule): they bring no receipt until their time"
        yield "receipt_alarm_share", text
    if "doubt_match_s" in carrier.model_fields_set and carrier.doubt_match_s > carrier.doubt_timeout_s:
        text = f"is {carrier.doubt_match_s:g}, but a doubt ends after doubt_timeout_s, {carrier.doubt_timeout_s:g}"
        yield "doubt_match_s", text
    outbind = carrier.outbind
    if outbind.port and not outbind.password.get_secret_value() and not _loopback(outbind.host):
        text = "not set: whoever reaches the port may ask us to bind, and gets our system_id and password"
        yield "outbind.password", text


def _profile_warnings(settings: Settings) -> Iterator[str]:
    bases = {table.get("profile") for table in settings.profiles.values()}
    used = bases | {carrier.profile for carrier in settings.carriers.values()}
    for name in settings.profiles:
        if name not in used:
            yield f"profiles.{toml_key(name)}: no carrier uses it"


def _route_warnings(settings: Settings) -> Iterator[str]:
    for index, route in enumerate(settings.routes):
        for position, earlier in enumerate(settings.routes[:index]):
            if _covers(earlier, route):
                yield f"routes[{index}]: is never reached; routes[{position}] fits everything that it fits"
                break
    used = {name for route in settings.routes for name in route.carriers}
    for name in sorted(settings.carriers.keys() - used) if settings.routes else ():
        yield f"carriers.{toml_key(name)}: no route leads to it"


def _covers(earlier: RouteSettings, later: RouteSettings) -> bool:
    if earlier.accounts and not (later.accounts and set(later.accounts) <= set(earlier.accounts)):
        return False
    if not earlier.prefixes:
        return True
    prefixes = tuple(prefix.lstrip("+") for prefix in earlier.prefixes)
    return bool(later.prefixes) and all(prefix.lstrip("+").startswith(prefixes) for prefix in later.prefixes)
