"""The evidence bundle: everything on record about one communication, in a zip that proves itself.

It is put together in a temporary file on the disk, one stored file after the other, so memory does
not grow with what is in it, and an answer begins only when the whole is there.
"""

import hashlib
import re
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from datetime import datetime
from importlib.resources import files as package_files
from typing import IO, Any
from uuid import UUID

from django.db import connection
from django.db.models import Q

from trackcenter import storage
from trackcenter.access.actor import Actor
from trackcenter.communications.models import BillingSnapshot, Communication, Event
from trackcenter.evidence.findings import one_view
from trackcenter.evidence.keys import NoKey, signing_key
from trackcenter.evidence.models import Seal
from trackcenter.evidence.seals import StoredTree
from trackcenter.kit import canonical
from trackcenter.kit.clock import iso, now
from trackcenter.kit.errors import NotFound
from trackcenter.receipts.models import InboundReceipt

FORMAT = "track-center-evidence/1"


def make_bundle(actor: Actor, communication_id: UUID) -> tuple[IO[bytes], str]:
    """The zip, open at its beginning (whoever closes it removes it), and a name for it.

    Raises `NotFound`. A stored file that is missing or damaged is named as such in the bundle.
    """
    rows = Communication.objects.visible_to(actor.visible).select_related("building", "unit")
    made_at = now()
    target = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    try:
        with one_view(), zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            communication = rows.filter(id=communication_id).first()
            if communication is None:
                raise NotFound("no such communication")
            _fill(_Bundle(archive, made_at), communication, actor)
    except BaseException:
        target.close()
        raise
    target.seek(0)
    words = (
        communication.building.code,
        communication.unit.number,
        str(communication.year),
        communication.channel,
    )
    return target, f"evidence {_plain(' '.join(words))}.zip"


class _Bundle:
    """The zip that is being written, and the list of what is in it."""

    def __init__(self, archive: zipfile.ZipFile, made_at: datetime) -> None:
        self._archive = archive
        self.made_at = made_at
        self.listed: list[dict[str, Any]] = []

    def add(self, name: str, chunks: Iterable[bytes]) -> tuple[str, int]:
        """Write a file; its SHA-256 and size."""
        entry = zipfile.ZipInfo(name, self.made_at.timetuple()[:6])
        entry.compress_type = zipfile.ZIP_DEFLATED
        entry.external_attr = 0o644 << 16
        digest, size = hashlib.sha256(), 0
        with self._archive.open(entry, "w") as file:
            for chunk in chunks:
                digest.update(chunk)
                size += len(chunk)
                file.write(chunk)
        return digest.hexdigest(), size

    def attach(self, name: str, kind: str, content: bytes) -> str:
        """Write a file that is listed, and give its name."""
        sha256, size = self.add(name, [content])
        self.listed.append({"name": name, "kind": kind, "sha256": sha256, "size": size})
        return name

    def attach_stored(self, name: str, kind: str, sha256: str) -> str:
        """The same for a file in storage. One that is not whole is listed with the reason."""
        entry: dict[str, Any] = {"name": name, "kind": kind, "sha256": sha256}
        try:
            for _ in storage.open_stream(sha256):
                pass  # read to the end once: a damaged file must not begin to be written
        except (NotFound, storage.DamagedBlob) as problem:
            entry["missing"] = str(problem)
        else:
            entry["size"] = self.add(name, storage.open_stream(sha256))[1]
        self.listed.append(entry)
        return name


