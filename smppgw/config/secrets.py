"""Where passwords come from: the file itself, the environment, a file of their own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from smppgw.config.carrier import CarrierSettings
from smppgw.config.layers import SECRETS, Layer, Merged
from smppgw.config.words import Report

SYSTEM_ID_OCTETS = 15  # SMPP 3.4, 4.1.1: a C-octet string of at most 16, NUL included
PASSWORD_OCTETS = 8  # there too: at most 9
LONG_OCTETS = 64  # what our codec encodes of either, where long_credentials is on


class Secrets:
    """Finds the password of each bind; what is wrong goes to the report, never the secret. Without a folder, no
    password is looked for outside the settings."""

    def __init__(self, folder: Path | None, environ: Mapping[str, str], report: Report) -> None:
        self._folder = folder
        self._environ = environ
        self._report = report

    def of(self, settings: CarrierSettings, merged: Merged, at: Layer) -> str:
        """The password. `at`: the layer that should have named one, where none does."""
        given = [name for name in SECRETS if name in merged.table]
        if len(given) != 1:
            what = "none of them is" if not given else " and ".join(given) + " are"
            where = at if not given else merged.origin((given[0],)) or at
            text = f"exactly one of password, password_env and password_file is needed; {what} set"
            self._report.add(where.path, text)
            return ""
        origin = merged.origin((given[0],)) or at
        key = origin.key((given[0],))
        text = settings.password.get_secret_value()
        folder = self._folder
        if folder is None and given[0] != "password":
            return ""
        if settings.password_env is not None:
            text = self._from_environment(settings.password_env, key)
        elif settings.password_file is not None and folder is not None:
            text = self._from_file(folder / settings.password_file, key)
        self._check(text, key, settings)
        return text

    def _check(self, text: str, key: str, settings: CarrierSettings) -> None:
        if not (text.isascii() and (text.isprintable() or not text)):
            self._report.add(key, "the password has characters outside printable ASCII")
        elif len(text) > LONG_OCTETS:
            self._report.add(key, f"the password has {len(text)} octets, above {LONG_OCTETS}")
        elif len(text) > PASSWORD_OCTETS and not settings.long_credentials:
            most = f"{PASSWORD_OCTETS}, the most that a bind request of SMPP 3.4 can carry"
            text = f"the password has {len(text)} octets, above {most}; long_credentials sends it all the same"
            self._report.add(key, text)

    def _from_environment(self, name: str, path: str) -> str:
        text = self._environ.get(name)
        if text is None:
            self._report.add(path, f"the environment has no variable {name}")
        return text or ""

    def _from_file(self, file: Path, path: str) -> str:
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except OSError as error:
            self._report.add(path, f"{file} cannot be read: {error.strerror}")
            return ""
        except UnicodeDecodeError:
            self._report.add(path, f"{file} is not UTF-8")
            return ""
        except ValueError:  # a NUL in the name
            self._report.add(path, "is no file name")
            return ""
        if not lines:
            self._report.add(path, f"{file} is empty")
        return lines[0] if lines else ""
