import json
import logging
import sys

import psycopg
import pytest
from django.db import DatabaseError, connection

from trackcenter.config.logs import JsonLines, request_id


def line_of(**more: object) -> dict[str, object]:
    record = logging.LogRecord("trackcenter.x", logging.INFO, "x.py", 1, "sent %s", ("7",), None)
    record.__dict__.update(more)
    text = JsonLines().format(record)
    assert "\n" not in text
    line: dict[str, object] = json.loads(text)
    return line


def test_a_record_is_one_line_of_json_with_its_extras() -> None:
    line = line_of(communicationId="0190")
    assert line["message"] == "sent 7"
    assert line["level"] == "INFO"
    assert line["communicationId"] == "0190"
    assert str(line["time"]).endswith("Z")
    assert "requestId" not in line


def test_a_line_names_the_request_it_belongs_to() -> None:
    known_as = request_id.set("abc")
    try:
        assert line_of()["requestId"] == "abc"
    finally:
        request_id.reset(known_as)


@pytest.mark.django_db
def test_an_exception_shows_its_place_and_nobodys_data() -> None:
    line = {}
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 'Erika Mustermann'::int")
    except DatabaseError:
        line = line_of(exc_info=sys.exc_info())
    assert "Mustermann" not in json.dumps(line)
    told = line["exception"]
    assert isinstance(told, list)
    assert [one["type"] for one in told] == [
        "django.db.utils.DataError",
        f"psycopg.errors.{psycopg.errors.InvalidTextRepresentation.__name__}",
    ]
    assert told[1]["sqlstate"] == "22P02"
    assert "test_logs.py" in told[0]["at"][0]
