"""Schemathesis asks the running server whatever the OpenAPI document allows, and more."""

import json
import os
import re
import subprocess
import sys
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.installation import SECRET, a_billing_file, installation
from tests.receipts.pushes import sms_report

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
)
EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "5"))
"""For each operation. A long run is `SCHEMATHESIS_EXAMPLES=200`: it has every phase."""


def in_chunks(url: str, path: str, body: bytes, secret: str = "") -> int:
    """The status of a POST whose body goes without a Content-Length."""
    connection = HTTPConnection(url.removeprefix("http://"), timeout=20)
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
    connection.request("POST", path, iter([body[:9], body[9:]]), headers, encode_chunked=True)
    with closing(connection):
        return connection.getresponse().status


def test_no_request_breaks_the_server_or_gets_an_answer_the_document_does_not_know(
    tmp_path: Path,
) -> None:
    with installation() as site:
        site.run("import", str(a_billing_file(site.data, 3)))
        secret = site.run("token", "create", "--username", "robot").stdout.strip()
        rows = "SELECT building_id, year, unit_id, batch_id, id FROM communications LIMIT 1"
        [ids] = site.query(rows)
        names = ("building_id", "year", "unit_id", "batch_id", "communication_id")
        # Ids nobody could guess; without them most requests would end at 404.
        config = tmp_path / "schemathesis.toml"
        config.write_text(
            "[parameters]\n"
            + "".join(
                f'"path.{name}" = {value if name == "year" else chr(34) + str(value) + chr(34)}\n'
                for name, value in zip(names, ids, strict=True)
            )
        )
        with site.serving() as url:
            send = f"/api/track/batches/{ids[3]}/send"
            status = in_chunks(url, send, b'{"channels": ["SMS"]}', secret)
            assert (status, site.query("SELECT count(*) FROM batch_sends")) == (411, [(0,)])
            report = json.dumps([sms_report()]).encode()
            assert in_chunks(url, f"/api/track/providers/msgraph/sms?code={SECRET}", report) == 200
            assert site.query("SELECT count(*) FROM inbound_receipts") == [(1,)]
            command = [
                *(sys.executable, "-m", "schemathesis.cli"),
                *("--config-file", str(config), "run", f"{url}/api/openapi.json"),
                *("--header", f"Authorization: Bearer {secret}"),
                *("--header", f"aeg-sas-key: {SECRET}"),
                *("--checks", ",".join(CHECKS)),
                # It would end its own token, and be a stranger from then on.
                *("--exclude-operation-id", "revokeToken"),
                # One thread: Python 3.11 loses count in ast.parse when two of them parse at once.
                *("--workers", "1", "--no-color", "--max-examples", str(EXAMPLES)),
                *(("--phases", "fuzzing", "--max-time", "15") if EXAMPLES < 50 else ()),
            ]
            done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "FAILURES" not in done.stdout
        [cases] = re.findall(r"(\d+) generated", done.stdout)
        assert int(cases) > 50, done.stdout
