"""The embedded PostgreSQL as its users meet it."""

import os
import shutil
import signal
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from trackcenter import embedded

Start = Callable[..., Any]
Query = Callable[..., list[tuple[Any, ...]]]
Gone = Callable[[int], bool]

BUSY = "DO $$ BEGIN LOOP END LOOP; END $$"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_folder_has_three_roles_with_their_rights(data: Path, query: Query) -> None:
    with embedded.running(data) as server:
        assert query(server.superuser_url, "SHOW is_superuser") == [("on",)]
        query(server.owner_url, "CREATE TABLE kept (id bigint GENERATED ALWAYS AS IDENTITY)")
        query(server.owner_url, "CREATE EXTENSION pg_trgm; CREATE EXTENSION btree_gin")
        query(server.app_url, "INSERT INTO kept DEFAULT VALUES")
        query(server.app_url, "UPDATE kept SET id = DEFAULT")
        assert query(server.app_url, "SELECT id, current_user FROM kept") == [(2, "trackcenter")]
        query(server.app_url, "DELETE FROM kept")
        for refused in (
            "TRUNCATE kept",
            "DROP TABLE kept",
            "ALTER TABLE kept ADD COLUMN more text",
            "CREATE TABLE other (id bigint)",
            "SET ROLE trackcenter_owner",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                query(server.app_url, refused)


def test_the_database_is_durable_in_utc_and_utf8(data: Path, query: Query) -> None:
    expected = {
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "data_checksums": "on",
        "jit": "off",
        "TimeZone": "UTC",
        "server_encoding": "UTF8",
        "max_connections": "100",
        "listen_addresses": "127.0.0.1",
    }
    with embedded.running(data) as server:
        for name, value in expected.items():
            assert query(server.app_url, f"SHOW {name}") == [(value,)], name
        locale = (
            "SELECT datlocprovider::text, datlocale FROM pg_database WHERE datname = 'trackcenter'"
        )
        assert query(server.app_url, locale) == [("b", "C.UTF-8")]
        assert query(server.app_url, "SELECT upper('äöü')") == [("ÄÖÜ",)]


def test_files_are_private_and_passwords_are_asked_for(data: Path) -> None:
    with embedded.running(data) as server:
        home = data / "postgres"
        assert mode(home / "secrets.json") == 0o600
        assert mode(home / "state.json") == 0o600
        assert mode(home / "cluster") == 0o700
        assert mode(server.socket_folder) == 0o700
        for host in ("127.0.0.1", str(server.socket_folder)):
            with pytest.raises(psycopg.OperationalError, match="password"):
                psycopg.connect(
                    host=host,
                    port=server.port,
                    user="postgres",
                    dbname="trackcenter",
                    password="guess",
                )


def test_data_of_people_do_not_reach_the_log(data: Path, query: Query) -> None:
    with embedded.running(data) as server:
        query(server.owner_url, "CREATE TABLE kept (email text PRIMARY KEY)")
        query(server.app_url, "INSERT INTO kept VALUES ('ada@example.org')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            query(server.app_url, "INSERT INTO kept VALUES ('ada@example.org')")
    log = (data / "postgres/postgres.log").read_text()
    assert "duplicate key" in log
    assert "ada@example.org" not in log


def test_the_next_start_finds_the_data_at_the_same_address(
    data: Path, query: Query, gone: Gone
) -> None:
    with embedded.running(data) as first:
        query(first.owner_url, "CREATE TABLE kept AS SELECT 1 AS n")
        processes = (first.postmaster_pid, first.supervisor_pid)
        address = first.app_url
    assert all(gone(pid) for pid in processes)
    with embedded.running(data) as second:
        assert second.app_url == address
        assert query(second.app_url, "SELECT n FROM kept") == [(1,)]


def test_two_processes_share_one_server_until_the_last_is_done(
    data: Path, start_user: Start, query: Query, gone: Gone
) -> None:
    server = embedded.acquire(data)
    other = start_user(data)
    said = other.says()
    assert said["app_url"] == server.app_url
    assert said["postmaster"] == server.postmaster_pid
    server.release()
    server.release()
    assert query(said["app_url"], "SELECT 1") == [(1,)]
    assert other.finish() == {"released": True}
    assert gone(said["postmaster"])
    assert gone(said["supervisor"])


def test_users_that_start_at_the_same_moment_share_one_new_server(
    new: Path, start_user: Start
) -> None:
    users = [start_user(new) for _ in range(4)]
    said = [user.says() for user in users]
    assert len({(one["postmaster"], one["app_url"]) for one in said}) == 1
    for user in users:
        user.finish()


def test_it_stops_when_its_last_user_is_killed(data: Path, start_user: Start, gone: Gone) -> None:
    user = start_user(data)
    said = user.says()
    user.kill()
    assert gone(said["postmaster"])
    assert gone(said["supervisor"])


def test_interrupting_the_users_process_group_leaves_the_database_running(
    data: Path, start_user: Start, query: Query
) -> None:
    user = start_user(data)
    said = user.says()
    os.killpg(user.process.pid, signal.SIGINT)
    assert query(said["app_url"], "SELECT 1") == [(1,)]
    assert user.finish() == {"released": True}


def test_a_restart_keeps_address_and_data(data: Path, query: Query) -> None:
    with embedded.running(data) as server:
        query(server.owner_url, "CREATE TABLE kept AS SELECT 1 AS n")
        before = server.postmaster_pid
        with psycopg.connect(server.app_url) as connection:
            server.restart()
            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT 1")
        assert server.postmaster_pid != before
        assert query(server.app_url, "SELECT n FROM kept") == [(1,)]


def test_a_killed_postgres_comes_back_at_its_address_while_in_use(data: Path, query: Query) -> None:
    with embedded.running(data) as server:
        query(server.owner_url, "CREATE TABLE kept (n int)")
        # Two sessions that outlive their postmaster: one busy, one idle in a transaction.
        busy = psycopg.connect(server.app_url)
        busy.pgconn.send_query(BUSY.encode())
        with psycopg.connect(server.app_url) as writing:
            writing.execute("INSERT INTO kept VALUES (1)")
            writing.commit()
            writing.execute("INSERT INTO kept VALUES (2)")
            os.kill(server.postmaster_pid, signal.SIGKILL)
            assert query(server.app_url, "SELECT n FROM kept") == [(1,)]
            with pytest.raises(psycopg.OperationalError):
                writing.commit()
        busy.close()


def test_a_killed_supervisor_is_replaced_while_in_use(data: Path, query: Query, gone: Gone) -> None:
    with embedded.running(data) as server:
        query(server.owner_url, "CREATE TABLE kept AS SELECT 1 AS n")
        before = server.supervisor_pid, server.postmaster_pid
        os.kill(before[0], signal.SIGKILL)
        assert gone(before[1])
        assert query(server.app_url, "SELECT n FROM kept") == [(1,)]
        assert server.supervisor_pid not in (0, before[0])


def test_nothing_outlives_a_killed_user_and_a_killed_supervisor(
    data: Path, start_user: Start, gone: Gone
) -> None:
    user = start_user(data)
    said = user.says()
    user.kill()
    os.kill(said["supervisor"], signal.SIGKILL)
    assert gone(said["postmaster"])


def test_what_was_committed_survives_the_killing_of_everything(
    data: Path, start_user: Start, query: Query
) -> None:
    user = start_user(data)
    said = user.says()
    query(said["superuser_url"], "CREATE TABLE kept (at timestamptz)")
    for n in range(3):
        query(said["superuser_url"], "INSERT INTO kept VALUES (now())")
        busy = psycopg.connect(said["app_url"])
        busy.pgconn.send_query(BUSY.encode())
        for pid in (user.process.pid, said["supervisor"], said["postmaster"]):
            os.kill(pid, signal.SIGKILL)
        user.process.wait()
        user = start_user(data)
        said = user.says()
        assert query(said["superuser_url"], "SELECT count(*) FROM kept") == [(n + 1,)]
        busy.close()
    user.finish()


def test_a_lock_file_that_names_a_foreign_process_does_not_hinder(data: Path, query: Query) -> None:
    with embedded.running(data) as server:
        left = (data / "postgres/cluster/postmaster.pid").read_text().splitlines()
        pid = server.postmaster_pid
        os.kill(pid, signal.SIGKILL)
        assert query(server.app_url, "SELECT 1") == [(1,)]
    # As after a crash of the machine: the number is somebody else's now.
    (data / "postgres/cluster/postmaster.pid").write_text(
        "\n".join([str(os.getpid()), *left[1:]]) + "\n"
    )
    with embedded.running(data) as server:
        assert query(server.app_url, "SELECT 1") == [(1,)]


def test_an_interrupted_first_start_is_begun_again(new: Path, query: Query) -> None:
    half_made = new / "postgres/cluster-new-abc"
    half_made.mkdir(parents=True)
    (half_made / "PG_VERSION").write_text("18\n")
    with embedded.running(new) as server:
        assert query(server.app_url, "SELECT 1") == [(1,)]
    assert not half_made.exists()


def test_data_of_another_major_version_are_refused_in_a_sentence(data: Path) -> None:
    version = data / "postgres/cluster/PG_VERSION"
    version.write_text("17\n")
    with pytest.raises(embedded.EmbeddedError, match=r"made by PostgreSQL 17, but PostgreSQL 18"):
        embedded.acquire(data)
    version.write_text("18\n")


def test_missing_passwords_are_named(data: Path) -> None:
    passwords = data / "postgres/secrets.json"
    away = passwords.rename(data / "away")
    with pytest.raises(embedded.EmbeddedError, match=r"secrets\.json"):
        embedded.acquire(data)
    away.rename(passwords)


def test_what_postgres_complains_about_is_passed_on(data: Path) -> None:
    configuration = data / "postgres/cluster/postgresql.conf"
    good = configuration.read_text()
    configuration.write_text(good + "max_connections = nonsense\n")
    with pytest.raises(embedded.EmbeddedError, match=r"does not start: .*max_connections"):
        embedded.acquire(data)
    configuration.write_text(good)


@pytest.fixture
def deep() -> Iterator[Path]:
    top = Path(tempfile.mkdtemp())
    yield top.joinpath(*("a-folder-with-a-long-name" for _ in range(6)))
    shutil.rmtree(top)


def test_a_path_too_long_for_a_socket_is_no_hindrance(deep: Path, query: Query) -> None:
    with embedded.running(deep) as server:
        first = server.socket_folder
        assert not first.is_relative_to(deep)
        assert mode(first) == 0o700
        assert query(server.app_url, "SELECT 1") == [(1,)]
    with embedded.running(deep) as server:
        assert server.socket_folder == first
    embedded.discard(deep)
    assert not first.exists()
    assert list(deep.iterdir()) == []


def test_a_database_in_use_is_not_discarded(data: Path, query: Query) -> None:
    with embedded.running(data) as server:
        with pytest.raises(embedded.EmbeddedError, match="in use"):
            embedded.discard(data)
        assert query(server.app_url, "SELECT 1") == [(1,)]


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(embedded.EmbeddedError, match=r"cannot be made .*Not a directory"):
        embedded.acquire(tmp_path / "file" / "data")
