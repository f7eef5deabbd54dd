"""`trackcenter backup` and `restore`: the database and every file it names, together in one file.

A backup is a tar archive: `database.dump` (pg_dump's own form), `files/<sha256>`, and last
`manifest.json`, without which it is not complete. The database is taken in one snapshot; files are
written once and before the row that names them, so whatever the snapshot names is there to be read
while the server goes on working. Every file is hashed on its way in and on its way out.

Secret keys are not part of it unless asked for: whoever has them can sign in as anybody.
"""

import functools
import hashlib
import io
import json
import os
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import psycopg
from django.apps import apps
from django.conf import settings
from django.db import connections, transaction
from psycopg.conninfo import make_conninfo

from trackcenter import __version__, storage
from trackcenter.cli.start import migrate, migrating_alias, protect
from trackcenter.embedded.programs import installed
from trackcenter.evidence.kept import FILE
from trackcenter.kit.clock import iso, now
from trackcenter.kit.errors import Conflict, NotFound, TrackCenterError

FORMAT: Final = 1
DUMP: Final = "database.dump"
MANIFEST: Final = "manifest.json"
FILES: Final = "files/"
KEYS: Final = "keys/"
HELD: Final = 16 * 1024 * 1024
"""Bytes; a file up to this size is read once, a larger one twice: to be checked, then copied."""

CHUNK: Final = 1024 * 1024

NOT_FILES: Final = frozenset({("billing_snapshots", "sha256"), ("api_tokens", "secret_sha256")})
"""Columns called …sha256 that hash something else. Every other one names a stored file."""

Progress = Callable[[int], None]


class BackupError(TrackCenterError):
    """The backup cannot be made or restored; the message says why."""


@dataclass(frozen=True, slots=True)
class Backup:
    """What was written or restored; `missing` are files that the database names but nobody has."""

    path: Path
    files: int
    bytes: int
    missing: tuple[str, ...] = ()


def references() -> str:
    """SQL that gives the hash of every stored file that the database names, once and in order."""
    columns = [
        (model._meta.db_table, field.column)
        for model in apps.get_models()
        for field in model._meta.local_concrete_fields
        if (field.column or "").endswith("sha256")
    ]
    asked = [
        f'SELECT "{column}" FROM "{table}" WHERE "{column}" <> \'\''
        for table, column in sorted(set(columns) - NOT_FILES)
    ]
    return " UNION ".join(asked) + " ORDER BY 1"


def backup(target: Path, *, with_keys: bool = False, progress: Progress | None = None) -> Backup:
    """Write a backup to a file, or under a name of the moment into a folder.

    The name appears once everything is on the disk. `BackupError` when pg_dump refuses, `Conflict`
    when there is such a file already.
    """
    if target.is_dir():
        target = target / f"trackcenter-{now():%Y%m%dT%H%M%SZ}.tar"
    if target.exists():
        raise Conflict(f"{target} is there already")
    if not target.parent.is_dir():
        raise BackupError(f"there is no folder {target.parent}")
    draft = target.with_name(f"{target.name}.part")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
                done = _fill(archive, target, with_keys, progress)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(target)
        _sync(target.parent)
    except OSError as error:
        raise BackupError(f"{draft} cannot be written: {error.strerror or error}") from error
    finally:
        draft.unlink(missing_ok=True)
    return done


def _fill(
    archive: tarfile.TarFile, target: Path, with_keys: bool, progress: Progress | None
) -> Backup:
    alias = migrating_alias()
    files = size = 0
    missing: list[str] = []
    with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        cursor.execute("SELECT pg_export_snapshot(), current_setting('server_version')")
        snapshot, server = cursor.fetchone() or ("", "")
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".dump-") as dump:
            _program(
                "pg_dump",
                *("--format=custom", "--no-owner", "--no-privileges", "--no-comments"),
                *(f"--snapshot={snapshot}", f"--file={dump.name}"),
                alias=alias,
            )
            dump_sha256 = _hash_of(Path(dump.name))
            archive.add(dump.name, DUMP, filter=_nameless)
        for sha256 in _referenced(alias):
            try:
                size += _copy(archive, sha256)
            except (NotFound, storage.DamagedBlob):
                missing.append(sha256)
                continue
            files += 1
            if progress:
                progress(files)
    keys = settings.DATA / "keys"
    if with_keys and keys.is_dir():
        archive.add(keys, KEYS.rstrip("/"), filter=_key)
    manifest = {
        "format": FORMAT,
        "version": __version__,
        "createdAt": iso(now()),
        "server": server,
        "database": {"sha256": dump_sha256},
        "files": {"count": files, "bytes": size, "missing": missing},
    }
    _write(archive, MANIFEST, json.dumps(manifest, indent=2).encode())
    return Backup(target, files, size, tuple(missing))


