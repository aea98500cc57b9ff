"""What all sections of the settings share: the base class and the types of values."""

from __future__ import annotations

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError


class SettingsBase(BaseModel):
    """What all sections share: unknown keys refused, no silent conversion of types, read-only once loaded."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")
_HOST_NAME = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?")
_HOST_NAME_OCTETS = 253  # RFC 1035, 2.3.4, without the octets for lengths


def checked_host(text: str) -> str:
    """Refuses what the resolver could not even be asked for. Names beyond ASCII count as they are looked up."""
    try:
        ip_address(text)
    except ValueError:
        pass
    else:
        return text
    try:
        name = text.encode("idna").decode("ascii")
    except UnicodeError:
        name = ""
    if not _HOST_NAME.fullmatch(name) or len(name.rstrip(".")) > _HOST_NAME_OCTETS:
        raise PydanticCustomError("host", "is neither a host name nor an IP address")
    return text


def _address(text: str) -> str:
    try:
        ip_address(text)
    except ValueError:
        raise PydanticCustomError("address", "must be an IP address, such as 192.0.2.10") from None
    return text


Host = Annotated[str, Field(min_length=1), AfterValidator(checked_host)]
IpAddress = Annotated[str, AfterValidator(_address)]
#: Patterns of settings -> what must be there, in words; of a choice such as ^(a|b)\\z the words are made.
FORMS: dict[str, str] = {}


def _form(pattern: str, words: str) -> str:
    FORMS[pattern] = words
    return pattern


NAME_FORM = _form(rf"^{NAME.pattern}\z", "must be a name of 1 to 32 letters, digits, '_', '-' or '.'")
_KEY_HASH_FORM = _form(
    r"^sha256:[0-9a-f]{64}\z", "must be a key hash as `smppgw key` prints it (sha256: and 64 hexadecimal digits)"
)
_PREFIX_FORM = _form(r"^\+?[1-9][0-9]{0,14}\z", "must be the beginning of an international number, such as +44")
REGION_FORM = _form(r"^[A-Z]{2}\z", "must be two capital letters of ISO 3166, such as GB")

Name = Annotated[str, Field(pattern=NAME_FORM)]
Port = Annotated[int, Field(ge=0, le=65535)]
Seconds = Annotated[float, Field(gt=0)]
KeyHash = Annotated[str, Field(pattern=_KEY_HASH_FORM)]
Prefix = Annotated[str, Field(pattern=_PREFIX_FORM)]
FilePath = Annotated[Path, Field(strict=False)]
