"""Print runs: the ready letters of a batch, once, in order, and then posted."""

import io
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pikepdf
import pytest
from django.conf import settings
from django.db import connection
from pytest_django import Settings

from tests.api_client import api_client, get, post
from tests.communications.factories import a_bill, an_admin
from tests.delivery_records.files import a_picture, uploaded
from tests.queue.jobs import jobs
from trackcenter import storage
from trackcenter.batches import printing, selectors
from trackcenter.batches.models import PrintRun
from trackcenter.batches.services import fulfil, request_send
from trackcenter.batches.tasks import make_print_run
from trackcenter.channels.documents.reading import opened, pages_of
from trackcenter.communications import services
from trackcenter.communications.models import Attempt, Batch, Communication
from trackcenter.config.environment import S10Range
from trackcenter.delivery.services import deliver
from trackcenter.delivery_records.proofs import Proof, accept
from trackcenter.evidence.verify import verify
from trackcenter.kit.clock import now
from trackcenter.kit.errors import Conflict, InputError, NotFound
from trackcenter.queue import dead_letters
from trackcenter.queue.payloads import SendCommunicationJob
from trackcenter.storage.keys import key

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def postal_numbers(settings: Settings) -> None:
    settings.S10_RANGE = S10Range("RR", 10_000_000, 19_999_999, "DE")
    settings.SENDER_NAME = "Hausverwaltung"
    settings.SENDER_ADDRESS = "Lindenallee 1, 10115 Berlin"


def ready_letters(*units: str, channel: str = "LETTER") -> Batch:
    """Letters of these units that lie ready; their batch."""
    address = {"street": "Hauptstr. 5", "postcode": "10115", "city": "Berlin"}
    made = [a_bill(channel, unit=unit, **address)[0] for unit in units]
    batch = made[0].batch
    fulfil(request_send(an_admin().visible, batch.id).id)
    for one in made:
        deliver(SendCommunicationJob(one.id, channel))  # type: ignore[arg-type]
    return batch


def resend(one: Communication, **contact: Any) -> None:
    """The same letter once more, to a corrected address or the same; it lies ready at once."""
    services.resend(an_admin(), one.id, contact=services.Contact(**contact))
    deliver(SendCommunicationJob(one.id, "LETTER"))


def damage(sha256: str) -> None:
    """A stored file loses its content."""
    (Path(urlsplit(settings.STORAGE_URL).path) / key(sha256)).write_bytes(b"lost")


def made_run(batch: Batch) -> PrintRun:
    run = printing.request_run(an_admin(), batch.id)
    printing.make(run.id)
    run.refresh_from_db()
    return run


def texts_of(sha256: str) -> list[str]:
    with opened(storage.open_blob(sha256)) as document:
        return [page.everything() for page in pages_of(document)]


def test_a_run_has_the_registered_letters_first_and_units_in_their_order() -> None:
    batch = ready_letters("10", "2")
    ready_letters("3", "1", channel="LETTER_WITH_RECEIPT")
    run = made_run(batch)
    assert (run.status, run.letter_count) == ("READY", 4)
    pages = texts_of(run.letters_sha256)
    order = [
        next(u for u in ("10", "2", "3", "1") if f"Resident {u}\n" in f"{page}\n".replace("\r", ""))
        for page in pages
    ]
    assert order == ["1", "3", "2", "10"]
    numbers = [a.postal_number for a in Attempt.objects.exclude(postal_number="")]
    slip = "".join(texts_of(run.slip_sha256)).replace(" ", "")
    assert all(number in slip for number in numbers)
    assert run.page_count == len(pages) == 4
    assert pikepdf.open(io.BytesIO(storage.open_blob(run.labels_sha256))).pages


def test_asking_again_gives_the_same_run_and_new_letters_a_run_of_their_own() -> None:
    batch = ready_letters("1")
    first = made_run(batch)
    assert printing.request_run(an_admin(), batch.id).id == first.id
    ready_letters("2")
    second = made_run(batch)
    assert (second.id != first.id, second.letter_count) == (True, 1)
    listed = selectors.list_print_runs(an_admin().visible, batch.id)
    assert [one["id"] for one in listed["items"]] == [second.id, first.id]
    assert listed["ready"] == 0


