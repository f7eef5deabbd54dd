"""A building's own face on what really leaves, and an attempt that keeps what it first said."""

import re
from typing import Any
from urllib.parse import quote

import pytest
from pytest_django import Settings

from tests.delivery.jobs import waiting, work
from tests.sandbox.fixture import MAILBOX, RunningSandbox, wait_for
from trackcenter import storage
from trackcenter.buildings.models import Building
from trackcenter.communications.models import Attempt, Communication
from trackcenter.delivery.branding.models import BuildingSender, BuildingTemplate
from trackcenter.kit.clock import now

pytestmark = pytest.mark.django_db

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 2"><path d="M0 0h4v2z"/></svg>'


def dress(building: Building, **texts: str) -> None:
    BuildingSender.objects.create(
        building=building,
        sender_name="Genossenschaft Süd",
        sender_address="Südweg 1\n80331 München",
        reply_to="fragen@sued.example.org",
        logo_sha256=storage.save(SVG, content_type="image/svg+xml"),
        logo_content_type="image/svg+xml",
    )
    BuildingTemplate.objects.create(building=building, language="en", **texts)


def reword(building: Building, **texts: str) -> None:
    BuildingTemplate.objects.filter(building=building).update(**texts)


def again(one: Communication) -> None:
    """Its next try, now."""
    Attempt.objects.filter(communication=one).update(next_try_at=now())
    assert work(one) is None


def sent_mail(sandbox: RunningSandbox) -> dict[str, Any]:
    path = f"/users/{MAILBOX}/mailFolders/sentitems/messages"
    # Like Exchange, the sandbox says 202 first and files the mail a moment later.
    (mail,) = wait_for(lambda: sandbox.graph("GET", path).json()["value"], what="the sent mail")
    return dict(mail)


def test_a_mail_leaves_under_its_building_s_name(sandbox: RunningSandbox) -> None:
    one = waiting()
    dress(one.building, subject="Bill of {{ unit }}", closing="Yours")
    assert work(one) is None
    mail = sent_mail(sandbox)
    assert mail["subject"] == "Bill of Unit 1"
    assert mail["from"]["emailAddress"]["name"] == "Genossenschaft Süd"
    assert mail["replyTo"][0]["emailAddress"]["address"] == "fragen@sued.example.org"
    assert "The full statement is attached" in mail["body"]["content"]
    statement = one.attachments.get()
    assert statement.kind == "STATEMENT"
    assert statement.file_name in mail["body"]["content"]


def test_a_mail_carries_its_building_s_logo_which_is_no_document(sandbox: RunningSandbox) -> None:
    one = waiting()
    dress(one.building)
    assert work(one) is None
    mail = sent_mail(sandbox)
    path = f"/users/{MAILBOX}/messages/{quote(mail['id'])}/attachments"
    files = {file["isInline"]: file for file in sandbox.graph("GET", path).json()["value"]}
    assert files[False]["contentType"] == "application/pdf"
    assert files[True]["contentType"] == "image/png"
    assert f'src="cid:{files[True]["contentId"]}"' in mail["body"]["content"]
    assert [file.kind for file in one.attachments.all()] == ["STATEMENT"]
    kept = storage.open_blob(one.attempts.get().body_html_sha256).decode()
    assert 'src="data:image/png;base64,' in kept


def test_a_mail_by_the_other_provider_carries_it_too(
    sandbox: RunningSandbox, settings: Settings
) -> None:
    settings.EMAIL_PROVIDER = "acs"
    one = waiting()
    dress(one.building)
    assert work(one) is None
    (number,) = set(re.findall(r"/inbox/(\d+)", sandbox.request("GET", "/").data.decode()))
    page = sandbox.request("GET", f"/inbox/{number}/body").data.decode()
    assert 'src="data:image/png;base64,' in page, "the inbox puts in what the message refers to"
    assert "cid:" not in page


def test_a_mail_that_is_tried_again_says_what_it_said_first(sandbox: RunningSandbox) -> None:
    one = waiting()
    dress(one.building, subject="First {{ year }}")
    sandbox.set_faults(rate503=1)
    assert work(one) is not None
    reword(one.building, subject="Second {{ year }}")
    sandbox.set_faults()
    again(one)
    assert sent_mail(sandbox)["subject"] == "First 2025"
    assert Attempt.objects.get(communication=one).subject == "First 2025"
    assert one.attachments.count() == 1


def test_a_text_message_that_is_tried_again_says_what_it_said_first(
    sandbox: RunningSandbox,
) -> None:
    one = waiting("SMS")
    dress(one.building, sms_text="First {{ year }}")
    sandbox.set_faults(rate503=1)
    assert work(one) is not None
    reword(one.building, sms_text="Second {{ year }}")
    sandbox.set_faults()
    again(one)
    attempt = Attempt.objects.get(communication=one)
    assert storage.open(attempt.body_text_sha256) == b"First 2025"
    assert attempt.sms_segments == 1


def test_a_letter_speaks_in_its_building_s_words() -> None:
    one = waiting("LETTER", street="Hauptstr. 5", postcode="10115", city="Berlin")
    dress(one.building, subject="Bill {{ year }}")
    assert work(one) is None
    assert Attempt.objects.get(communication=one).subject == "Bill 2025"
    assert one.attachments.filter(kind="LETTER").exists()


def test_a_text_that_cannot_be_filled_fails_its_message_alone(sandbox: RunningSandbox) -> None:
    one, other = waiting(unit="1"), waiting(unit="2", building="B2")
    dress(one.building, greeting="{{ gone }}")
    assert work(one) is None
    assert work(other) is None
    one.refresh_from_db()
    other.refresh_from_db()
    assert (one.delivery_status, other.delivery_status) == ("FAILED", "SENT")
    assert "'gone' is undefined" in str(one.error)
