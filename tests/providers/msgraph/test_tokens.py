"""Tokens over https come by Azure's own library."""

import base64
import json
import ssl
import time
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from tests.providers.peer import Answer, Asked, peer
from trackcenter.providers.base import ProviderFailure
from trackcenter.providers.msgraph.config import GraphConfig
from trackcenter.providers.msgraph.tokens import Tokens
from trackcenter.providers.wire import Pool

TENANT = "5a2d0b0e-6f0c-4a57-9d0b-6a8a3c1f7e21"


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A certificate for this machine that the library trusts during the test."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "peer.pem"
    file.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


def authority(asked: Asked, *, secret_is_right: bool = True) -> Answer:
    base = f"https://{asked.headers['host']}/{TENANT}"
    if asked.target.endswith("/.well-known/openid-configuration"):
        body: dict[str, object] = {
            "issuer": f"{base}/v2.0",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "token_endpoint": f"{base}/oauth2/v2.0/token",
        }
        return Answer(200, json.dumps(body).encode())
    assert asked.target == f"/{TENANT}/oauth2/v2.0/token"
    if not secret_is_right:
        body = {"error": "invalid_client", "error_description": "AADSTS7000215: wrong secret"}
        return Answer(401, json.dumps(body).encode())
    assert b"client_credentials" in asked.body
    body = {"access_token": "a-token", "token_type": "Bearer", "expires_in": 3599}
    return Answer(200, json.dumps(body).encode())


def tokens(url: str, **proof: str) -> Tokens:
    proof = proof or {"client_secret": "secret"}
    return Tokens(GraphConfig(f"{url}/v1.0", url, TENANT, "client", **proof), Pool())


def test_a_token_comes_over_https_and_is_kept(tls: ssl.SSLContext) -> None:
    with peer(authority, tls=tls) as made:
        ours = tokens(made.url)
        assert ours.current() == "a-token"
        asked = len(made.asked)
        assert ours.current() == "a-token"
        assert len(made.asked) == asked


def test_a_wrong_secret_is_ours_to_mend(tls: ssl.SSLContext) -> None:
    def refusing(asked: Asked) -> Answer:
        return authority(asked, secret_is_right=False)

    with peer(refusing, tls=tls) as made, pytest.raises(ProviderFailure) as refused:
        tokens(made.url).current()
    assert refused.value.misconfigured
    assert "AADSTS7000215" in refused.value.raw


def test_an_authority_out_of_reach_is_passing_trouble() -> None:
    with pytest.raises(ProviderFailure) as failed:
        tokens("https://127.0.0.1:9").current()
    assert not failed.value.misconfigured
    assert not failed.value.permanent


def test_a_certificate_signs_in_without_a_secret(tls: ssl.SSLContext, tmp_path: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "track-center")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "graph.pem"
    file.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"a password"),
        )
    )
    proof = {"certificate": str(file), "certificate_password": "a password"}
    with peer(authority, tls=tls) as made:
        assert tokens(made.url, **proof).current() == "a-token"
        form = parse_qs(made.asked[-1].body.decode())
    assert "client_secret" not in form
    (signed,) = form["client_assertion"]
    header, claims, signature = (
        base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in signed.split(".")
    )
    assert json.loads(claims)["iss"] == "client"
    key.public_key().verify(
        signature,
        signed.rpartition(".")[0].encode(),
        padding.PSS(padding.MGF1(hashes.SHA256()), 32)
        if json.loads(header)["alg"].startswith("PS")
        else padding.PKCS1v15(),
        hashes.SHA256(),
    )


def test_a_certificate_that_cannot_be_read_is_ours_to_mend(tmp_path: Path) -> None:
    file = tmp_path / "graph.pem"
    file.write_text("not a certificate")
    for path in (file, tmp_path / "missing.pem"):
        with pytest.raises(ProviderFailure, match="certificate") as refused:
            tokens("https://127.0.0.1:9", certificate=str(path)).current()
        assert refused.value.misconfigured


@pytest.mark.parametrize("identity", ["system", "9d3e0d51-6d2a-4c44-9a52-5d2a0a4c0b11"])
def test_a_managed_identity_needs_no_secret_at_all(
    identity: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def metadata(asked: Asked) -> Answer:
        assert asked.headers.get("metadata", "").lower() == "true"
        until = str(int(time.time()) + 3600)
        body = {"access_token": "machine-token", "expires_on": until, "expires_in": "3600"}
        return Answer(
            200,
            json.dumps(body | {"token_type": "Bearer", "resource": "x"}).encode(),
            {"Content-Type": "application/json"},
        )

    with peer(metadata) as made:
        monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", made.url)
        # Even where the authority is plain http: it is not asked.
        ours = tokens("http://127.0.0.1:9", managed_identity=identity)
        assert ours.current() == "machine-token"
        query = parse_qs(urlsplit(made.asked[-1].target).query)
    assert query["resource"] == ["https://graph.microsoft.com"]
    assert query.get("client_id") == (None if identity == "system" else [identity])


def test_a_certificate_at_a_plain_authority_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(ProviderFailure, match="GRAPH_AUTHORITY") as refused:
        tokens("http://127.0.0.1:9", certificate=str(tmp_path)).current()
    assert refused.value.misconfigured