def test_making_a_run_again_gives_the_same_bytes() -> None:
    run = made_run(ready_letters("1", "2"))
    before = (run.letters_sha256, run.labels_sha256)
    PrintRun.objects.update(status="PENDING")
    printing.make(run.id)
    run.refresh_from_db()
    assert (run.letters_sha256, run.labels_sha256) == before


def test_the_slip_is_found_at_each_registered_letter() -> None:
    batch = ready_letters("1", channel="LETTER_WITH_RECEIPT")
    run = made_run(batch)
    one = Communication.objects.get()
    assert one.attachments.get(kind="LODGEMENT_SLIP").sha256 == run.slip_sha256


def test_posted_letters_are_sent_as_of_that_day() -> None:
    batch = ready_letters("1", "2")
    run = made_run(batch)
    PrintRun.objects.update(created_at=now() - timedelta(days=2))
    yesterday = (now() - timedelta(days=1)).date()
    for _ in range(2):  # said twice, written once
        printing.mark_posted(an_admin(), run.id, posted_on=yesterday)
    for one in Communication.objects.all():
        assert (one.delivery_status, one.ready_to_print) == ("SENT", False)
        assert one.sent_at is not None
        assert one.sent_at.date() == yesterday
        assert one.events.filter(type="POSTED").count() == 1
    assert verify().finding is None
    with pytest.raises(Conflict, match="was posted on"):
        printing.mark_posted(an_admin(), run.id, posted_on=now().date())


def test_nothing_is_posted_before_it_was_printed() -> None:
    run = made_run(ready_letters("1"))
    with pytest.raises(InputError, match="printed later, on"):
        printing.mark_posted(an_admin(), run.id, posted_on=date(326, 11, 24))
    assert PrintRun.objects.get().status == "READY"
    printing.mark_posted(an_admin(), run.id, posted_on=printing.today(run))
    one = Communication.objects.get()
    assert one.sent_at is not None
    assert one.sent_at >= run.created_at
    (posted,) = one.events.filter(type="POSTED").select_related("payload_row")
    assert posted.payload_row.payload["postedOn"] == printing.today(run).isoformat()


def a_scan(content: bytes = b"") -> Proof:
    return accept(uploaded(content or a_picture("PNG"), "Beleg.png"), "body", "scan")


def test_the_stamped_slip_is_a_proof_of_each_registered_letter() -> None:
    batch = ready_letters("1", "2")
    ready_letters("3", "4", channel="LETTER_WITH_RECEIPT")
    run = made_run(batch)
    scan = a_scan()
    for _ in range(2):  # said twice, written once
        printing.mark_posted(an_admin(), run.id, posted_on=now().date(), scan=scan)
    for one in Communication.objects.all():
        registered = one.channel == "LETTER_WITH_RECEIPT"
        proofs = [(file.file_name, file.sha256) for file in one.attachments.filter(kind="PROOF")]
        assert proofs == ([("Beleg.png", scan.sha256)] if registered else [])
        (posted,) = one.events.filter(type="POSTED").select_related("payload_row")
        written = posted.payload_row.payload.get("proofSha256")
        assert written == (scan.sha256 if registered else None)
    shown = selectors.get_print_run(an_admin().visible, run.id)
    assert shown["scanName"] == "Beleg.png"
    with pytest.raises(Conflict, match="has its scan"):
        printing.mark_posted(
            an_admin(), run.id, posted_on=now().date(), scan=a_scan(a_picture("JPEG"))
        )
    assert verify().finding is None


def test_the_stamped_slip_may_come_later_and_is_then_news() -> None:
    run = made_run(ready_letters("1", channel="LETTER_WITH_RECEIPT"))
    printing.mark_posted(an_admin(), run.id, posted_on=now().date())
    one = Communication.objects.get()
    assert selectors.get_print_run(an_admin().visible, run.id)["scanUrl"] is None
    scan = a_scan()
    for _ in range(2):
        printing.mark_posted(an_admin(), run.id, posted_on=now().date(), scan=scan)
    assert one.attachments.get(kind="PROOF").sha256 == scan.sha256
    (notice,) = one.events.filter(type="NOTICE").select_related("payload_row")
    assert notice.payload_row.payload["kind"] == "POSTING_PROOF"
    assert notice.payload_row.payload["detail"] == {
        "printRunId": str(run.id),
        "proofs": [scan.sha256],
    }
    assert one.events.filter(type="POSTED").count() == 1


