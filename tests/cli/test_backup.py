"""A backup of a living installation, restored on an empty machine."""

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.apps import apps

from tests.installation import Installation, a_billing_file, installation, until
from tests.storage.azurite import running_azurite
from trackcenter.cli.backup import NOT_FILES, references

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def living() -> Iterator[Installation]:
    """An installation whose mails have gone out, its history sealed."""
    with installation() as site:
        site.run("import", str(a_billing_file(site.data, 4, channels="EMAIL")))
        site.run("createadmin", "--username", "anna", "--password-stdin", check=False)
        site.run("send", "--building", "B1", "--year", "2025")
        with site.running("worker"):
            until(lambda: set(site.statuses()) & {"SENT"}, seconds=60, what="the first mail")
            until(
                lambda: not site.statuses().keys() & {"PENDING", "ENQUEUED"},
                seconds=60,
                what="all mails",
            )
        site.run("audit", "seal")
        yield site


@pytest.fixture(scope="module")
def made(living: Installation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its backup."""
    folder = tmp_path_factory.mktemp("backups")
    said = living.run("backup", str(folder)).stdout
    [file] = folder.iterdir()
    assert str(file) in said
    return file


def counts(site: Installation) -> dict[str, int]:
    tables = [
        name
        for (name,) in site.query(
            "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
        )
    ]
    return {name: site.query(f'SELECT count(*) FROM "{name}"')[0][0] for name in tables}


def test_a_backup_names_itself_and_is_its_owner_s_alone(made: Path, living: Installation) -> None:
    assert made.name.startswith("trackcenter-")
    assert made.stat().st_mode & 0o777 == 0o600
    with tarfile.open(made) as archive:
        names = archive.getnames()
        manifest = json.loads(archive.extractfile("manifest.json").read())  # type: ignore[union-attr]
    assert names[0] == "database.dump"
    assert names[-1] == "manifest.json"
    [(wanted,)] = living.query(f"SELECT count(*) FROM ({references()}) AS wanted")
    assert wanted > 4
    assert manifest["files"]["count"] == len(names) - 2 == wanted
    assert manifest["files"]["missing"] == []
    assert not any("key" in name for name in names)


def test_restored_on_an_empty_machine_everything_is_there_and_the_audit_is_clean(
    made: Path, living: Installation
) -> None:
    with installation(empty=True) as empty:
        empty.run("restore", str(made))
        assert counts(empty) == counts(living)
        events = "SELECT id, hash FROM communication_events ORDER BY id"
        assert empty.query(events) == living.query(events)
        # Seals count by the key that made them; it stayed where it was.
        key = living.run("audit", "key").stdout.strip()
        assert "OK:" in empty.run("audit", "verify", "--key", key).stdout
        files = {path.name for path in (empty.data / "files").rglob("*") if path.is_file()}
        assert {sha256 for (sha256,) in living.query(references())} <= files
        with (
            psycopg.connect(empty.server.app_url) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute("DELETE FROM communication_events")
        with empty.serving():
            pass  # it serves
        again = empty.run("restore", str(made), check=False)
        assert again.returncode == 1
        assert "not empty" in " ".join(again.stderr.split())


def test_a_damaged_or_unfinished_backup_restores_nothing_and_a_whole_one_also_at_azure(
    made: Path, living: Installation, tmp_path: Path
) -> None:
    content = made.read_bytes()
    short = tmp_path / "short.tar"
    short.write_bytes(content[: len(content) // 2])
    with tarfile.open(made) as archive:
        blob = archive.getmembers()[1]
    bent = tmp_path / "bent.tar"
    at = blob.offset_data + 1
    bent.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
    with installation(empty=True) as empty:
        for file in (short, bent):
            done = empty.run("restore", str(file), check=False)
            assert done.returncode == 1, file
            said = " ".join(done.stderr.split())
            assert "damaged" in said or "not a whole backup" in said
        assert empty.query("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]
        url, again = "az://trackfiles/moved", tmp_path / "again.tar"
        with running_azurite() as azurite:
            for name, value in azurite.settings(url).items():
                empty.environment[f"TRACKCENTER_{name}"] = value
            empty.run("restore", str(made))
            wanted = {sha256 for (sha256,) in living.query(references())}
            assert {name[-64:] for name in azurite.names(url)} == wanted
            empty.run("backup", str(again))
    with tarfile.open(again) as archive, tarfile.open(made) as first:
        assert archive.getnames() == first.getnames()
        manifest = json.loads(archive.extractfile("manifest.json").read())  # type: ignore[union-attr]
    assert manifest["files"]["missing"] == []


def test_a_missing_file_is_said_and_the_rest_is_kept(living: Installation, tmp_path: Path) -> None:
    sha256 = living.query(references())[0][0]
    [path] = (living.data / "files").rglob(sha256)
    aside = path.rename(path.with_suffix(".aside"))
    try:
        done = living.run("backup", str(tmp_path / "one.tar"), check=False)
    finally:
        aside.rename(path)
    assert done.returncode == 1
    assert sha256 in "".join(done.stderr.split())
    with tarfile.open(tmp_path / "one.tar") as archive:
        manifest = json.loads(archive.extractfile("manifest.json").read())  # type: ignore[union-attr]
    assert manifest["files"]["missing"] == [sha256]
    refused = living.run("backup", str(tmp_path / "one.tar"), check=False)
    assert "there already" in " ".join(refused.stderr.split())


def test_the_keys_come_along_only_when_asked_for(living: Installation, tmp_path: Path) -> None:
    living.run("backup", "--with-keys", str(tmp_path / "with.tar"))
    with tarfile.open(tmp_path / "with.tar") as archive:
        assert "keys/secret_key" in archive.getnames()
        # It may be younger than the database in the backup.
        assert (living.data / "keys" / "newest_seal").exists()
        assert "keys/newest_seal" not in archive.getnames()
    with installation(empty=True) as empty:
        (empty.data / "keys").mkdir(exist_ok=True)
        (empty.data / "keys" / "newest_seal").write_text("log\n999\nAAAA\n\n— log AAAA\n")
        said = " ".join(empty.run("restore", str(tmp_path / "with.tar")).stdout.split())
        assert "More was sealed than this backup has" in said
        refused = " ".join(empty.run("audit", "seal", check=False).stderr.split())
        assert "newest_seal is a seal over 999 events" in refused
        (empty.data / "keys" / "newest_seal").unlink()
        empty.run("audit", "seal")
        # The one that starting this very command made stays: it may be in use.
        assert (empty.data / "keys" / "secret_key").stat().st_mode & 0o777 == 0o600


def test_what_is_no_file_is_still_there_to_be_left_out() -> None:
    columns = {
        (model._meta.db_table, field.column)
        for model in apps.get_models()
        for field in model._meta.local_fields
    }
    assert columns >= NOT_FILES
