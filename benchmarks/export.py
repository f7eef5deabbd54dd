"""The export worker against bare COPY of the same join, and against a cursor with Python's csv.

Each measure runs in a process of its own: seconds are the best of the rounds, memory is that
process's peak. PostgreSQL is the embedded one, or TRACKCENTER_TEST_DATABASE_URL's server, where a
database is made and dropped again.

The goals: at least half the speed of bare COPY, four times that of the cursor, and at a million
rows no more than 50 MB above the peak at ten thousand.
"""

import argparse
import csv
import io
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

SIZES = (10_000, 100_000)
ROUNDS = 3


def our_export() -> int:
    """As the worker does it: COPY, line ends, hash, storage."""
    from trackcenter import storage
    from trackcenter.exports.files import csv_file
    from trackcenter.exports.rows import Reading, Selection, own_connection

    with own_connection() as database:
        rows = Reading(database, Selection())
        with closing(csv_file(rows, int)) as chunks:
            storage.save_stream(chunks, content_type="text/csv")
    return rows.total


def bare_copy() -> int:
    """The same join, columns as they are stored, the bytes dropped as they come."""
    from trackcenter.exports.rows import AS_STORED, Reading, Selection, own_connection, select

    with own_connection() as database, database.cursor() as cursor:
        rows = Reading(database, Selection())  # the same settings, and the same count
        query = f"COPY ({select(Selection(), AS_STORED)}) TO STDOUT (FORMAT csv)"
        with cursor.copy(query) as copy:
            for _ in copy:
                pass
    return rows.total


def cursor_and_csv() -> int:
    """The usual way: a server-side cursor, the csv module, cells made in Python."""
    from trackcenter.exports.rows import (
        AS_STORED,
        COLUMNS,
        FORMULA_STARTS,
        Reading,
        Selection,
        own_connection,
        select,
    )
    from trackcenter.kit.clock import iso

    def cell(value: Any) -> str:
        if value is None:
            return ""
        if not isinstance(value, str):
            return iso(value)
        return f"'{value}" if value[:1] and value[0] in FORMULA_STARTS else value

    with own_connection() as database, tempfile.TemporaryFile() as file:
        rows = Reading(database, Selection())
        with (
            database.chunked_cursor() as cursor,
            io.TextIOWrapper(file, "utf-8-sig", newline="") as text,
        ):
            writer = csv.writer(text)
            writer.writerow(COLUMNS)
            cursor.execute(select(Selection(), AS_STORED))
            while some := cursor.fetchmany(2_000):
                writer.writerows([[cell(value) for value in row] for row in some])
    return rows.total


MEASURES: dict[str, Callable[[], int]] = {
    "our export": our_export,
    "bare COPY": bare_copy,
    "cursor + csv": cursor_and_csv,
}


def fill_database(rows: int) -> None:
    """In a process of its own: tables and rows, and a planner that knows them."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from benchmarks.filling import fill

    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        fill(cursor, rows)
        # As after a night: the planner knows, and the visibility map is there.
        cursor.execute("VACUUM ANALYZE")


def measure(name: str) -> None:
    """In a process of its own: run one and print what it took."""
    import django

    django.setup()
    begun = time.perf_counter()
    rows = MEASURES[name]()
    seconds = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    megabytes = peak / (1024 * 1024 if sys.platform == "darwin" else 1024)
    print(json.dumps({"rows": rows, "seconds": seconds, "megabytes": megabytes}))


@contextmanager
def a_server(folder: Path) -> Iterator[str]:
    """The address of a PostgreSQL server's superuser."""
    from trackcenter import embedded

    url = os.environ.get("TRACKCENTER_TEST_DATABASE_URL")
    if url:
        yield url
        return
    with embedded.running(folder) as server:
        yield server.superuser_url


@contextmanager
def a_database(server: str, folder: Path, rows: int) -> Iterator[dict[str, str]]:
    """A filled database; the environment that leads to it."""
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    name = f"bench_export_{os.getpid()}"
    parts = conninfo_to_dict(server)
    address = f"{parts['user']}{':' + str(parts['password']) if 'password' in parts else ''}"
    url = f"postgresql://{address}@/{name}?host={parts['host']}&port={parts.get('port', 5432)}"
    kept = {key: value for key, value in os.environ.items() if not key.startswith("TRACKCENTER_")}
    environment = {
        **kept,
        "DJANGO_SETTINGS_MODULE": "trackcenter.config.settings",
        "TRACKCENTER_DATABASE_URL": url,
        "TRACKCENTER_DATA": str(folder),
    }
    with psycopg.connect(server, autocommit=True) as control:
        control.execute(f"CREATE DATABASE {name}".encode())
        try:
            command = [sys.executable, "-m", "benchmarks.export", "--fill", str(rows)]
            subprocess.run(command, env=environment, check=True)
            yield environment
        finally:
            control.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def best_of(environment: dict[str, str], rounds: int) -> dict[str, dict[str, float]]:
    """Each measure's best time and highest peak; they take turns, so that noise hits all."""
    found: dict[str, dict[str, float]] = {}
    for _ in range(rounds):
        for name in MEASURES:
            command = [sys.executable, "-m", "benchmarks.export", "--measure", name]
            done = subprocess.run(
                command, env=environment, check=True, stdout=subprocess.PIPE, text=True
            )
            one = json.loads(done.stdout)
            so_far = found.setdefault(name, one)
            so_far["seconds"] = min(so_far["seconds"], one["seconds"])
            so_far["megabytes"] = max(so_far["megabytes"], one["megabytes"])
    return found


def main() -> None:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser(prog="trackcenter bench export", description=__doc__)
    parser.add_argument("--measure", choices=MEASURES, help=argparse.SUPPRESS)
    parser.add_argument("--fill", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="rows, thousands")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    if options.measure:
        measure(options.measure)
        return
    if options.fill:
        fill_database(options.fill)
        return
    with tempfile.TemporaryDirectory() as place, a_server(Path(place)) as server:
        for size in options.sizes:
            with a_database(server, Path(place) / "data", size) as environment:
                found = best_of(environment, options.rounds)
            ours = found["our export"]["seconds"]
            print(f"{found['our export']['rows']:,} rows")
            for name, one in found.items():
                took, per_second = one["seconds"], one["rows"] / one["seconds"]
                print(
                    f"  {name:13}{took:7.2f} s {per_second:10,.0f} rows/s "
                    f"{one['megabytes']:5.0f} MB   our speed is {took / ours:.2f}× this",
                    flush=True,
                )


if __name__ == "__main__":
    main()
