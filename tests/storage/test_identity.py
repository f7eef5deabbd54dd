"""As a managed identity instead of by an account key: Azure's own library gets the token, from a
token service as Container Apps has it, and a real Azurite takes it over TLS."""

import base64
import ipaddress
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.storage.azurite import running_azurite
from trackcenter.kit.clock import now

HEADER = "header-of-the-test"

WORK = """
import json, re, sys
from datetime import timedelta
import django.conf, requests
django.conf.settings.configure(
    STORAGE_URL="az://trackfiles/identity", AZURE_STORAGE_KEY=None, SECRET_KEY="x",
    AZURE_STORAGE_IDENTITY="system", AZURE_STORAGE_ENDPOINT=sys.argv[1],
)
from trackcenter import storage
told = {"made": storage.prepare(), "made again": storage.prepare()}
small = storage.save(b"bill", content_type="text/plain")
large = storage.save_stream((b"x" * 1_000_000 for _ in range(9)), content_type="text/csv")
told["read"] = [storage.open(small).decode(), sum(map(len, storage.open_stream(large)))]
def signed(seconds):
    return storage.sign_direct(
        small, file_name="Bill.txt", content_type="text/plain",
        expires_in=timedelta(seconds=seconds), download=True,
    )
address = signed(600)
told["signed for"] = re.findall("skoid=([^&]*)", address)
opened = requests.get(address, timeout=20)
told["link"] = [opened.status_code, opened.text, opened.headers["Content-Disposition"]]
altered = address.replace("text%2Fplain", "text%2Fhtml")
told["altered"] = requests.get(altered, timeout=20).status_code
told["expired"] = requests.get(signed(-2), timeout=20).status_code
print(json.dumps(told))
"""
REFUSED = """
import sys
import django.conf
django.conf.settings.configure(
    STORAGE_URL="az://trackfiles/identity", AZURE_STORAGE_KEY=None,
    AZURE_STORAGE_IDENTITY="system", AZURE_STORAGE_ENDPOINT=sys.argv[1],
)
from trackcenter import storage
try:
    storage.check_writable()
except storage.StorageUnavailable as trouble:
    print(trouble.what, "-", trouble.mend)
"""


def a_token() -> str:
    """A token as Entra writes it, but for the signature, which Azurite does not look at."""
    claims = {
        "aud": "https://storage.azure.com",
        "iss": "https://sts.windows.net/11111111-1111-4111-8111-111111111111/",
        "oid": "22222222-2222-4222-8222-222222222222",
        "tid": "11111111-1111-4111-8111-111111111111",
        "iat": int(now().timestamp()) - 60,
        "nbf": int(now().timestamp()) - 60,
        "exp": int(now().timestamp()) + 3600,
    }
    parts = [json.dumps(part).encode() for part in ({"alg": "RS256", "typ": "JWT"}, claims)]
    encoded = [base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (*parts, b"none")]
    return ".".join(encoded)


class TokenService(BaseHTTPRequestHandler):
    """`IDENTITY_ENDPOINT` of App Service and Container Apps, version 2019-08-01."""

    def do_GET(self) -> None:
        allowed = self.headers.get("X-IDENTITY-HEADER") == HEADER
        [resource] = parse_qs(urlsplit(self.path).query)["resource"]
        asked_right = resource.rstrip("/") == "https://storage.azure.com"
        content = {"access_token": a_token(), "token_type": "Bearer"}
        content["expires_on"] = str(int(now().timestamp()) + 3600)
        body = json.dumps(content if allowed and asked_right else {"message": "no"}).encode()
        self.send_response(200 if allowed and asked_right else 400)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture
def token_service() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), TokenService)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/msi/token"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of 127.0.0.1, with its key beside it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now() - timedelta(days=1))
        .not_valid_after(now() + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "certificate.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    path.with_name("key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


def test_a_managed_identity_makes_the_container_writes_reads_and_signs(
    certificate: Path, token_service: str
) -> None:
    options = ["--oauth", "basic", "--cert", str(certificate)]
    options += ["--key", str(certificate.with_name("key.pem"))]
    with running_azurite(*options, certificate=certificate) as azurite:
        trusted = dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"), str(certificate))
        environment = {**os.environ, **trusted, "IDENTITY_ENDPOINT": token_service}

        def run(code: str, header: str) -> str:
            return subprocess.run(
                [sys.executable, "-c", code, azurite.endpoint],
                env={**environment, "IDENTITY_HEADER": header},
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            ).stdout

        assert json.loads(run(WORK, HEADER)) == {
            "made": True,
            "made again": False,
            "read": ["bill", 9_000_000],
            "signed for": ["22222222-2222-4222-8222-222222222222"],
            "link": [200, "bill", 'attachment; filename="Bill.txt"'],
            "altered": 403,
            "expired": 403,
        }
        refused = run(REFUSED, "another")
        assert "gets no token" in refused
        assert "Give this machine a managed identity" in refused
