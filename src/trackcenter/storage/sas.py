"""Shared access signatures: addresses at Azure Blob that open one blob until their end.

obstore signs addresses, too, but cannot say under which name and type the blob is to be served;
those are signed here (`rscd`, `rsct`). By the account's key it is a service SAS, by a managed
identity a user delegation SAS, both as Microsoft writes them for version 2022-11-02.
"""

import base64
import hashlib
import hmac
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol
from urllib.parse import quote, urlencode
from xml.etree import ElementTree

from trackcenter.kit.clock import now
from trackcenter.storage.errors import StorageUnavailable
from trackcenter.storage.identity import Identity

VERSION = "2022-11-02"
_KEY_LASTS = timedelta(hours=24)
_CLOCKS_DIFFER = timedelta(minutes=15)
_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Grant:
    """What an address gives: reading one blob, as a file of that type and disposition, until."""

    content_type: str
    disposition: str
    cache_control: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class DelegationKey:
    """What Azure gives an identity to sign with, and how it is to be named in each signature."""

    value: str
    object_id: str
    tenant_id: str
    start: str
    expiry: str
    service: str
    version: str
    expires_at: datetime


class Signer(Protocol):
    """Signs for one account."""

    def sign(self, path: str, grant: Grant, *, plain: bool) -> str:
        """The query of an address; `path` is `container/blob`, `plain` allows http."""
        ...


class KeySigner:
    """By the account's key (a service SAS); without a network."""

    def __init__(self, account: str, account_key: str) -> None:
        self._account = account
        self._key = account_key

    def sign(self, path: str, grant: Grant, *, plain: bool) -> str:
        """As in `Signer`."""
        end, protocol = _written(grant.expires_at), _protocol(plain)
        signed = ["r", "", end, f"/blob/{self._account}/{path}", "", "", protocol, VERSION]
        signed += ["b", "", "", *_headers(grant)]
        return _query(grant, end, protocol, {}, _hmac(self._key, signed))


class UserSigner:
    """By a key that Azure delegates to the managed identity (a user delegation SAS).

    The key is asked for once a day. Raises StorageUnavailable when Azure gives none.
    """

    def __init__(self, account: str, address: str, identity: Identity) -> None:
        self._account = account
        self._address = address
        self._identity = identity
        self._lock = threading.Lock()
        self._key: DelegationKey | None = None

    def sign(self, path: str, grant: Grant, *, plain: bool) -> str:
        """As in `Signer`."""
        own = self._delegated(grant.expires_at)
        end, protocol = _written(grant.expires_at), _protocol(plain)
        named = {
            "skoid": own.object_id,
            "sktid": own.tenant_id,
            "skt": own.start,
            "ske": own.expiry,
            "sks": own.service,
            "skv": own.version,
        }
        signed = ["r", "", end, f"/blob/{self._account}/{path}", *named.values()]
        signed += ["", "", "", "", protocol, VERSION, "b", "", "", *_headers(grant)]
        return _query(grant, end, protocol, named, _hmac(own.value, signed))

    def _delegated(self, until: datetime) -> DelegationKey:
        with self._lock:
            if self._key is None or self._key.expires_at < until:
                self._key = self._asked()
            return self._key

    def _asked(self) -> DelegationKey:
        import requests

        start, end = now() - _CLOCKS_DIFFER, now() + _KEY_LASTS
        wanted = (
            f"<KeyInfo><Start>{_written(start)}</Start><Expiry>{_written(end)}</Expiry></KeyInfo>"
        )
        try:
            answer = requests.post(
                f"{self._address}/?restype=service&comp=userdelegationkey",
                data=wanted,
                headers={
                    "Authorization": f"Bearer {self._identity.bearer()}",
                    "Content-Type": "application/xml",
                    "x-ms-version": VERSION,
                },
                timeout=_SECONDS,
            )
            answer.raise_for_status()
            given = ElementTree.fromstring(answer.content)  # noqa: S314 - from Azure, over TLS
            said = {child.tag: child.text or "" for child in given}
            return DelegationKey(
                value=said["Value"],
                object_id=said["SignedOid"],
                tenant_id=said["SignedTid"],
                start=said["SignedStart"],
                expiry=said["SignedExpiry"],
                service=said["SignedService"],
                version=said["SignedVersion"],
                expires_at=end,
            )
        except (requests.RequestException, ElementTree.ParseError, KeyError) as error:
            raise StorageUnavailable(
                "Azure Blob gives the managed identity no key for links",
                f"Give it the role Storage Blob Delegator on the account {self._account}.",
            ) from error


def container_maker(account: str, account_key: str) -> str:
    """The query that lets one make a container for some minutes (an account SAS)."""
    end = _written(now() + _CLOCKS_DIFFER)
    pairs = {"sv": VERSION, "ss": "b", "srt": "c", "sp": "c", "se": end}
    signed = [account, "c", "b", "c", "", end, "", "", VERSION, "", ""]
    pairs["sig"] = _hmac(account_key, signed)
    return urlencode(pairs, quote_via=quote, safe="")


def _headers(grant: Grant) -> list[str]:
    """rscc, rscd, rsce, rscl, rsct: what the answer's headers will say."""
    return [grant.cache_control, grant.disposition, "", "", grant.content_type]


def _query(grant: Grant, end: str, protocol: str, named: dict[str, str], signature: str) -> str:
    pairs = {
        "sv": VERSION,
        "sr": "b",
        "sp": "r",
        "se": end,
        "spr": protocol,
        **named,
        "rscc": grant.cache_control,
        "rscd": grant.disposition,
        "rsct": grant.content_type,
        "sig": signature,
    }
    return urlencode(pairs, quote_via=quote, safe="")


def _hmac(key: str, lines: list[str]) -> str:
    digest = hmac.digest(base64.b64decode(key), "\n".join(lines).encode(), hashlib.sha256)
    return base64.b64encode(digest).decode()


def _protocol(plain: bool) -> str:
    return "https,http" if plain else "https"


def _written(moment: datetime) -> str:
    """UTC in whole seconds, as Azure writes it."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