def test_a_run_without_registered_letters_has_its_proof_at_every_letter() -> None:
    run = made_run(ready_letters("1", "2"))
    printing.mark_posted(an_admin(), run.id, posted_on=now().date(), scan=a_scan())
    for one in Communication.objects.all():
        assert one.attachments.filter(kind="PROOF").count() == 1


def test_the_scan_comes_in_a_form_and_is_seen_at_the_run_and_at_the_letter() -> None:
    api = api_client()
    run = made_run(ready_letters("1", channel="LETTER_WITH_RECEIPT"))
    path = f"/api/track/print-runs/{run.id}/posted"
    day = now().date().isoformat()
    bad = api.post(path, {"date": day, "scan": uploaded(b"MZ", "slip.pdf")})
    assert (bad.status_code, bad.json()["errors"][0]["loc"]) == (422, ["body", "scan"])
    assert get(api, f"/print-runs/{run.id}")["status"] == "READY"
    content = a_picture("PNG")
    for _ in range(2):
        answer = api.post(path, {"date": day, "scan": uploaded(content, "slip.png")})
        assert (answer.status_code, answer.json()["status"]) == (200, "POSTED")
    shown = get(api, f"/print-runs/{run.id}")
    assert shown["scanName"] == "slip.png"
    assert api.get(shown["scanUrl"]).content == content
    one = get(api, f"/communications/{Communication.objects.get().id}")
    assert [file["kind"] for file in one["attachments"]].count("PROOF") == 1
    assert (
        post(api, f"/print-runs/{run.id}/posted", {"date": day}, expect=200)["scanName"]
        == "slip.png"
    )


def test_many_labels_are_made_some_sheets_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = ready_letters(*map(str, range(1, 24)))
    whole = texts_of(made_run(batch).labels_sha256)
    monkeypatch.setattr(printing, "_SHEETS_AT_ONCE", 1)
    PrintRun.objects.update(status="PENDING")
    printing.make(PrintRun.objects.get().id)
    assert texts_of(PrintRun.objects.get().labels_sha256) == whole
    assert len(whole) == 2


def test_what_cannot_be_is_refused() -> None:
    batch = ready_letters("1")
    run = printing.request_run(an_admin(), batch.id)
    with pytest.raises(Conflict, match="not ready yet"):
        printing.mark_posted(an_admin(), run.id, posted_on=now().date())
    printing.make(run.id)
    tomorrow = (now() + timedelta(days=2)).date()
    with pytest.raises(InputError, match="has not come"):
        printing.mark_posted(an_admin(), run.id, posted_on=tomorrow)
    empty = a_bill("EMAIL", building="B2")[0].batch
    with pytest.raises(Conflict, match="no letter"):
        printing.request_run(an_admin(), empty.id)


def test_a_damaged_letter_fails_the_run_with_its_reason(monkeypatch: Any) -> None:
    batch = ready_letters("1")
    letter = Communication.objects.get().attachments.get(kind="LETTER")
    letter.sha256 = storage.save(b"not a PDF", content_type="application/pdf")
    letter.save()
    run = made_run(batch)
    assert (run.status, "cannot be merged" in run.reason) == ("FAILED", True)


def test_a_letter_whose_file_is_damaged_frees_the_others_and_may_be_resent() -> None:
    batch = ready_letters("1", "2")
    letter = Communication.objects.get(unit__number="1").attachments.get(kind="LETTER")
    damage(letter.sha256)
    run = made_run(batch)
    code = Attempt.objects.get(communication=letter.communication_id).document_code
    assert (run.status, run.reason.startswith(f"the letter {code} cannot be read; resend it")) == (
        "FAILED",
        True,
    )
    assert selectors.list_print_runs(an_admin().visible, batch.id)["ready"] == 2
    resend(letter.communication)
    again = made_run(batch)
    assert (again.id != run.id, again.status, again.letter_count) == (True, "READY", 2)
    assert selectors.list_print_runs(an_admin().visible, batch.id)["ready"] == 0
    printing.make(run.id)  # its job comes once more
    run.refresh_from_db()
    assert run.status == "FAILED"


NEW_HOME = {"street": "Neue Str. 9", "postcode": "10117", "city": "Berlin", "country": "DE"}


