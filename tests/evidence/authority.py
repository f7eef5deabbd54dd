"""A time-stamping authority (RFC 3161) for tests: it grants whatever it is asked."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_KEY = ec.derive_private_key(7, ec.SECP256R1())
_NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")])
CERTIFICATE = (
    x509.CertificateBuilder()
    .subject_name(_NAME)
    .issuer_name(_NAME)
    .public_key(_KEY.public_key())
    .serial_number(1)
    .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
    .not_valid_after(datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=36500))
    .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
    .sign(_KEY, hashes.SHA256())
)


def _der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    length = len(content)
    if length < 0x80:
        return bytes([tag, length]) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + content


def _number(value: int) -> bytes:
    return _der(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _oid(dotted: str) -> bytes:
    first, second, *rest = map(int, dotted.split("."))
    content = bytes([40 * first + second])
    for arc in rest:
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(0x80 | arc & 0x7F)
        content += bytes(reversed(groups))
    return _der(0x06, content)


_SHA256 = _der(0x30, _oid("2.16.840.1.101.3.4.2.1"))
_TST_INFO = _oid("1.2.840.113549.1.9.16.1.4")


def answer(imprint: bytes, nonce: bytes, moment: datetime) -> bytes:
    """TimeStampResp over a SHA-256; `nonce` is an INTEGER as it came, or nothing."""
    info = _der(
        0x30,
        _number(1),
        _oid("1.2.3.4"),
        _der(0x30, _SHA256, _der(0x04, imprint)),
        _number(42),
        _der(0x18, f"{moment:%Y%m%d%H%M%SZ}".encode()),
        nonce,
    )
    certificate = CERTIFICATE.public_bytes(serialization.Encoding.DER)
    signing_certificate = _der(
        0x30, _der(0x30, _der(0x30, _der(0x04, hashlib.sha256(certificate).digest())))
    )
    attributes = b"".join(
        _der(0x30, _oid(name), _der(0x31, value))
        for name, value in (
            ("1.2.840.113549.1.9.3", _TST_INFO),
            ("1.2.840.113549.1.9.4", _der(0x04, hashlib.sha256(info).digest())),
            ("1.2.840.113549.1.9.16.2.47", signing_certificate),
        )
    )
    signature = _KEY.sign(_der(0x31, attributes), ec.ECDSA(hashes.SHA256()))
    signer = _der(
        0x30,
        _number(1),
        _der(0x30, _NAME.public_bytes(), _number(1)),
        _SHA256,
        _der(0xA0, attributes),
        _der(0x30, _oid("1.2.840.10045.4.3.2")),
        _der(0x04, signature),
    )
    signed = _der(
        0x30,
        _number(3),
        _der(0x31, _SHA256),
        _der(0x30, _TST_INFO, _der(0xA0, _der(0x04, info))),
        _der(0xA0, certificate),
        _der(0x31, signer),
    )
    token = _der(0x30, _oid("1.2.840.113549.1.7.2"), _der(0xA0, signed))
    return _der(0x30, _der(0x30, _number(0)), token)


def time_stamp(content: bytes, moment: datetime) -> bytes:
    """A time-stamp of some content."""
    return answer(hashlib.sha256(content).digest(), b"", moment)


class _Handler(BaseHTTPRequestHandler):
    broken = False
    moment = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers["Content-Length"]))
        at = asked.index(b"\x04\x20") + 2  # a SHA-256 as an OCTET STRING
        imprint, rest = asked[at : at + 32], asked[at + 32 :]
        nonce = rest[: rest[1] + 2] if rest[:1] == b"\x02" else b""
        self.send_response(503 if self.broken else 200)
        self.end_headers()
        self.wfile.write(answer(imprint, nonce, self.moment))

    def log_message(self, *arguments: object) -> None:
        """Quiet."""


@contextmanager
def running_authority(*, broken: bool = False) -> Iterator[str]:
    """Its address."""
    handler = type("Handler", (_Handler,), {"broken": broken})
    server = HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/tsa"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
