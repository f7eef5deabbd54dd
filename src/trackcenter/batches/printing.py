"""Print runs: the letters that lie ready, in one file, with labels and lodgement slip; then posted.

A run's letters and their order are fixed when it is asked for; only what is resent before its files
are made falls out. Making its files is work that can be done again at any time with the same
result: what is merged are the archived letters.
"""

import tempfile
from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet

from trackcenter import storage
from trackcenter.access.actor import Actor
from trackcenter.access.visible import VisibleBuildings
from trackcenter.batches.models import PrintRun, PrintRunItem, PrintRunStatus
from trackcenter.channels.documents.merge import merge
from trackcenter.channels.documents.s10 import S10
from trackcenter.channels.errors import RenderError
from trackcenter.channels.letter import SHEETS, Label, SlipItem, render_labels, render_slip
from trackcenter.channels.sender import Sender
from trackcenter.communications import events
from trackcenter.communications.models import Attachment, AttachmentKind, Attempt, Batch, Source
from trackcenter.communications.payloads import Notice, Payload, Posted
from trackcenter.delivery_records.proofs import Proof
from trackcenter.kit.clock import now
from trackcenter.kit.errors import Conflict, InputError, NotFound, Sentence
from trackcenter.queue.dead import named_in_live_jobs
from trackcenter.queue.payloads import PrintRunJob
from trackcenter.queue.publish import publish

_PENDING = PrintRunStatus.PENDING
_PIECE = 1024 * 1024
_EVENTS_AT_ONCE = 500
_SHEETS_AT_ONCE = 10


@transaction.atomic
def request_run(actor: Actor, batch_id: UUID) -> PrintRun:
    """Gather the ready letters of a batch that are in no run yet into a new one.

    Registered letters come first (they go over the counter with the slip), then the others; each
    in the order of unit numbers. When no letter is new, the batch's latest run that is not posted
    is given back, so that asking twice makes one run. Runs whose job died get another. Raises
    `NotFound`, or `Conflict` when there is nothing to print.
    """
    batches = Batch.objects.visible_to(actor.visible).select_for_update(no_key=True)
    batch = batches.filter(id=batch_id).first()
    if batch is None:
        raise NotFound("no such batch")
    publish([PrintRunJob(run.id) for run in _abandoned(batch)])
    ready = list(
        ready_letters(batch)
        .order_by("-channel", "communication__unit__sort_key", "id")
        .values_list("id", flat=True)
    )
    if not ready:
        open_runs = batch.print_runs.filter(status__in=(_PENDING, PrintRunStatus.READY))
        latest = open_runs.order_by("-id").first()
        if latest is None:
            words = "no letter of this batch is ready to be printed"
            raise Conflict(Sentence(words, "nothingToPrint"))
        return latest
    # Out of the runs that failed, as a letter is in one run only.
    PrintRunItem.objects.filter(run__batch=batch, run__status=PrintRunStatus.FAILED).delete()
    run = PrintRun.objects.create(
        batch=batch, requested_by_id=actor.user_id, letter_count=len(ready)
    )
    PrintRunItem.objects.bulk_create(
        [
            PrintRunItem(run=run, position=position, attempt_id=attempt_id)
            for position, attempt_id in enumerate(ready, start=1)
        ],
        batch_size=1000,
    )
    publish([PrintRunJob(run.id)])
    return run


def ready_letters(batch: Batch) -> QuerySet[Attempt]:
    """The attempts of a batch whose letters lie ready and are in no print run; one that failed
    holds none."""
    return Attempt.objects.filter(
        Q(print_run_item=None) | Q(print_run_item__run__status=PrintRunStatus.FAILED),
        communication__batch=batch,
        communication__ready_to_print=True,
        number=F("communication__newest_attempt"),
        document_code__gt="",
    )


def letters_to_print(batch: Batch) -> int:
    """How many letters a print run asked for now would make files of: the ready ones, and those of
    runs whose job died."""
    return ready_letters(batch).count() + sum(run.letter_count for run in _abandoned(batch))