def test_a_letter_resent_before_the_files_are_made_goes_out_once_and_to_the_right_address() -> None:
    batch = ready_letters("1", "2")
    run = printing.request_run(an_admin(), batch.id)
    resend(Communication.objects.get(unit__number="1"), address=NEW_HOME)
    printing.make(run.id)
    second = made_run(batch)
    run.refresh_from_db()
    assert (run.status, run.letter_count, run.page_count) == ("READY", 1, 1)
    assert "Resident 2" in texts_of(run.letters_sha256)[0]
    (letter,) = texts_of(second.letters_sha256)
    assert (second.letter_count, "Neue Str. 9" in letter) == (1, True)


def test_a_letter_resent_while_the_files_are_made_is_in_none_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    batch = ready_letters("1", "2")
    run = printing.request_run(an_admin(), batch.id)
    merge = printing.merge

    def resend_meanwhile(documents: Any, output: Path) -> int:
        one = Communication.objects.get(unit__number="1")
        if one.newest_attempt == 1:
            resend(one, address=NEW_HOME)
        return merge(documents, output)

    monkeypatch.setattr(printing, "merge", resend_meanwhile)
    printing.make(run.id)
    run.refresh_from_db()
    assert (run.status, run.letter_count, run.page_count) == ("READY", 1, 1)
    assert "Resident 2" in texts_of(run.letters_sha256)[0]


def test_a_run_of_which_everything_was_resent_says_so() -> None:
    batch = ready_letters("1")
    run = printing.request_run(an_admin(), batch.id)
    resend(Communication.objects.get(), address=NEW_HOME)
    printing.make(run.id)
    run.refresh_from_db()
    assert (run.status, run.letter_count, "was resent" in run.reason) == ("FAILED", 0, True)
    assert made_run(batch).letter_count == 1


def test_a_letter_that_is_printed_but_not_posted_is_named_at_the_message() -> None:
    run = made_run(ready_letters("1"))
    one = Communication.objects.get()
    api = api_client()
    assert get(api, f"/communications/{one.id}")["inUnpostedRun"]
    services.resend(an_admin(), one.id, channel="EMAIL")
    assert get(api, f"/communications/{one.id}")["inUnpostedRun"]
    printing.mark_posted(an_admin(), run.id, posted_on=now().date())
    shown = get(api, f"/communications/{one.id}")
    # That the old letter was posted is history; what was sent since has not left yet.
    assert (shown["inUnpostedRun"], shown["deliveryStatus"]) == (False, "ENQUEUED")
    assert [event["attempt"] for event in shown["events"] if event["type"] == "POSTED"] == [1]


@pytest.mark.parametrize("discarded", [False, True])
def test_asking_again_makes_the_run_whose_job_died(discarded: bool) -> None:
    batch = ready_letters("1")
    run = printing.request_run(an_admin(), batch.id)
    assert printing.request_run(an_admin(), batch.id).id == run.id
    (job,) = jobs("make-print-run")  # a second click is no second job
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'failed' WHERE id = %s", [job.id])
    if discarded:
        dead_letters.discard(str(job.id), "no idea", user_id=an_admin().user_id)
    assert selectors.list_print_runs(an_admin().visible, batch.id)["ready"] == 1
    ready_letters("2")
    assert selectors.list_print_runs(an_admin().visible, batch.id)["ready"] == 2
    assert printing.request_run(an_admin(), batch.id).id != run.id
    live = [job.message["printRunId"] for job in jobs("make-print-run") if job.status == "todo"]
    assert (len(live), str(run.id) in live) == (2, True)
    make_print_run(printRunId=str(run.id))
    run.refresh_from_db()
    assert (run.status, run.letter_count) == ("READY", 1)


@pytest.mark.parametrize("form", [str, str.lower, lambda code: code.replace("-", " ")])
def test_a_code_on_a_page_leads_to_its_unit(form: Any) -> None:
    ready_letters("7", channel="LETTER_WITH_RECEIPT")
    attempt = Attempt.objects.get()
    for code in (attempt.document_code, attempt.postal_number):
        found = selectors.find_document(an_admin().visible, form(code))
        assert (found["unitNumber"], found["year"]) == ("7", 2025)
        assert [one["id"] for one in found["communications"]] == [attempt.communication_id]
    with pytest.raises(NotFound, match="neither"):
        selectors.find_document(an_admin().visible, "unit 7")
