from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackcenter.kit.clock import now
from trackcenter.storage import sign
from trackcenter.storage.links import PREFIX, LinkAltered, LinkExpired, read_link

SHA256 = "ab" * 32
HOUR = timedelta(hours=1)


def link(**changes: object) -> str:
    given = {"file_name": "Bill.pdf", "content_type": "application/pdf", "expires_in": HOUR}
    return sign(SHA256, **(given | changes))  # type: ignore[arg-type]


def token(path: str) -> str:
    return path.removeprefix(PREFIX)


def test_a_link_says_what_it_opens() -> None:
    opened = read_link(token(link(file_name="Abrechnung Größer.pdf")))
    assert opened.sha256 == SHA256
    assert opened.file_name == "Abrechnung Größer.pdf"
    assert opened.content_type == "application/pdf"
    assert now() + HOUR <= opened.expires_at + timedelta(seconds=1)
    assert opened.expires_at <= now() + HOUR + HOUR / 12


def test_asking_again_gives_the_same_address(monkeypatch: pytest.MonkeyPatch) -> None:
    noon = datetime(2026, 1, 5, 12, 1, tzinfo=UTC)
    monkeypatch.setattr("trackcenter.storage.links.now", lambda: noon)
    first = link()
    monkeypatch.setattr("trackcenter.storage.links.now", lambda: noon + timedelta(minutes=3))
    assert link() == first


def test_a_link_ends() -> None:
    with pytest.raises(LinkExpired):
        read_link(token(link(expires_in=timedelta(seconds=-2))))


def test_any_altered_character_spoils_the_link() -> None:
    good = token(link())
    for place in range(len(good)):
        other = "A" if good[place] != "A" else "B"
        with pytest.raises((LinkAltered, LinkExpired)):
            read_link(good[:place] + other + good[place + 1 :])


@given(st.text())
def test_an_invented_link_is_refused(invented: str) -> None:
    with pytest.raises(LinkAltered):
        read_link(invented)


def test_a_file_name_cannot_break_out() -> None:
    opened = read_link(token(link(file_name="../a\r\nX-Evil: 1\\b\u202epdf.exe")))
    assert opened.file_name == ".._aX-Evil: 1_bpdf.exe"
    assert read_link(token(link(file_name="\n"))).file_name == "file"


@pytest.mark.parametrize("content_type", ["", "pdf", "text/html\r\nX: 1", "text/html, a/b"])
def test_what_is_no_content_type_is_not_signed(content_type: str) -> None:
    with pytest.raises(ValueError, match="content type"):
        link(content_type=content_type)