def _fill(bundle: _Bundle, communication: Communication, actor: Actor) -> None:
    rows = communication.events.select_related("payload_row", "user", "leaf")
    events = list(rows.order_by("sequence"))
    attempts = [_attempt(bundle, attempt) for attempt in communication.attempts.order_by("number")]
    attachments = [
        {
            "id": one.id,
            "kind": one.kind,
            "fileName": one.file_name,
            "contentType": one.content_type,
            "sha256": one.sha256,
            "attemptId": one.attempt_id,
            "createdAt": one.created_at,
            "file": bundle.attach_stored(
                f"files/{number:02d} {_plain(one.file_name)}", one.kind, one.sha256
            ),
        }
        for number, one in enumerate(communication.attachments.order_by("created_at", "id"), 1)
    ]
    receipts = [
        _receipt(bundle, number, one)
        for number, one in enumerate(_receipts(communication, events), 1)
    ]
    proofs, seals = _proofs(bundle, events)
    try:
        key = signing_key()
    except NoKey:
        key = None
    keys = [str(key.verifier)] if key else []
    evidence = {
        "format": FORMAT,
        "madeAt": bundle.made_at,
        "madeFor": actor.user.username,
        "keys": list(dict.fromkeys([*keys, *(seal["verifierKey"] for seal in seals)])),
        "communication": _communication(communication),
        "bills": [
            {
                "version": one.version,
                "sha256": one.sha256,
                "row": one.row,
                "importedAt": one.created_at,
                "current": one.id == communication.snapshot_id,
            }
            for one in BillingSnapshot.objects.filter(
                batch_id=communication.batch_id, unit_id=communication.unit_id
            ).order_by("version")
        ],
        "attempts": attempts,
        "attachments": attachments,
        "events": [{**_event(event), "proofs": proofs[event.id]} for event in events],
        "receipts": receipts,
        "notes": [
            {
                "id": note.id,
                "note": note.note,
                "user": note.user.username,
                "createdAt": note.created_at,
                "eventId": note.event_id,
            }
            for note in communication.audit_notes.select_related("user").order_by("created_at")
        ],
        "deliveryRecords": _delivery_records(communication),
        "seals": seals,
        "files": bundle.listed,
    }
    content = canonical.dumps(canonical.clean(evidence))
    sha256, _ = bundle.add("evidence.json", [content])
    if key:
        text = (
            f"track-center evidence bundle\n{key.name}\n{communication.id}\n"
            f"{iso(bundle.made_at)}\nsha256 {sha256}\n"
        )
        bundle.add("evidence.note", [key.sign(text).encode()])
    for name in ("README.txt", "verify.py"):
        bundle.add(
            name, [package_files("trackcenter.evidence.standalone").joinpath(name).read_bytes()]
        )


def _communication(one: Communication) -> dict[str, Any]:
    return {
        "id": one.id,
        "building": {
            "id": one.building_id,
            "code": one.building.code,
            "name": one.building.name,
            "address": one.building.address,
        },
        "unit": {"id": one.unit_id, "number": one.unit.number},
        "year": one.year,
        "batchId": one.batch_id,
        "channel": one.channel,
        "recipientName": one.recipient_name,
        "deliveryStatus": one.delivery_status,
        "contradictory": one.contradictory,
        "outcomeUnknown": one.outcome_unknown,
        "providerMessageId": one.provider_message_id,
        "createdAt": one.created_at,
        "queuedAt": one.queued_at,
        "sentAt": one.sent_at,
        "deliveredAt": one.delivered_at,
        "openedAt": one.opened_at,
        "failedAt": one.failed_at,
        "error": one.error,
    }


def _attempt(bundle: _Bundle, one: Any) -> dict[str, Any]:
    bodies = {
        ending: bundle.attach_stored(f"bodies/attempt {one.number}.{ending}", "BODY", sha256)
        for ending, sha256 in (("txt", one.body_text_sha256), ("html", one.body_html_sha256))
        if sha256
    }
    return {
        "id": one.id,
        "number": one.number,
        "channel": one.channel,
        "contact": one.contact,
        "recipient": one.recipient,
        "subject": one.subject,
        "provider": one.provider,
        "mailbox": one.mailbox,
        "internetMessageId": one.internet_message_id,
        "providerMessageId": one.provider_message_id,
        "documentCode": one.document_code,
        "postalNumber": one.postal_number,
        "outcome": one.outcome,
        "error": one.error,
        "tries": one.tries,
        "createdAt": one.created_at,
        "sendStartedAt": one.send_started_at,
        "handedOverAt": one.handed_over_at,
        "bodies": bodies,
    }


def _event(event: Event) -> dict[str, Any]:
    """The header under the names it was hashed with, and what its payload's commitment hides."""
    return {
        "id": event.id,
        "communicationId": event.communication_id,
        "buildingId": event.building_id,
        "year": event.year,
        "sequence": event.sequence,
        "attempt": event.attempt,
        "type": event.type,
        "qualifier": event.qualifier,
        "source": event.source,
        "userId": event.user_id,
        "username": event.user.username if event.user else None,
        "occurredAt": event.occurred_at,
        "recordedAt": event.recorded_at,
        "payloadCommitment": bytes(event.payload_commitment).hex(),
        "previousHash": bytes(event.previous_hash).hex(),
        "hash": bytes(event.hash).hex(),
        "salt": bytes(event.payload_row.salt).hex(),
        "payload": event.payload_row.payload,
    }


