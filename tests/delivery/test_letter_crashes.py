"""A worker that dies, or is overtaken, while it makes a letter, and texts that change meanwhile."""

import itertools
import os

import pytest
from pytest_django import Settings

from tests.delivery.crashing import Fate, Plan, Run, is_open
from tests.delivery.jobs import waiting
from trackcenter import storage
from trackcenter.channels.letter import check_document
from trackcenter.communications.models import Attempt, Communication
from trackcenter.config.environment import S10Range
from trackcenter.delivery.branding.models import BuildingTemplate
from trackcenter.evidence.verify import verify

STRIDE = int(os.environ.get("CRASH_STRIDE", "5"))

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(3600)]
_units = itertools.count(1)


@pytest.fixture(autouse=True)
def postal_numbers(settings: Settings) -> None:
    settings.S10_RANGE = S10Range("RR", 20_000_000, 29_999_999, "DE")


def one_letter() -> Communication:
    return waiting(
        "LETTER_WITH_RECEIPT",
        unit=str(next(_units)),
        street="Hauptstr. 5",
        postcode="10115",
        city="Berlin",
    )


def reword(one: Communication, greeting: str) -> None:
    BuildingTemplate.objects.update_or_create(
        building_id=one.building_id, language="en", defaults={"greeting": greeting}
    )


def assert_one_letter(one: Communication) -> None:
    attempt = Attempt.objects.get(communication=one)
    letter, label = one.attachments.order_by("-kind")
    assert (letter.kind, label.kind) == ("LETTER", "LABEL")
    assert attempt.document_code in letter.file_name
    assert attempt.document_code in label.file_name
    check_document(
        storage.open_blob(letter.sha256),
        document_code=attempt.document_code,
        unit=one.unit.number,
        recipient=one.recipient_name,
    )
    sent = one.events.select_related("payload_row").get(type="SENT")
    assert sent.payload_row.payload["detail"]["documentCode"] == attempt.document_code
    assert attempt.provider_message_id == attempt.postal_number != ""
    one.refresh_from_db()
    assert one.ready_to_print


@pytest.mark.slow
@pytest.mark.parametrize("fate", ["dies", "is overtaken"])
def test_an_attempt_has_one_letter_at_whatever_step_its_worker_goes(fate: Fate) -> None:
    whole = Run(one_letter())
    whole.work()
    assert whole.plan.passed > 20
    for step in range(1, whole.plan.passed + 1, STRIDE):
        one = one_letter()
        reword(one, "Good day,")
        Run(one, Plan({step: fate})).work()
        reword(one, "Good evening,")
        if is_open(one):
            again = Run(one)
            again.lease_runs_out()
            again.work()
        assert_one_letter(one)
    assert verify().finding is None


def test_a_letter_that_was_made_is_the_letter_whatever_its_texts_say_by_now() -> None:
    whole = Run(one_letter())
    whole.work()
    one = one_letter()
    reword(one, "Good day,")
    for step in range(whole.plan.passed, 0, -1):  # the last step at which the attempt stays open
        Run(one, Plan({step: "dies"})).work()
        if is_open(one):
            break
        one = one_letter()
    made = one.attachments.get(kind="LETTER").sha256
    reword(one, "Good evening,")
    again = Run(one)
    again.lease_runs_out()
    again.work()
    assert one.attachments.get(kind="LETTER").sha256 == made
    assert_one_letter(one)
