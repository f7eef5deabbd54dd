"""The key that seals are signed with, and those that are believed."""

import os
import secrets
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings

from trackcenter.evidence.models import Seal
from trackcenter.evidence.notes import (
    SigningKey,
    VerifierKey,
    read_checkpoint,
    read_signing_key,
    read_verifier_key,
)
from trackcenter.kit.errors import TrackCenterError


class NoKey(TrackCenterError):
    """There are seals, but not the key that made them. A new one never takes its place unasked."""

    status = 503
    title = "The seal key is missing"


def signing_key() -> SigningKey:
    """This installation's key, made on first use (mode 0600). Raises `NoKey`.

    Where there are seals already, a key that is missing or another one is an error: an operator
    who changed it on purpose names the old one in `SEAL_KEY_FALLBACKS`.
    """
    newest = Seal.objects.order_by("-size").first()
    path = _path()
    key = _read(path)
    if key is None:
        if settings.SEAL_KEY or (newest and newest.verifier_key not in _fallbacks()):
            raise NoKey(f"{path} is missing: put the key back that signed the earlier seals")
        return _make(path, _name(newest))
    if newest and newest.verifier_key not in {str(key.verifier), *_fallbacks()}:
        raise NoKey(
            f"{path} is not the key that signed the earlier seals; if it was changed on purpose, "
            f"set TRACKCENTER_SEAL_KEY_FALLBACKS={newest.verifier_key}"
        )
    return key


def believed_keys() -> list[VerifierKey]:
    """Whose signatures count: this installation's, and those it had before."""
    key = _read(_path())
    mine = [key.verifier] if key else []
    return [*mine, *(read_verifier_key(text) for text in settings.SEAL_KEY_FALLBACKS)]


def _fallbacks() -> set[str]:
    return set(settings.SEAL_KEY_FALLBACKS)


def _path() -> Path:
    return Path(settings.SEAL_KEY or settings.DATA / "keys" / "seal_key")


def _read(path: Path) -> SigningKey | None:
    try:
        return read_signing_key(path.read_text(encoding="utf-8").strip())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise NoKey(f"{path} cannot be read: {error}") from error


def _name(newest: Seal | None) -> str:
    """The log's name: what it was called before, else the address with something of its own."""
    if newest:
        return read_checkpoint(newest.note.rpartition("\n\n")[0] + "\n").origin
    host = urlsplit(settings.PUBLIC_URL or "").hostname or "track-center"
    return f"{host}/{secrets.token_hex(4)}"


def _make(path: Path, name: str) -> SigningKey:
    """A new key. Two processes that start at once agree: the file appears whole, by link."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(SigningKey(name, secrets.token_bytes(32)).as_text() + "\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):  # another process was first: its key counts
            os.link(draft, path)
    finally:
        draft.unlink()
    return read_signing_key(path.read_text(encoding="utf-8").strip())
