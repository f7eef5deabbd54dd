import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.http import HttpResponseBase
from django.test import Client
from pytest_django import Settings

from trackcenter import storage

HTML_POLICY = (
    "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'self'"
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Settings) -> Path:
    settings.STORAGE_URL = tmp_path.as_uri()
    settings.ROOT_URLCONF = "trackcenter.storage.urls"
    return tmp_path


def link(content: bytes, content_type: str, file_name: str = "Bill", seconds: int = 600) -> str:
    sha256 = storage.save(content, content_type=content_type)
    return storage.sign(
        sha256,
        file_name=file_name,
        content_type=content_type,
        expires_in=timedelta(seconds=seconds),
    )


def body(response: HttpResponseBase) -> bytes:
    return response.getvalue()  # type: ignore[attr-defined,no-any-return]


def test_a_pdf_is_shown_in_place_without_a_session(client: Client) -> None:
    response = client.get(link(b"%PDF-1.7", "application/pdf", "Abrechnung Größer.pdf"))
    assert response.status_code == 200
    assert body(response) == b"%PDF-1.7"
    assert response["Content-Type"] == "application/pdf"
    assert response["Content-Length"] == "8"
    assert response["Content-Disposition"] == (
        "inline; filename*=utf-8''Abrechnung%20Gr%C3%B6%C3%9Fer.pdf"
    )
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in response["Content-Security-Policy"]
    assert response["Cache-Control"] == "private, max-age=300"
    assert response["Referrer-Policy"] == "no-referrer"
    assert "Set-Cookie" not in response


def test_what_came_from_outside_is_only_ever_a_download(client: Client) -> None:
    sha256 = storage.save(b"%PDF-1.7", content_type="application/pdf")
    path = storage.sign(
        sha256,
        file_name="Beleg.pdf",
        content_type="application/pdf",
        expires_in=timedelta(hours=1),
        download=True,
    )
    response = client.get(path)
    assert response["Content-Disposition"] == 'attachment; filename="Beleg.pdf"'
    assert response["X-Content-Type-Options"] == "nosniff"


def test_the_body_of_an_email_is_shown_in_a_sandbox(client: Client) -> None:
    response = client.get(link("<p>Größer</p>".encode(), "text/html"))
    assert response["Content-Security-Policy"] == HTML_POLICY
    assert response["X-Frame-Options"] == "SAMEORIGIN"
    assert response["Content-Type"] == "text/html; charset=utf-8"
    assert response["Content-Disposition"].startswith("inline")


@pytest.mark.parametrize("content_type", ["image/svg+xml", "text/plain", "image/png", "text/xml"])
def test_anything_else_is_a_download(client: Client, content_type: str) -> None:
    response = client.get(link(b"<svg onload='alert(1)'/>", content_type, 'a"b.svg'))
    assert response["Content-Disposition"] == 'attachment; filename="a\\"b.svg"'
    assert response["Content-Security-Policy"].startswith("sandbox; default-src 'none'")


def test_html_in_disguise_is_still_in_the_sandbox(client: Client) -> None:
    response = client.get(link(b"<p>", "TEXT/HTML; charset=utf-8"))
    assert response["Content-Security-Policy"] == HTML_POLICY


def test_a_large_file_is_streamed(client: Client) -> None:
    content = os.urandom(6_000_000)
    response = client.get(link(content, "application/pdf"))
    assert response.streaming
    assert response["Content-Length"] == "6000000"
    assert body(response) == content


def test_an_expired_link_is_gone(client: Client) -> None:
    response = client.get(link(b"x", "text/plain", seconds=-2))
    assert response.status_code == 410
    assert b"expired" in response.content
    assert response["Cache-Control"] == "no-store"


def test_an_altered_link_is_forbidden(client: Client) -> None:
    path = link(b"x", "text/plain")
    assert client.get(path[:-1] + ("A" if path[-1] != "A" else "B")).status_code == 403
    assert client.get("/files/invented").status_code == 403


def test_a_link_signed_with_another_key_is_forbidden(client: Client, settings: Settings) -> None:
    path = link(b"x", "text/plain")
    settings.SECRET_KEY = "another"
    assert client.get(path).status_code == 403


def test_a_file_that_is_gone_is_not_found(client: Client, folder: Path) -> None:
    path = link(b"x", "text/plain")
    for file in folder.rglob("*"):
        if file.is_file():
            file.unlink()
    assert client.get(path).status_code == 404


def test_a_damaged_file_is_not_served(client: Client, folder: Path) -> None:
    path = link(b"sound", "text/plain")
    for file in folder.rglob("*"):
        if file.is_file():
            file.write_bytes(b"hacks")
    response = client.get(path)
    assert response.status_code == 500
    assert b"hacks" not in response.content


def test_only_reading_is_allowed(client: Client) -> None:
    path = link(b"x", "text/plain")
    assert client.head(path).status_code == 200
    assert client.post(path).status_code == 405
    assert client.delete(path).status_code == 405
