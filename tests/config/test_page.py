import json
import re
from http import HTTPStatus
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from trackcenter.access import services
from trackcenter.access.models import Role
from trackcenter.config import page
from trackcenter.config.page import Screen, read_manifest

MANIFEST = {
    "_shared-AAAAAAAA.js": {
        "file": "assets/shared-AAAAAAAA.js",
        "imports": ["_base-BBBBBBBB.js"],
        "css": ["assets/shared-AAAAAAAA.css"],
    },
    "_base-BBBBBBBB.js": {"file": "assets/base-BBBBBBBB.js", "imports": ["_shared-AAAAAAAA.js"]},
    "src/Chart.tsx": {
        "file": "assets/Chart-CCCCCCCC.js",
        "isDynamicEntry": True,
        "css": ["assets/Chart-CCCCCCCC.css"],
    },
    "src/main.tsx": {
        "file": "assets/main-DDDDDDDD.js",
        "isEntry": True,
        "imports": ["_shared-AAAAAAAA.js"],
        "dynamicImports": ["src/Chart.tsx"],
        "css": ["assets/main-DDDDDDDD.css"],
    },
}


@pytest.fixture
def signed_in(db: None) -> Client:
    user = services.create_user("anna", role=Role.VIEWER)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".vite").mkdir()
    (tmp_path / ".vite" / "manifest.json").write_text(json.dumps(MANIFEST), encoding="utf-8")
    monkeypatch.setattr(page, "BUILT", tmp_path)
    return tmp_path


def test_the_manifest_gives_what_the_page_loads_at_once() -> None:
    assert read_manifest(MANIFEST) == Screen(
        script="assets/main-DDDDDDDD.js",
        styles=("assets/shared-AAAAAAAA.css", "assets/main-DDDDDDDD.css"),
        preloads=("assets/shared-AAAAAAAA.js", "assets/base-BBBBBBBB.js"),
    )
    with pytest.raises(LookupError):
        read_manifest({})


def test_the_screen_is_for_those_who_are_signed_in(built: Path) -> None:
    assert Client().get("/").headers["Location"] == "/track"
    response = Client().get("/track?buildingId=1&year=2024")
    assert response.headers["Location"] == (
        "/accounts/login/?next=/track%3FbuildingId%3D1%26year%3D2024"
    )


def test_the_page_hands_the_screen_what_it_needs(signed_in: Client, built: Path) -> None:
    response = signed_in.get("/track")
    text = response.content.decode()
    found = re.search(r'<script id="bootstrap" type="application/json">(.*?)</script>', text)
    assert found is not None
    bootstrap = json.loads(found.group(1))
    assert bootstrap["user"] == {"username": "anna", "role": "viewer"}
    assert bootstrap["logoutUrl"] == "/accounts/logout/"
    assert bootstrap["timeZone"] == settings.TIME_ZONE
    assert len(bootstrap["csrfToken"]) == 64
    assert "no-store" in response.headers["Cache-Control"]


def test_scripts_run_by_this_answers_nonce_only(signed_in: Client, built: Path) -> None:
    nonces = set()
    for _ in range(2):
        response = signed_in.get("/track")
        text = response.content.decode()
        found = re.search(r'<script type="module" src="([^"]+)" nonce="([^"]+)">', text)
        assert found is not None
        assert found.group(1) == "/static/track/assets/main-DDDDDDDD.js"
        nonce = found.group(2)
        assert f"'nonce-{nonce}'" in response.headers["Content-Security-Policy"]
        assert f'<meta property="csp-nonce" nonce="{nonce}">' in text
        nonces.add(nonce)
    assert len(nonces) == 2


def test_a_new_build_is_seen_without_a_restart(signed_in: Client, built: Path) -> None:
    signed_in.get("/track")
    changed = json.dumps(MANIFEST).replace("main-DDDDDDDD", "main-EEEEEEEE")
    (built / ".vite" / "manifest.json").write_text(changed, encoding="utf-8")
    assert "main-EEEEEEEE.js" in signed_in.get("/track").content.decode()


def test_a_missing_build_is_said(
    signed_in: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "BUILT", tmp_path)
    response = signed_in.get("/track")
    assert response.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert "./track" in response.content.decode()
