"""The log: one JSON object a line, without personal data.

Messages name ids, routes, counts and durations. What an exception says may repeat a row or a
provider's answer, so only its type and place are written, and for a database error its SQLSTATE
and constraint.
"""

import json
import logging
import traceback
from typing import Any

import psycopg

from trackcenter.kit.clock import iso, now
from trackcenter.kit.context import communication_id, request_id

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "request",
    "taskName",
}


class JsonLines(logging.Formatter):
    """Formats a record, and what was given as `extra`, as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": iso(now()),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if known_as := request_id.get():
            line["requestId"] = known_as
        if known_as := communication_id.get():
            line["communicationId"] = known_as
        line.update({key: said for key, said in vars(record).items() if key not in _STANDARD})
        if record.exc_info and record.exc_info[1] is not None:
            line["exception"] = [_told(error) for error in _chain(record.exc_info[1])]
        return json.dumps(line, default=str, ensure_ascii=False)


def _chain(error: BaseException) -> list[BaseException]:
    """The error and what it came from, newest first."""
    chain: list[BaseException] = []
    at: BaseException | None = error
    while at is not None and at not in chain:
        chain.append(at)
        at = at.__cause__ or at.__context__
    return chain


def _told(error: BaseException) -> dict[str, Any]:
    told: dict[str, Any] = {"type": f"{type(error).__module__}.{type(error).__qualname__}"}
    if isinstance(error, psycopg.Error):
        told["sqlstate"] = error.sqlstate
        told["constraint"] = error.diag.constraint_name
    told["at"] = [
        f"{frame.filename}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)[-12:]
    ]
    return told


def logging_config(level: str) -> dict[str, Any]:
    """For `settings.LOGGING`: everything to standard error at `level`, libraries from WARNING."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": "trackcenter.config.logs.JsonLines"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {
            "trackcenter": {"level": level},
            # Its own handler would write plain text beside ours.
            "django": {"handlers": [], "level": "WARNING", "propagate": True},
            # The path of a signed link is a secret, and 404 is an answer, not news.
            "django.request": {"level": "ERROR"},
        },
    }
