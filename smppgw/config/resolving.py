"""[defaults], [profiles] and [carriers] to the settings of each carrier and each of its binds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import SecretStr, ValidationError

from smppgw.config import layers
from smppgw.config.base import NAME, SettingsBase
from smppgw.config.carrier import (
    AddressRule,
    AddressSettings,
    CapSettings,
    CarrierSettings,
    EncodingSettings,
    IdSettings,
    LinkSettings,
    OutbindSettings,
    QuerySettings,
    ReceiptSettings,
    ReconnectSettings,
    RetrySettings,
    SubmitSettings,
    TimerSettings,
    TlsSettings,
    VendorTlv,
)
from smppgw.config.checks import check_carrier, check_link
from smppgw.config.layers import Layer, Merged, merge
from smppgw.config.lines import Lines
from smppgw.config.secrets import Secrets
from smppgw.config.words import Report, explain, key_path, toml_key, toml_type

#: Where each key of a carrier stands, for "known in ..." hints.
CARRIER_SECTIONS: dict[str, type[SettingsBase]] = {
    "carriers.NAME": CarrierSettings,
    "carriers.NAME.timers": TimerSettings,
    "carriers.NAME.reconnect": ReconnectSettings,
    "carriers.NAME.retry": RetrySettings,
    "carriers.NAME.tls": TlsSettings,
    "carriers.NAME.submit": SubmitSettings,
    "carriers.NAME.addresses": AddressSettings,
    "carriers.NAME.encoding": EncodingSettings,
    "carriers.NAME.ids": IdSettings,
    "carriers.NAME.receipts": ReceiptSettings,
    "carriers.NAME.query": QuerySettings,
    "carriers.NAME.outbind": OutbindSettings,
    "carriers.NAME.addresses.source": AddressRule,
    "carriers.NAME.caps": CapSettings,
    "carriers.NAME.vendor_tlvs.NAME": VendorTlv,
}


class Link(NamedTuple):
    """The settings of one bind (or pair), and where each comes from."""

    settings: CarrierSettings
    merged: Merged


class Carrier(NamedTuple):
    """The settings of a carrier. `links` has one entry for each [[carriers.NAME.bind]]."""

    settings: CarrierSettings
    merged: Merged
    links: list[Link]


class Resolver:
    """Lays the layers of one file on top of each other; what is wrong goes to the report. Without a folder, the files
    that settings name are not looked at."""

    def __init__(
        self,
        table: dict[str, Any],
        lines: Lines,
        *,
        file: str,
        folder: Path | None,
        secrets: Secrets,
        report: Report,
    ) -> None:
        self._file = file
        self._lines = lines
        self._folder = folder
        self._secrets = secrets
        self._report = report
        self._profiles = dict(layers.shipped())
        self._wrong: set[str] = set()  # key paths of layers with mistakes
        self._defaults = self._layer(("defaults",), table.get("defaults", {}), CarrierSettings)
        self._named(table.get("profiles", {}))
        for layer in self._profiles.values():  # also those that no carrier uses
            self._chain(layer)

    def carrier(self, name: str, table: dict[str, Any]) -> Carrier | None:
        """None when there is any mistake in what makes it."""
        own = self._layer(("carriers", name), table, CarrierSettings)
        if own is None:
            return None
        chain = self._chain(own)
        if chain is None:
            return None  # what it might have said is unknown
        below = [*([self._defaults] if self._defaults else []), *chain, own]
        tables = table.get("bind", [])
        tables = tables if isinstance(tables, list) else []
        binds = [
            layer
            for index, one in enumerate(tables)
            if isinstance(one, dict) and (layer := self._layer(("carriers", name, "bind", index), one, LinkSettings))
        ]
        found = self._links(own, below, binds)
        return None if found is None or {layer.path for layer in (*below, *binds)} & self._wrong else found

    # -- layers --------------------------------------------------------------------------------------------------- #

    def _named(self, profiles: object) -> None:
        if not isinstance(profiles, dict):
            self._report.add("profiles", f"must be a table, not {toml_type(profiles)}")
            return
        for name, table in profiles.items():
            path = f"profiles.{toml_key(name)}"
            if not NAME.fullmatch(name):
                self._report.add(path, "a name has 1 to 32 letters, digits, '_', '-' or '.'")
            if name in layers.shipped():
                text = f'is the name of a shipped profile; choose another, with profile = "{name}" as its base'
                self._report.add(path, text)
                continue
            layer = self._layer(("profiles", name), table, CarrierSettings, profile=name)
            if layer is not None:
                self._profiles[name] = layer

    def _layer(
        self, path: tuple[str | int, ...], table: object, model: type[SettingsBase], *, profile: str = ""
    ) -> Layer | None:
        """The layer at `path`; its mistakes are told here, once, whatever uses it."""
        shown = key_path("", path)
        if not isinstance(table, dict):
            self._report.add(shown, f"must be a table, not {toml_type(table)}")
            return None
        layer = Layer(shown, self._file, table, self._lines.below(path), profile)
        before = len(self._report.problems)
        if not layer.own:
            self._misplaced(layer)
        try:
            model.model_validate(table)
        except ValidationError as error:
            for at, missing, key, text in explain(error, model, shown, CARRIER_SECTIONS):
                whole_elsewhere = missing and not any(isinstance(part, int) for part in at)
                if not whole_elsewhere:
                    self._report.add(key, text)
        if len(self._report.problems) > before:
            self._wrong.add(shown)
        return layer

    def _misplaced(self, layer: Layer) -> None:
        if "bind" in layer.table:
            self._report.add(layer.key(("bind",)), "binds are a carrier's own: [[carriers.NAME.bind]]")
        if "profile" in layer.table and not layer.profile:
            self._report.add(layer.key(("profile",)), "each carrier names its own profile: [carriers.NAME]")

    def _chain(self, at: Layer) -> list[Layer] | None:
        """What `at` is based on, base first; None: that cannot be said."""
        name = at.table.get("profile")
        if not isinstance(name, str) or not NAME.fullmatch(name):
            return []  # no name, or a bad one, which is told where the layer was looked at
        found = layers.chain(name, at.key(("profile",)), self._profiles, self._report)
        if not found:
            self._wrong.add(at.path)
        return found or None

    # -- carrier and binds ---------------------------------------------------------------------------------------- #

    def _links(self, own: Layer, below: list[Layer], binds: list[Layer]) -> Carrier | None:
        merged = merge(below)
        merged.table.pop("bind", None)
        links = [link for bind in binds if (link := self._link(merge([*below, bind]), own))]
        if binds:
            if len(links) < len(binds) or {layer.path for layer in below} & self._wrong:
                return None
            first = links[0].settings  # stands for what only the binds say, where the carrier is shown as a whole
            told = {"system_id": first.system_id, **merged.table, "binds": len(binds)}
            if first.host:
                told.setdefault("host", first.host)
            settings = CarrierSettings.model_validate(told)
            settings = settings.model_copy(update={"password": first.password, "tls": first.tls})
        else:
            link = self._link(merged, own)
            if link is None:
                return None
            settings = link.settings
        check_carrier(settings, merged, len(binds), self._report)
        settings._links = [link.settings for link in links]
        return Carrier(settings, merged, links)

    def _link(self, merged: Merged, own: Layer) -> Link | None:
        merged.table.pop("bind", None)
        sound = not {layer.path for layer in merged.layers} & self._wrong
        if "host" not in merged.table and merged.table.get("binds") != 0:
            text = CarrierSettings.model_fields["host"].description
            self._report.add(own.key(("host",)), f"is missing; {text}")
            sound = False
        try:
            settings = CarrierSettings.model_validate(merged.table)
        except ValidationError as error:
            for path, missing, _, text in explain(error, CarrierSettings, own.path, CARRIER_SECTIONS):
                if sound or (missing and len(path) == 1):  # else it may be missing for another mistake
                    self._report.add(own.key(path), text)
            return None
        secret = self._secrets.of(settings, merged, own)
        check_link(settings, merged, self._folder, self._report)
        tls = settings.tls
        folder = self._folder
        files = {} if folder is None else {name: folder / file for name, file in _files(tls).items()}
        return Link(
            settings.model_copy(update={"password": SecretStr(secret), "tls": tls.model_copy(update=files)}), merged
        )


def _files(tls: TlsSettings) -> Mapping[str, Path]:
    found = {name: getattr(tls, name) for name in ("ca_file", "cert_file", "key_file")}
    return {name: file for name, file in found.items() if file is not None}