def _abandoned(batch: Batch) -> list[PrintRun]:
    """The runs that wait for their files, and no job is there to make them."""
    pending = {run.id: run for run in batch.print_runs.filter(status=_PENDING)}
    cared_for = named_in_live_jobs(pending) if pending else set()
    return [run for id_, run in pending.items() if id_ not in cared_for]


def make(run_id: UUID) -> None:
    """Make a run's files: merged letters, label sheet, and the slip of its registered letters.

    In memory that does not grow with the number of letters. Safe to run again, or twice at once; a
    letter that cannot be read makes the run FAILED with the reason, and its letters ready for
    another.
    """
    run = PrintRun.objects.select_related("batch__building").filter(id=run_id).first()
    if run is None:
        raise NotFound(f"there is no print run {run_id}")
    while letters := _still_to_be_made(run):
        try:
            files = _files(run, letters)
        except (RenderError, ValueError) as error:
            PrintRun.objects.filter(id=run_id, status=_PENDING).update(
                status=PrintRunStatus.FAILED, reason=str(error)
            )
            return
        _finish(run, letters, files)


class _Letter(NamedTuple):
    attempt_id: UUID
    code: str
    number: str
    recipient: str


@transaction.atomic
def _still_to_be_made(run: PrintRun) -> list[_Letter]:
    """The letters that the files of a PENDING run are to have, in their order; none, if another
    made them. What was resent since it was asked for is left out: it must not go out twice."""
    run = PrintRun.objects.select_for_update().get(id=run.id)
    if run.status != _PENDING:
        return []
    if _resent(run).delete()[0]:
        run.letter_count = run.items.count()
        if run.letter_count == 0:
            run.status = PrintRunStatus.FAILED
            run.reason = "each of its letters was resent before the files were made"
        run.save(update_fields=["letter_count", "status", "reason"])
    return _letters_of(run)


def _resent(run: PrintRun) -> QuerySet[PrintRunItem]:
    """The letters of a run that a later attempt has taken the place of."""
    return run.items.filter(attempt__number__lt=F("attempt__communication__newest_attempt"))


def _letters_of(run: PrintRun) -> list[_Letter]:
    fields = ("document_code", "postal_number", "recipient")
    items = run.items.order_by("position")
    rows = items.values_list("attempt_id", *(f"attempt__{field}" for field in fields))
    return [_Letter(*row) for row in rows]


@transaction.atomic
def _finish(run: PrintRun, letters: list[_Letter], files: dict[str, Any]) -> None:
    """READY with these files, unless another has finished it, or a letter of them was resent
    meanwhile."""
    run = PrintRun.objects.select_for_update().get(id=run.id)
    if run.status != _PENDING or _resent(run).exists() or _letters_of(run) != letters:
        return
    PrintRun.objects.filter(id=run.id).update(status=PrintRunStatus.READY, reason="", **files)
    if files["slip_sha256"]:
        slip = Attachment(
            kind=AttachmentKind.LODGEMENT_SLIP,
            file_name="lodgement-slip.pdf",
            content_type="application/pdf",
            size=storage.size(files["slip_sha256"]),
            sha256=files["slip_sha256"],
        )
        _attach(_registered(run), slip)


def _files(run: PrintRun, letters: list[_Letter]) -> dict[str, Any]:
    made_on = today(run)
    sender = _sender()
    with tempfile.TemporaryDirectory() as folder:
        merged = Path(folder) / "letters.pdf"
        pages = merge(_contents(letters), merged)
        letters_sha256 = storage.save_stream(_pieces(merged), content_type="application/pdf")
        labels = Path(folder) / "labels.pdf"
        merge(_label_sheets(letters, run), labels)
        labels_sha256 = storage.save_stream(_pieces(labels), content_type="application/pdf")
    registered = [
        SlipItem(S10.parse(letter.number), tuple(letter.recipient.split("\n")), letter.code)
        for letter in letters
        if letter.number
    ]
    slip = ""
    if registered:
        country = settings.S10_RANGE.country if settings.S10_RANGE else None
        content = render_slip(
            registered,
            sender=sender,
            issued_on=made_on,
            language=_language(country),
            country=country,
        )
        slip = storage.save(content, content_type="application/pdf")
    return {
        "letters_sha256": letters_sha256,
        "labels_sha256": labels_sha256,
        "slip_sha256": slip,
        "page_count": pages,
    }


