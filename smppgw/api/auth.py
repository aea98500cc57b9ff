"""API keys: made, hashed, recognised.

A key has 192 random bits, so nobody can try them all, and a fast hash is enough: a slow one (bcrypt, scrypt) protects
short secrets that people chose. The config holds only hashes; a stolen config opens no account.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping

from smppgw.api.faults import ApiError
from smppgw.config import Settings

KEY_PREFIX = "sgw_"
_KEY_OCTETS = 24  # 32 characters of base64
_HASH_PREFIX = "sha256:"
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="smppgw"'}


def generate_key() -> str:
    """A new key: `sgw_` and 32 characters that need no quoting anywhere."""
    return KEY_PREFIX + secrets.token_urlsafe(_KEY_OCTETS)


def hash_key(key: str) -> str:
    """The form that stands in the config: `sha256:` and 64 hexadecimal digits."""
    return _HASH_PREFIX + hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


class Keys:
    """The accounts by key.

    Hashes are looked up under a secret of this process, so that the time a lookup takes says nothing about how much
    of a hash was right.
    """

    def __init__(self, settings: Settings) -> None:
        self._secret = secrets.token_bytes(32)
        self._accounts = {
            self._blinded(key_hash): name
            for name, account in settings.accounts.items()
            for key_hash in account.key_hashes
        }

    def account_for(self, headers: Mapping[str, str]) -> str:
        """Name of the account whose key came as `Authorization: Bearer KEY` or `X-Api-Key: KEY`.

        Raises ApiError `key_missing` or `key_unknown` (401).
        """
        key = _key_in(headers)
        if not key:
            raise ApiError(
                "key_missing",
                "send the API key as 'Authorization: Bearer KEY' or 'X-Api-Key: KEY'",
                headers=_CHALLENGE,
            )
        account = self._accounts.get(self._blinded(hash_key(key)))
        if account is None:
            raise ApiError("key_unknown", "no account has this API key", headers=_CHALLENGE)
        return account

    def _blinded(self, key_hash: str) -> bytes:
        return hashlib.blake2b(key_hash.encode("ascii"), key=self._secret, digest_size=16).digest()


def _key_in(headers: Mapping[str, str]) -> str:
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and value.strip():
        return value.strip()
    return headers.get("x-api-key", "").strip()
