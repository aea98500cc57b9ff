"""What must fit together between carriers: those that share a port, and those that share a route."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from smppgw.config.carrier import CarrierSettings, EncodingSettings
from smppgw.config.words import Report, toml_key


def check_ports(
    carriers: Mapping[str, CarrierSettings], http: tuple[str, int], where: Callable[[str, str], str], report: Report
) -> None:
    """No two listeners may take one port. `where`: the key path of a carrier's setting."""
    taken = [("http.port", *http)]
    for name, carrier in carriers.items():
        host, port = carrier.outbind.host, carrier.outbind.port
        owner = next((owner for owner, *other in taken if port and _clash((host, port), (other[0], other[1]))), None)
        if owner:
            report.add(where(name, "outbind.port"), f"{port} is taken by {owner} already")
        taken.append((f"carriers.{toml_key(name)}.outbind.port", host, port))


def _clash(one: tuple[object, object], other: tuple[object, object]) -> bool:
    everywhere = {"0.0.0.0", "::"}  # noqa: S104  # compared, not listened on
    return one[1] == other[1] and (one[0] == other[0] or bool({one[0], other[0]} & everywhere))


def check_alike(names: Sequence[str], carriers: Mapping[str, CarrierSettings]) -> Iterable[str]:
    """Why a message that was planned for the first of `names` could not go over one of the others as it is.

    submit.command is among it: data_sm has no field for some of what a request may say. So is submit.schedule: a
    message that its carrier was to keep until its time would leave at once over one that is not told of it.
    """
    first = carriers[names[0]]
    for name in names[1:]:
        other = carriers[name]
        for what in _plans_otherwise(first, other):
            yield f"{names[0]} and {name} differ in {what}; what is planned for one must fit the other as it is"


def _plans_otherwise(one: CarrierSettings, other: CarrierSettings) -> Iterator[str]:
    """The settings in which they differ. Languages may be listed in any order."""
    for key in EncodingSettings.model_fields:
        ours, theirs = getattr(one.encoding, key), getattr(other.encoding, key)
        if key == "national_tables":
            ours, theirs = one.encoding.as_encoding().national, other.encoding.as_encoding().national
        if ours != theirs:
            yield f"encoding.{key}"
    for key in ("registered_delivery", "command", "schedule"):
        if getattr(one.submit, key) != getattr(other.submit, key):
            yield f"submit.{key}"
    if _asked(one) != _asked(other):
        yield "vendor_tlvs"


def _asked(carrier: CarrierSettings) -> dict[str, tuple[object, ...]]:
    """What requests may set, and how it is written."""
    return {
        name: (tlv.tag, tlv.type, tlv.octets, tlv.required)
        for name, tlv in carrier.vendor_tlvs.items()
        if tlv.from_request
    }
