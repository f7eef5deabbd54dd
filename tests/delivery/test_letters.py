"""Letters through the worker: rendered, checked, numbered, stored, laid ready."""

from typing import Any

import pytest
from pytest_django import Settings

from tests.communications.factories import a_bill, an_admin
from trackcenter import storage
from trackcenter.batches.services import fulfil, request_send
from trackcenter.channels.documents.s10 import S10
from trackcenter.communications import services
from trackcenter.communications.models import Attempt, Communication
from trackcenter.config.environment import S10Range
from trackcenter.delivery import letters
from trackcenter.delivery.services import deliver
from trackcenter.evidence.verify import verify
from trackcenter.queue.payloads import SendCommunicationJob
from trackcenter.queue.retry import RetryAt

pytestmark = pytest.mark.django_db

ADDRESS = {"street": "Hauptstr. 5", "postcode": "10115", "city": "Berlin"}


@pytest.fixture(autouse=True)
def postal_numbers(settings: Settings) -> None:
    settings.S10_RANGE = S10Range("RR", 10_000_000, 10_000_002, "DE")
    settings.SENDER_NAME = "Hausverwaltung"


def send(*bills: list[Communication]) -> None:
    """Enqueue bills and work their jobs, as the queue would."""
    batch = bills[0][0].batch
    fulfil(request_send(an_admin().visible, batch.id).id)
    for bill in bills:
        for one in bill:
            work(one)


def work(one: Communication) -> None:
    attempt = one.attempts.latest("number")
    deliver(SendCommunicationJob(one.id, attempt.channel))


def a_letter(channel: str = "LETTER", **row: Any) -> Communication:
    (one,) = a_bill(channel, **{**ADDRESS, **row})
    return one


def test_a_letter_lies_ready_with_its_label() -> None:
    one = a_letter()
    send([one])
    one.refresh_from_db()
    assert (one.delivery_status, one.ready_to_print, one.sent_at) == ("SENT", True, None)
    files = dict(one.attachments.values_list("kind", "sha256"))
    assert set(files) == {"LETTER", "LABEL"}
    assert all(storage.open_blob(sha256).startswith(b"%PDF") for sha256 in files.values())
    attempt = one.attempts.get()
    assert attempt.recipient.split("\n")[0] == "Resident 1"
    assert one.provider_message_id == attempt.document_code != ""
    assert one.events.get(type="SENT").payload_row.payload["stage"] == "READY_TO_PRINT"
    assert verify().finding is None


def test_registered_letters_get_numbers_that_are_never_used_twice() -> None:
    bills = [[a_letter("LETTER_WITH_RECEIPT", unit=str(number))] for number in (1, 2, 3)]
    send(*bills)
    numbers = [S10.parse(a.postal_number).serial for a in Attempt.objects.order_by("id")]
    assert sorted(numbers) == [10_000_000, 10_000_001, 10_000_002]


def test_a_used_up_range_delays_the_letter_and_says_what_to_do(settings: Settings) -> None:
    settings.S10_RANGE = S10Range("RR", 10_000_000, 10_000_000, "DE")
    first, second = (a_letter("LETTER_WITH_RECEIPT", unit=str(number)) for number in (1, 2))
    send([first])
    with pytest.raises(RetryAt, match="TRACKCENTER_S10_RANGE"):
        work(second)
    settings.S10_RANGE = S10Range("RR", 10_000_000, 10_000_009, "DE")  # overlaps the old one
    Attempt.objects.filter(communication=second).update(next_try_at=None)
    work(second)
    assert second.attempts.get().postal_number == str(S10("RR", 10_000_001, "DE"))


def test_a_worker_that_begins_again_makes_the_same_letter_with_the_same_number() -> None:
    one = a_letter("LETTER_WITH_RECEIPT")
    fulfil(request_send(an_admin().visible, one.batch_id).id)
    from trackcenter.delivery.claim import take

    job = SendCommunicationJob(one.id, "LETTER_WITH_RECEIPT")
    claim = take(job)
    assert claim is not None
    letters.make_letter(claim, sender=letters_sender())  # … and here it dies
    before = set(one.attachments.values_list("kind", "sha256"))
    number = one.attempts.get().postal_number
    Attempt.objects.update(lease_until=None)
    deliver(job)
    assert set(one.attachments.values_list("kind", "sha256")) == before
    assert one.attempts.get().postal_number == number != ""


def letters_sender() -> Any:
    from trackcenter.channels.sender import Sender

    return Sender(name="Hausverwaltung", address="", payee="Hausverwaltung")


def test_a_letter_without_a_glyph_fails_alone_with_its_reason() -> None:
    bad = a_letter(unit="1", recipient="Odd \U0001f9ff Name \ue000")
    good = a_letter(unit="2")
    send([bad], [good])
    bad.refresh_from_db()
    good.refresh_from_db()
    assert bad.delivery_status == "FAILED"
    assert bad.error is not None
    assert bad.error["code"] == "RENDERING"
    assert good.ready_to_print


def test_a_correction_goes_to_the_new_address_and_has_its_own_code() -> None:
    one = a_letter()
    send([one])
    first = one.attempts.get().document_code
    contact = services.Contact(address={**ADDRESS, "street": "Neue Str. 9", "country": "DE"})
    services.resend(an_admin(), one.id, contact=contact)
    work(one)
    second = one.attempts.get(number=2)
    assert "Neue Str. 9" in second.recipient
    assert second.document_code not in ("", first)


def test_email_and_letter_of_a_unit_carry_the_same_document(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    by_mail, by_post = a_bill("EMAIL", "LETTER", **ADDRESS)
    fulfil(request_send(an_admin().visible, by_mail.batch_id).id)
    from trackcenter.delivery.claim import take

    claim = take(SendCommunicationJob(by_mail.id, "EMAIL"))
    assert claim is not None
    statement = letters.make_statement(claim, sender=letters_sender())
    work(by_post)
    attempt = by_post.attempts.get()
    assert statement.document_code == attempt.document_code
    assert storage.open_blob(by_post.attachments.get(kind="LETTER").sha256) == statement.pdf