def _label_sheets(letters: list[_Letter], run: PrintRun) -> Iterator[bytes]:
    """The labels of letters, some sheets at a time."""
    at_once = SHEETS["L7160"].labels * _SHEETS_AT_ONCE
    for start in range(0, len(letters), at_once):
        yield render_labels(
            [
                Label(tuple(letter.recipient.split("\n")), letter.code)
                for letter in letters[start : start + at_once]
            ],
            issued_on=today(run),
            sheet=SHEETS["L7160"],
            author=_sender().name,
        )


def _contents(letters: list[_Letter]) -> Iterator[bytes]:
    """The archived letters, one at a time; ValueError names the one that cannot be read."""
    for one in letters:
        files = Attachment.objects.filter(attempt_id=one.attempt_id, kind=AttachmentKind.LETTER)
        sha256 = files.values_list("sha256", flat=True).latest("created_at")
        try:
            content = storage.open_blob(sha256)
        except (NotFound, storage.DamagedBlob) as error:
            raise ValueError(f"the letter {one.code} cannot be read; resend it: {error}") from error
        yield content


def _pieces(file: Path) -> Iterator[bytes]:
    with file.open("rb") as stream:
        while piece := stream.read(_PIECE):
            yield piece


def _registered(run: PrintRun) -> QuerySet[PrintRunItem]:
    return run.items.filter(attempt__channel="LETTER_WITH_RECEIPT")


def _lodged(run: PrintRun) -> QuerySet[PrintRunItem]:
    """The letters that the post office's stamp is about: the registered, else all of the run."""
    registered = _registered(run)
    return registered if registered.exists() else run.items.all()


def _attach(items: QuerySet[PrintRunItem], file: Attachment) -> None:
    """Tie a file of the run to each of these letters, once."""
    Attachment.objects.bulk_create(
        [
            Attachment(
                communication_id=communication_id,
                attempt_id=attempt_id,
                kind=file.kind,
                file_name=file.file_name,
                content_type=file.content_type,
                size=file.size,
                sha256=file.sha256,
                thumbnail_sha256=file.thumbnail_sha256,
            )
            for communication_id, attempt_id in items.values_list(
                "attempt__communication_id", "attempt_id"
            )
        ],
        batch_size=1000,
        ignore_conflicts=True,
    )