def _receipts(communication: Communication, events: list[Event]) -> Iterator[InboundReceipt]:
    """Every report that was applied to it: those of its attempts, and those its events name."""
    named = {str(event.payload_row.payload.get("receiptId")) for event in events} - {"None"}
    rows = InboundReceipt.objects.filter(
        Q(attempt__communication=communication, state="APPLIED") | Q(id__in=named)
    )
    return rows.order_by("received_at", "id").iterator(chunk_size=10)


def _receipt(bundle: _Bundle, number: int, one: InboundReceipt) -> dict[str, Any]:
    body = bytes(one.body)
    ending = "json" if body[:1] in (b"{", b"[") else "txt"
    return {
        "id": one.id,
        "origin": one.origin,
        "receivedAt": one.received_at,
        "appliedAt": one.applied_at,
        "state": one.state,
        "attemptId": one.attempt_id,
        "body": bundle.attach(f"receipts/{number:02d}.{ending}", "RECEIPT", body),
        "mail": bundle.attach(f"receipts/{number:02d}.eml", "RECEIPT", bytes(one.mime))
        if one.mime
        else None,
    }


def _delivery_records(communication: Communication) -> list[dict[str, Any]]:
    rows = communication.unit.delivery_records.filter(year=communication.year)
    return [
        {
            "id": record.id,
            "method": record.method,
            "dispatchedAt": record.dispatched_at,
            "deliveredAt": record.delivered_at,
            "witness": record.witness,
            "note": record.note,
            "recordedBy": record.recorded_by.username,
            "createdAt": record.created_at,
            "updatedAt": record.updated_at,
            "filesSha256": sorted(one.sha256 for one in record.attachments.all()),
        }
        for record in rows.select_related("recorded_by")
        .prefetch_related("attachments")
        .order_by("created_at")
    ]


def _proofs(
    bundle: _Bundle, events: list[Event]
) -> tuple[dict[UUID, list[dict[str, Any]]], list[dict[str, Any]]]:
    """For each event the way to the first seal over it, and to the first that has a time-stamp."""
    tree = StoredTree()
    sealed = {event.id: event.leaf.index for event in events if hasattr(event, "leaf")}
    over = _sizes_over(sorted(sealed.values()))
    proofs: dict[UUID, list[dict[str, Any]]] = {event.id: [] for event in events}
    for event_id, index in sealed.items():
        for size in over[index]:
            path = [hash_.hex() for hash_ in tree.path(index, size)]
            proofs[event_id].append({"checkpoint": _name(size), "index": index, "path": path})
    used = {size for sizes in over.values() for size in sizes}
    seals = Seal.objects.filter(size__in=used).select_related("time_stamp").order_by("size")
    return proofs, [_seal(bundle, seal) for seal in seals]


def _sizes_over(indexes: list[int]) -> dict[int, list[int]]:
    """For each leaf the sizes of the first seal over it, and of the first with a time-stamp."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT leaf.index,
                   (SELECT min(size) FROM evidence_seals WHERE size > leaf.index),
                   (SELECT min(seal_id) FROM evidence_time_stamps WHERE seal_id > leaf.index)
            FROM unnest(%s::bigint[]) AS leaf (index)
            """,
            [indexes],
        )
        return {
            index: list(dict.fromkeys(size for size in sizes if size is not None))
            for index, *sizes in cursor.fetchall()
        }


def _name(size: int) -> str:
    return f"seals/{size}.txt"


def _seal(bundle: _Bundle, seal: Seal) -> dict[str, Any]:
    stamp = getattr(seal, "time_stamp", None)
    return {
        "checkpoint": bundle.attach(_name(seal.size), "SEAL", seal.note.encode()),
        "verifierKey": seal.verifier_key,
        "sealedAt": seal.sealed_at,
        "timeStamp": bundle.attach(f"seals/{seal.size}.tsr", "SEAL", bytes(stamp.response))
        if stamp
        else None,
        "authority": stamp.authority if stamp else None,
        "stampedAt": stamp.stamped_at if stamp else None,
    }


def _plain(name: str) -> str:
    """A name that every file system takes."""
    return re.sub(r"[^\w.() -]", "_", name).strip(" .")[:150] or "file"
