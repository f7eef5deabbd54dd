import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.sandbox.fixture import MAILBOX, SOURCES, running_sandbox, wait_for
from tests.sandbox.webhook import Webhook
from trackcenter.sandbox.state import Store


def test_a_killed_sandbox_goes_on_where_it_was(tmp_path: Path, webhook: Webhook) -> None:
    state = tmp_path / "sandbox" / "state.db"
    with running_sandbox(speed=0.5, state=state) as before:
        assert before.subscribe(webhook.url).status == 201
        sent = before.mail("bounce@example.org")
        before.set_faults(rate429=0.5)
        before.set_faults(slowMs=1)
        token = before.token()
        assert before.inbox() == []
        before.process.kill()
        before.process.wait()
    with running_sandbox(speed=20, state=state) as after:
        headers = {"Authorization": f"Bearer {token}"}
        reply = after.request("GET", f"/v1.0/users/{MAILBOX}/messages", headers=headers)
        assert reply.status == 200
        assert after.request("GET", "/faults").json()["slowMs"] == 1
        [listed] = after.messages()
        assert listed["internetMessageId"] == sent["internetMessageId"]
        [item] = wait_for(webhook.notifications)
        assert sent["internetMessageId"].encode() in after.mime(item["resourceData"]["id"])


def test_the_oldest_attachments_are_forgotten_first(tmp_path: Path) -> None:
    store = Store(tmp_path / "state.db")
    for number in range(5):
        store.keep_attachment(
            mail=number,
            attachment_id=f"a{number}",
            name="bill.pdf",
            content_type="application/pdf",
            content_id=None,
            is_inline=False,
            content=b"x" * 100,
            keep_bytes=250,
        )
    kept = [row["content"] is not None for row in store.all("SELECT * FROM attachments")]
    assert kept == [False, False, False, True, True]
    store.close()


def test_a_taken_port_is_said_in_a_sentence() -> None:
    with running_sandbox() as sandbox:
        port = sandbox.host.partition(":")[2]
        second = subprocess.run(
            [sys.executable, "-m", "trackcenter.sandbox", "--port", port],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            env={"PYTHONPATH": str(SOURCES)},
        )
    assert second.returncode == 1
    assert second.stderr.startswith("sandbox: ")
    assert "Traceback" not in second.stderr


def test_a_failed_transaction_leaves_nothing() -> None:
    store = Store(None)

    def fail_half_way() -> None:
        with store.transaction():
            store.set_setting("a", 1)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert store.setting("a") is None
    store.close()


def test_one_file_belongs_to_one_sandbox(tmp_path: Path) -> None:
    first = Store(tmp_path / "state.db")
    with pytest.raises(OSError, match="cannot be used"):
        Store(tmp_path / "state.db")
    first.close()
    Store(tmp_path / "state.db").close()


def test_a_file_that_is_no_state_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_text("not a database, but long enough to be taken for one" * 40)
    with pytest.raises(OSError, match="cannot be used"):
        Store(tmp_path / "state.db")


def test_a_file_of_another_version_is_set_aside(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "state.db")) as other:
        other.execute("PRAGMA user_version = 99")
    Store(tmp_path / "state.db").close()
    assert (tmp_path / "state.db.old").exists()