def restore(source: Path, *, progress: Progress | None = None) -> Backup:
    """Restore a backup into an empty database, and the files into storage.

    Files come first and the database last, in one transaction: a restore that was interrupted is
    simply done again. `Conflict` when the database is not empty, `BackupError` when the backup is
    not whole.
    """
    alias = migrating_alias()
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        if (cursor.fetchone() or (0,))[0]:
            raise Conflict("the database is not empty; restore into a new one")
    connections[alias].close()
    storage.prepare()
    try:
        with tarfile.open(source, "r:") as archive:
            manifest = _manifest(archive)
            files, size = _restore_files(archive, progress)
            if files != manifest["files"]["count"]:
                raise BackupError(f"{source} lacks some of its files")
            settings.DATA.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=settings.DATA, prefix=".dump-") as dump:
                _extract(archive, DUMP, dump)
                if _hash_of(Path(dump.name)) != manifest["database"]["sha256"]:
                    raise BackupError(f"the database in {source} is damaged")
                _program(
                    "pg_restore",
                    *("--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error"),
                    dump.name,
                    alias=alias,
                )
    except (OSError, tarfile.TarError, KeyError, TypeError, ValueError) as error:
        raise BackupError(f"{source} is not a whole backup: {error}") from error
    migrate()
    protect(alias)
    with transaction.atomic(using=alias):
        missing = [sha256 for sha256 in _referenced(alias) if not storage.exists(sha256)]
    return Backup(source, files, size, tuple(missing))


def _restore_files(archive: tarfile.TarFile, progress: Progress | None) -> tuple[int, int]:
    files = size = 0
    for member in archive:
        if member.name.startswith(FILES) and member.isfile():
            with _opened(archive, member) as file:
                chunks = iter(functools.partial(file.read, CHUNK), b"")
                sha256 = storage.save_stream(chunks, content_type="application/octet-stream")
            if member.name != FILES + sha256:
                raise BackupError(f"the file {member.name} in the backup is damaged")
            files, size = files + 1, size + member.size
            if progress:
                progress(files)
        elif member.name.startswith(KEYS) and member.isfile():
            _restore_key(member.name[len(KEYS) :], _content(archive, member))
    return files, size


def _restore_key(name: str, content: bytes) -> None:
    """A key that is here already stays: it may have signed something since."""
    folder = settings.DATA / "keys"
    if "/" in name or name.startswith("."):
        raise BackupError(f"{name} is no name of a key")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileExistsError):
        descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)


def _referenced(alias: str) -> Iterator[str]:
    """The hashes by a cursor on the server, so that any number of them fits."""
    connection = connections[alias]
    connection.ensure_connection()
    raw: psycopg.Connection[tuple[str]] = connection.connection
    with raw.cursor(name="referenced_files") as cursor:
        cursor.execute(references().encode())
        for (sha256,) in cursor:
            yield sha256


def _copy(archive: tarfile.TarFile, sha256: str) -> int:
    """Put a stored file into the archive; says its size. Raises NotFound or DamagedBlob first."""
    size = storage.size(sha256)
    if size <= HELD:
        content = storage.open_blob(sha256)
        _write(archive, FILES + sha256, content)
        return len(content)
    for _ in storage.open_stream(sha256):
        pass  # reading to the end is the check
    entry = _entry(FILES + sha256, size)
    archive.addfile(entry, _Chunks(storage.open_stream(sha256)))
    return size


class _Chunks(io.RawIOBase):
    """An iterator of bytes as the file that tarfile wants to read from."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def read(self, size: int = -1) -> bytes:
        while size < 0 or len(self._rest) < size:
            chunk = next(self._chunks, None)
            if chunk is None:
                break
            self._rest += chunk
        size = len(self._rest) if size < 0 else size
        given, self._rest = self._rest[:size], self._rest[size:]
        return given


def _program(name: str, *arguments: str, alias: str) -> None:
    """Run one of PostgreSQL's programs on a database; the password travels by the environment."""
    own = {
        "context",
        "prepare_threshold",
        "cursor_factory",
        "server_side_binding",
        "client_encoding",
    }
    known = connections[alias].get_connection_params()
    parts = {key: value for key, value in known.items() if key not in own}
    password = str(parts.pop("password", "") or "")
    database = make_conninfo(**{key: value for key, value in parts.items() if value is not None})
    done = subprocess.run(
        [installed().path(name), "--no-password", f"--dbname={database}", *arguments],
        env={**os.environ, "PGPASSWORD": password, "LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BackupError(f"{name} failed: {done.stderr.strip()[-2000:]}")


def _manifest(archive: tarfile.TarFile) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads(_content(archive, archive.getmember(MANIFEST)))
    if manifest["format"] != FORMAT:
        raise BackupError(f"this backup has a form ({manifest['format']}) not known here")
    return manifest


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    with _opened(archive, member) as file:
        return file.read()


def _extract(archive: tarfile.TarFile, name: str, target: IO[bytes]) -> None:
    with _opened(archive, archive.getmember(name)) as file:
        while chunk := file.read(CHUNK):
            target.write(chunk)
    target.flush()


@contextmanager
def _opened(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Iterator[IO[bytes]]:
    file = archive.extractfile(member)
    if file is None:
        raise BackupError(f"{member.name} in the backup is no file")
    with file:
        yield file


def _write(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    archive.addfile(_entry(name, len(content)), io.BytesIO(content))


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = size, 0o600, int(now().timestamp())
    return entry


def _key(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Keys alone: no draft of a file, and not the newest seal, which may be younger than the
    database in this backup."""
    name = entry.name.removeprefix(KEYS)
    return None if name.startswith(".") or name == FILE else _nameless(entry)


def _nameless(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """Who wrote it is nobody's business."""
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry


def _hash_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