@transaction.atomic
def mark_posted(
    actor: Actor, run_id: UUID, *, posted_on: date, scan: Proof | None = None
) -> PrintRun:
    """Write POSTED for every letter of a run, as of a day in the building's time zone.

    For a letter that was resent since, it is history of its old attempt and changes no status.
    `scan` is the slip with the post office's stamp: a PROOF of each registered letter, or of every
    letter of a run without registered ones. It may come later, with the same day again, and is
    then a NOTICE of those letters. All or none; the same day and scan again change nothing. Raises
    `NotFound`, `Conflict` for a run whose files are not ready, that was posted on another day or
    has another scan, and `InputError` for a day that has not come or was before the run was made.
    """
    run = visible_runs(actor.visible).select_for_update(of=("self",)).filter(id=run_id).first()
    if run is None:
        raise NotFound("no such print run")
    if posted_on > today(run):
        msg = Sentence("this day has not come yet", "dayNotCome")
        raise InputError.at("body", "date", msg=msg)
    made_on = run.created_at.astimezone(_zone(run)).date()
    if posted_on < made_on:
        words = f"the letters of this run were printed later, on {made_on}"
        msg = Sentence(words, "printedLater", day=made_on.isoformat())
        raise InputError.at("body", "date", msg=msg)
    posted_before = run.status == PrintRunStatus.POSTED
    if posted_before and run.posted_on != posted_on:
        day = str(run.posted_on)
        raise Conflict(Sentence(f"this run was posted on {day}", "postedOnOtherDay", day=day))
    if not posted_before and run.status != PrintRunStatus.READY:
        raise Conflict(Sentence("the files of this run are not ready yet", "runNotReady"))
    if scan and run.scan_sha256 not in ("", scan.sha256):
        words = "this run has its scan; attach another proof to the letter it is about"
        raise Conflict(Sentence(words, "runHasScan"))
    new_scan = scan if scan and not run.scan_sha256 else None
    if new_scan:
        _attach(_lodged(run), _as_attachment(new_scan))
        run.scan_sha256 = new_scan.sha256
    if not posted_before:
        noon = datetime.combine(posted_on, time(12), tzinfo=_zone(run))
        proven = set(_lodged(run).values_list("attempt_id", flat=True)) if new_scan else set()
        _write(
            actor,
            run.items.all(),
            lambda attempt_id: Posted(
                print_run_id=str(run.id),
                posted_on=posted_on.isoformat(),
                proof_sha256=run.scan_sha256 if attempt_id in proven else None,
            ),
            occurred_at=min(max(noon, run.created_at), now()),
        )
        run.status = PrintRunStatus.POSTED
        run.posted_on = posted_on
        run.posted_by_id = actor.user_id
    elif new_scan:
        detail = {"printRunId": str(run.id), "proofs": [new_scan.sha256]}
        _write(actor, _lodged(run), lambda _: Notice(kind="POSTING_PROOF", detail=detail))
    run.save(update_fields=["status", "posted_on", "posted_by", "scan_sha256"])
    return run


def _as_attachment(proof: Proof) -> Attachment:
    return Attachment(
        kind=AttachmentKind.PROOF,
        file_name=proof.file_name,
        content_type=proof.content_type,
        size=proof.size,
        sha256=proof.sha256,
        thumbnail_sha256=proof.thumbnail_sha256,
    )


def _write(
    actor: Actor,
    items: QuerySet[PrintRunItem],
    payload: Callable[[UUID], Payload],
    *,
    occurred_at: datetime | None = None,
) -> None:
    """A person's event for each of these letters; `payload` makes it of the attempt's id."""
    letters = list(
        items.order_by("position").values_list(
            "attempt_id", "attempt__communication_id", "attempt__number"
        )
    )
    for start in range(0, len(letters), _EVENTS_AT_ONCE):
        events.append(
            [
                events.NewEvent(
                    communication_id=communication_id,
                    payload=payload(attempt_id),
                    source=Source.USER,
                    attempt=number,
                    user_id=actor.user_id,
                    occurred_at=occurred_at,
                )
                for attempt_id, communication_id, number in letters[start : start + _EVENTS_AT_ONCE]
            ]
        )


def scan_of(run: PrintRun) -> Attachment | None:
    """The scan of a run's stamped slip, as one of its letters has it."""
    if not run.scan_sha256:
        return None
    return Attachment.objects.filter(
        attempt__print_run_item__run=run, kind=AttachmentKind.PROOF, sha256=run.scan_sha256
    ).first()


def visible_runs(visible: VisibleBuildings) -> QuerySet[PrintRun]:
    """The print runs of the buildings somebody may see."""
    runs = PrintRun.objects.select_related("batch__building")
    if visible.ids is None:
        return runs
    return runs.filter(batch__building_id__in=visible.ids)


def _zone(run: PrintRun) -> ZoneInfo:
    return ZoneInfo(run.batch.building.time_zone or settings.TIME_ZONE)


def today(run: PrintRun) -> date:
    """The day it is at the building of a run."""
    return now().astimezone(_zone(run)).date()


def _sender() -> Sender:
    return Sender(name=settings.SENDER_NAME, address=settings.SENDER_ADDRESS or "")


def _language(country: str | None) -> str:
    return "de" if country in ("DE", "AT", "CH", "LI") else "en"
