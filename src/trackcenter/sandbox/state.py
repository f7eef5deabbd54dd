"""What the sandbox remembers: one SQLite file, a temporary one when no file is named.

SQLite without fsync: a killed sandbox loses nothing (the operating system has the pages), a
power cut may, and that is fine here. Everything runs on the event loop's thread; a statement
costs some tens of microseconds. Moments are Unix seconds.
"""

import json
import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS settings (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS tokens (
    token TEXT PRIMARY KEY, client TEXT NOT NULL, expires REAL NOT NULL);
-- Items of Graph mailboxes (folders drafts, sentitems, inbox) and mails sent by ACS (folder acs).
CREATE TABLE IF NOT EXISTS mails (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    mailbox TEXT NOT NULL, folder TEXT NOT NULL,
    immutable_id TEXT NOT NULL UNIQUE, rest_id TEXT NOT NULL UNIQUE,
    internet_message_id TEXT NOT NULL,
    created REAL NOT NULL, modified REAL NOT NULL, sent REAL, visible REAL NOT NULL,
    content TEXT NOT NULL, words TEXT NOT NULL, mime BLOB);
CREATE INDEX IF NOT EXISTS mails_by_folder ON mails (mailbox, folder, seq);
CREATE INDEX IF NOT EXISTS mails_by_message_id ON mails (internet_message_id);
CREATE TABLE IF NOT EXISTS extended_properties (
    mail INTEGER NOT NULL, id TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (mail, id));
CREATE INDEX IF NOT EXISTS extended_properties_by_value ON extended_properties (id, value);
CREATE TABLE IF NOT EXISTS attachments (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, mail INTEGER NOT NULL,
    name TEXT NOT NULL, content_type TEXT NOT NULL, content_id TEXT, is_inline INTEGER NOT NULL,
    size INTEGER NOT NULL, content BLOB);
CREATE INDEX IF NOT EXISTS attachments_by_mail ON attachments (mail);
CREATE TABLE IF NOT EXISTS uploads (
    id TEXT PRIMARY KEY, token TEXT NOT NULL, mail INTEGER NOT NULL, item TEXT NOT NULL,
    size INTEGER NOT NULL, received INTEGER NOT NULL, expires REAL NOT NULL);
CREATE TABLE IF NOT EXISTS upload_chunks (
    upload TEXT NOT NULL, start INTEGER NOT NULL, content BLOB NOT NULL,
    PRIMARY KEY (upload, start));
-- Every accepted message: what GET /messages lists and the inbox page shows.
CREATE TABLE IF NOT EXISTS accepted (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    channel TEXT NOT NULL, provider TEXT NOT NULL, sender TEXT NOT NULL, recipient TEXT NOT NULL,
    subject TEXT, text TEXT NOT NULL, idempotency_key TEXT, accepted REAL NOT NULL,
    internet_message_id TEXT, message_id TEXT, mail INTEGER,
    status TEXT NOT NULL DEFAULT 'ACCEPTED');
CREATE INDEX IF NOT EXISTS accepted_by_message_id ON accepted (message_id);
CREATE TABLE IF NOT EXISTS news (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, accepted INTEGER NOT NULL,
    recipient TEXT NOT NULL, happened REAL NOT NULL, what TEXT NOT NULL, detail TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS news_by_accepted ON news (accepted);
CREATE TABLE IF NOT EXISTS sms_reports (message_id TEXT PRIMARY KEY, report TEXT NOT NULL);
-- Repeatable requests: an answer is given again while the window lasts.
CREATE TABLE IF NOT EXISTS repeats (
    key TEXT PRIMARY KEY, first_seen REAL NOT NULL, fingerprint TEXT NOT NULL,
    answer TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS repeats_by_age ON repeats (first_seen);
CREATE TABLE IF NOT EXISTS operations (id TEXT PRIMARY KEY, accepted INTEGER, done REAL NOT NULL);
CREATE TABLE IF NOT EXISTS subscriptions (
    id TEXT PRIMARY KEY, mailbox TEXT NOT NULL, expires REAL NOT NULL,
    immutable_ids INTEGER NOT NULL, resource TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS event_grid_targets (
    url TEXT PRIMARY KEY, target TEXT NOT NULL, validated INTEGER NOT NULL);
-- What is still to happen; a job stays until it is done, so a restart goes on with it.
CREATE TABLE IF NOT EXISTS jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT, due REAL NOT NULL, kind TEXT NOT NULL,
    target TEXT NOT NULL, body TEXT NOT NULL, tries INTEGER NOT NULL DEFAULT 0,
    since REAL NOT NULL);
CREATE INDEX IF NOT EXISTS jobs_by_due ON jobs (due);
"""

_TABLES_OF_MESSAGES = (
    "mails",
    "extended_properties",
    "attachments",
    "uploads",
    "upload_chunks",
    "accepted",
    "news",
    "sms_reports",
    "repeats",
    "operations",
)

Row = sqlite3.Row
Json = Any
"""Decoded JSON of unknown shape."""


def _opened(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, timeout=1.0)
    # Exclusive, because two sandboxes on one file would do every job twice.
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    connection.execute("PRAGMA journal_mode = WAL")
    return connection


class Store:
    """The sandbox's memory. Statements outside `transaction()` commit by themselves."""

    def __init__(self, path: Path | None) -> None:
        """Opens or makes the file; a file of another version is set aside and a new one made.

        Raises:
            OSError: the file cannot be opened, is no SQLite file, or another sandbox has it.
        """
        try:
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._db = _opened(path)
                if self._db.execute("PRAGMA user_version").fetchone()[0] not in {0, _VERSION}:
                    self._db.close()
                    path.replace(path.with_name(path.name + ".old"))
                    self._db = _opened(path)
            else:
                # The empty name is SQLite's private temporary database: it spills to disk.
                self._db = sqlite3.connect("", isolation_level=None)
            self._db.row_factory = sqlite3.Row
            self._db.execute("PRAGMA synchronous = OFF")
            self._db.execute("PRAGMA cache_size = -16000")
            self._db.executescript(_SCHEMA)
            self._db.execute(f"PRAGMA user_version = {_VERSION}")
        except sqlite3.DatabaseError as error:
            raise OSError(f"the state file {path} cannot be used: {error}") from error
        self._attachment_bytes = self.number("SELECT SUM(LENGTH(content)) FROM attachments")
        if self.setting("generation") is None:
            self.set_setting("generation", secrets.token_hex(4))

    def close(self) -> None:
        """Closes the file; the store is unusable afterwards."""
        self._db.close()

    def run(self, sql: str, values: Sequence[object] = ()) -> int:
        """Runs one statement; answers the row id of an INSERT, else the number of rows touched."""
        cursor = self._db.execute(sql, values)
        if sql.lstrip()[:6].upper() == "INSERT":
            return cursor.lastrowid or 0
        return cursor.rowcount

    def one(self, sql: str, values: Sequence[object] = ()) -> Row | None:
        """The first row, or None."""
        row: Row | None = self._db.execute(sql, values).fetchone()
        return row

    def all(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """Every row."""
        return self._db.execute(sql, values).fetchall()

    def number(self, sql: str, values: Sequence[object] = ()) -> int:
        """The first column of the first row as a whole number; 0 when there is none."""
        row = self.one(sql, values)
        return int(row[0] or 0) if row is not None else 0

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All statements inside commit together. Never awaits inside, so never nests."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def setting(self, key: str) -> Json:
        """A remembered JSON value, or None."""
        row = self.one("SELECT value FROM settings WHERE key = ?", (key,))
        return None if row is None else json.loads(row["value"])

    def set_setting(self, key: str, value: Json) -> None:
        """Remembers a JSON value."""
        self.run(
            "INSERT INTO settings VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = ?2",
            (key, json.dumps(value)),
        )

    def forget_messages(self) -> None:
        """Empties mailboxes, messages and pending work; tokens and subscriptions stay.

        Delta links handed out before become invalid, since their items are gone.
        """
        with self.transaction():
            for table in _TABLES_OF_MESSAGES:
                self.run(f"DELETE FROM {table}")
            self.run("DELETE FROM jobs WHERE kind <> 'handshake'")
            self.set_setting("generation", secrets.token_hex(4))
        self._attachment_bytes = 0

    def keep_attachment(
        self,
        *,
        mail: int,
        attachment_id: str,
        name: str,
        content_type: str,
        content_id: str | None,
        is_inline: bool,
        content: bytes,
        keep_bytes: int,
    ) -> None:
        """Stores an attachment and forgets the content of the oldest beyond `keep_bytes`.

        Rows stay, so names and sizes can still be shown; only the bytes are dropped.
        """
        self.run(
            "INSERT INTO attachments (id, mail, name, content_type, content_id, is_inline, size,"
            " content) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                attachment_id,
                mail,
                name,
                content_type,
                content_id,
                int(is_inline),
                len(content),
                content,
            ),
        )
        self._attachment_bytes += len(content)
        while self._attachment_bytes > keep_bytes:
            oldest = self.one(
                "SELECT seq, size FROM attachments WHERE content IS NOT NULL ORDER BY seq LIMIT 1"
            )
            if oldest is None:
                return
            self.run("UPDATE attachments SET content = NULL WHERE seq = ?", (oldest["seq"],))
            self._attachment_bytes -= oldest["size"]
