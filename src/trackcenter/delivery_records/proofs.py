"""Uploaded proofs: known by their content, scanned, opened once out of harm's way, then kept."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import filetype
from django.core.files.uploadedfile import UploadedFile

from trackcenter import storage
from trackcenter.communications.models import Attachment, AttachmentKind, Communication
from trackcenter.delivery_records.scanning import Infected, scan
from trackcenter.kit.errors import InputError, Sentence

LARGEST = 20 * 1024 * 1024
"""Bytes of one proof."""

MOST = 10
"""Files that may come at once."""

_PATIENCE = 30
_OPENER = Path(__file__).with_name("opening.py")


@dataclass(frozen=True, slots=True)
class _Kind:
    """An accepted kind of file: how the opener calls it, and how its names end."""

    opener: str
    endings: tuple[str, ...]


KINDS = {
    "application/pdf": _Kind("PDF", (".pdf",)),
    "image/jpeg": _Kind("JPEG", (".jpg", ".jpeg")),
    "image/png": _Kind("PNG", (".png",)),
    "image/heic": _Kind("HEIF", (".heic", ".heif")),
    "image/tiff": _Kind("TIFF", (".tif", ".tiff")),
}
"""What is accepted, by content: a name or a browser's word for it counts for nothing."""


@dataclass(frozen=True, slots=True)
class Proof:
    """A file that passed and is in storage."""

    file_name: str
    content_type: str
    size: int
    sha256: str
    thumbnail_sha256: str


def accept_all(files: "Sequence[UploadedFile[Any]]", *loc: str | int) -> list[Proof]:
    """Every file checked and kept, or `InputError` at `loc` and its place in the list."""
    if len(files) > MOST:
        msg = Sentence(f"at most {MOST} files at once", "tooManyFiles", most=MOST)
        raise InputError.at(*loc, msg=msg)
    return [accept(file, *loc, number) for number, file in enumerate(files)]


def accept(file: "UploadedFile[Any]", *loc: str | int) -> Proof:
    """Check a file and keep it with its thumbnail.

    Raises `InputError` at `loc` for a file that is empty, too large, of another kind, infected or
    cannot be opened, and `ScannerAway` where a virus scanner is set and does not answer.
    """
    if not file.size:
        raise InputError.at(*loc, msg=Sentence("the file is empty", "fileEmpty"))
    if file.size > LARGEST:
        most = LARGEST // 1024 // 1024
        raise InputError.at(
            *loc, msg=Sentence(f"a proof may have {most} MB", "proofTooLarge", most=most)
        )
    content = file.read()
    guess = filetype.guess(content)
    content_type = guess.mime if guess else ""
    kind = KINDS.get(content_type)
    if kind is None:
        msg = Sentence("this is no PDF, JPEG, PNG, HEIC or TIFF", "proofOfOtherKind")
        raise InputError.at(*loc, msg=msg)
    try:
        scan(content)
    except Infected as found:
        msg = Sentence(f"the virus scanner found {found}", "virusFound", name=str(found))
        raise InputError.at(*loc, msg=msg) from found
    thumbnail = _opened(kind.opener, content, loc)
    return Proof(
        file_name=_named(file.name or "", kind),
        content_type=content_type,
        size=len(content),
        sha256=storage.save(content, content_type=content_type),
        thumbnail_sha256=storage.save(thumbnail, content_type="image/jpeg"),
    )


def attach(communication: Communication, proofs: Sequence[Proof]) -> list[Attachment]:
    """Hang accepted proofs on a communication."""
    return Attachment.objects.bulk_create(
        Attachment(
            communication=communication,
            kind=AttachmentKind.PROOF,
            file_name=proof.file_name,
            content_type=proof.content_type,
            size=proof.size,
            sha256=proof.sha256,
            thumbnail_sha256=proof.thumbnail_sha256,
        )
        for proof in proofs
    )


def _opened(opener: str, content: bytes, loc: tuple[str | int, ...]) -> bytes:
    """The thumbnail, drawn by a process that can do no harm; a fresh one, with none of our secrets.

    A process forked from this one would share its memory, database connection and all.
    """
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    try:
        done = subprocess.run(
            [sys.executable, "-s", "-P", "-B", str(_OPENER), opener],
            input=content,
            capture_output=True,
            cwd="/",
            env=kept,
            timeout=_PATIENCE,
            check=True,
        )
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError) as error:
        msg = Sentence("the file cannot be opened safely", "proofUnsafe")
        raise InputError.at(*loc, msg=msg) from error
    line, _, thumbnail = done.stdout.partition(b"\n")
    answer = json.loads(line)
    if "refused" in answer:
        reason = answer["refused"]
        msg = Sentence(f"the file cannot be opened: {reason}", "proofUnreadable", reason=reason)
        raise InputError.at(*loc, msg=msg)
    return thumbnail


def _named(file_name: str, kind: _Kind) -> str:
    """The name without folders, and with an ending that fits what the file is."""
    name = PurePosixPath(file_name.replace("\\", "/")).name[:200] or "proof"
    return name if name.lower().endswith(kind.endings) else f"{name}{kind.endings[0]}"
