"""Signed notes and checkpoints (c2sp.org/signed-note and c2sp.org/tlog-checkpoint).

A note is a text that ends in a line feed, an empty line, and a line `— NAME BASE64` with four bytes
that say which key and an Ed25519 signature over the text. A checkpoint is the text that says how
large a log is and what its Merkle root is.
"""

import base64
import binascii
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

_ED25519 = b"\x01"
_PRIVATE = "PRIVATE+KEY+"


class NotSigned(Exception):
    """A note that none of the believed keys has signed; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """The public half: a name, and 32 bytes."""

    name: str
    public: bytes

    @property
    def id(self) -> bytes:
        """The four bytes that stand before a signature."""
        text = self.name.encode() + b"\n" + _ED25519 + self.public
        return hashlib.sha256(text).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{_base64(_ED25519 + self.public)}"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The private half: the same name, and the 32 bytes of the seed."""

    name: str
    seed: bytes

    @property
    def verifier(self) -> VerifierKey:
        return VerifierKey(self.name, self._key.public_key().public_bytes_raw())

    @property
    def _key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)

    def sign(self, text: str) -> str:
        """The text as a signed note. It must end in a line feed."""
        signature = _base64(self.verifier.id + self._key.sign(text.encode()))
        return f"{text}\n— {self.name} {signature}\n"

    def as_text(self) -> str:
        """The secret as one line, in the form that Go's note package gave it."""
        id_ = self.verifier.id.hex()
        return f"{_PRIVATE}{self.name}+{id_}+{_base64(_ED25519 + self.seed)}"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log says of itself."""

    origin: str
    size: int
    root: bytes

    def as_text(self) -> str:
        """As it is signed."""
        return f"{self.origin}\n{self.size}\n{_base64(self.root)}\n"


def read_checkpoint(text: str) -> Checkpoint:
    """The text of a checkpoint, understood. Raises ValueError."""
    origin, size, root, *rest = text.split("\n")
    if not origin or not size.isascii() or not size.isdecimal() or not rest or rest[-1]:
        raise ValueError("not a checkpoint")
    return Checkpoint(origin, int(size), base64.b64decode(root, validate=True))


def read_verifier_key(text: str) -> VerifierKey:
    """A verifier key (`NAME+ID+KEY`). Raises ValueError."""
    name, id_, key = _parts(text)
    found = VerifierKey(name, key)
    if found.id.hex() != id_:
        raise ValueError("the key is not the one its number says")
    return found


def read_signing_key(text: str) -> SigningKey:
    """What `SigningKey.as_text` wrote. Raises ValueError."""
    if not text.startswith(_PRIVATE):
        raise ValueError("not a signing key")
    name, id_, seed = _parts(text.removeprefix(_PRIVATE))
    key = SigningKey(name, seed)
    if key.verifier.id.hex() != id_:
        raise ValueError("the key is not the one its number says")
    return key


def open_note(note: str, believed: Iterable[VerifierKey]) -> str:
    """The text of a note that one of these keys signed. Raises `NotSigned`."""
    text, separator, signatures = note.rpartition("\n\n")
    if not separator:
        raise NotSigned("it is not a signed note")
    text += "\n"
    by_name = {(key.name, key.id): key for key in believed}
    for line in signatures.splitlines():
        dash, _, rest = line.partition(" ")
        name, _, encoded = rest.partition(" ")
        try:
            signed = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            continue
        key = by_name.get((name, signed[:4]))
        if dash != "—" or key is None:
            continue
        try:
            Ed25519PublicKey.from_public_bytes(key.public).verify(signed[4:], text.encode())
        except InvalidSignature:
            raise NotSigned("its signature is wrong") from None
        return text
    raise NotSigned("no known key signed it")


def _parts(text: str) -> tuple[str, str, bytes]:
    try:
        name, id_, encoded = text.split("+", 2)
        decoded = base64.b64decode(encoded, validate=True)
    except ValueError:
        raise ValueError("not NAME+NUMBER+KEY") from None
    if not name or decoded[:1] != _ED25519 or len(decoded) != 33:
        raise ValueError("not an Ed25519 key")
    return name, id_, decoded[1:]


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
