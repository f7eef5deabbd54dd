"""A communication, its attempts, its events and what hangs on them.

Rows of `Event` and `EventPayload` are written by `communications.events` alone; so is
`Communication.delivery_status` and everything else the fold computes.

A foreign key has `db_index=False` where a constraint or index below starts with it already, or no
query asks by it: every index here is paid for by every send.
"""

from typing import ClassVar

from django.contrib.postgres.indexes import BrinIndex, GinIndex, OpClass
from django.db import models
from django.db.models.functions import Lower

from trackcenter.access.visible import VisibleManager
from trackcenter.buildings.models import Building, Channel, Unit
from trackcenter.communications.lifecycle import EventType, Qualifier, Status
from trackcenter.communications.triggers import APPEND_ONLY, ROLLUP_TRIGGERS
from trackcenter.kit.clock import now
from trackcenter.kit.ids import new_id


class Source(models.TextChoices):
    """Who says so."""

    SYSTEM = "SYSTEM"
    WORKER = "WORKER"
    WEBHOOK = "WEBHOOK"
    POLL = "POLL"
    """We asked: Exchange's message trace, or a provider about a report that never came."""
    USER = "USER"


class AttachmentKind(models.TextChoices):
    STATEMENT = "STATEMENT"
    LETTER = "LETTER"
    LABEL = "LABEL"
    LODGEMENT_SLIP = "LODGEMENT_SLIP"
    PROOF = "PROOF"


def _known(field: str, choices: type[models.TextChoices], name: str) -> models.CheckConstraint:
    return models.CheckConstraint(condition=models.Q(**{f"{field}__in": choices.values}), name=name)


class Batch(models.Model):
    """One building's bills of one year. Retention values are ISO 8601 durations."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    building = models.ForeignKey(
        Building, db_index=False, on_delete=models.PROTECT, related_name="batches"
    )
    year = models.IntegerField()
    retention_hint = models.CharField(max_length=40, blank=True, default="")
    retention_hint_attachments = models.CharField(max_length=40, blank=True, default="")
    created_at = models.DateTimeField(default=now)
    send_requested_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)

    objects = VisibleManager["Batch"](building_field="building_id")

    class Meta:
        db_table = "communication_batches"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["building", "year"], name="batch_once_a_year")
        ]


class BillingSnapshot(models.Model):
    """One row of a billing file as it was imported; a corrected row is a new version.

    `row` has the shape of `channels.snapshot.Snapshot`; `sha256` is over its RFC 8785 form.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    batch = models.ForeignKey(
        Batch, db_index=False, on_delete=models.PROTECT, related_name="snapshots"
    )
    unit = models.ForeignKey(
        Unit, db_index=False, on_delete=models.PROTECT, related_name="snapshots"
    )
    version = models.IntegerField()
    row = models.JSONField()
    sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=now)

    class Meta:
        db_table = "billing_snapshots"
        triggers: ClassVar = APPEND_ONLY
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["batch", "unit", "version"], name="snapshot_version")
        ]


class UnitBill(models.Model):
    """A unit's place in a batch: its current snapshot, and what the unit list sorts by."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    batch = models.ForeignKey(
        Batch, db_index=False, on_delete=models.PROTECT, related_name="unit_bills"
    )
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="bills")
    snapshot = models.ForeignKey(
        BillingSnapshot, db_index=False, on_delete=models.PROTECT, related_name="+"
    )
    recipient_name = models.CharField(max_length=200)
    name_key = models.CharField(max_length=200, help_text="the recipient's, see kit.names")
    sort_key = models.CharField(max_length=200, help_text="the unit's, repeated for the index")
    search = models.TextField(
        help_text="unit number, recipient, e-mail, phone, and the recipient without accents"
    )

    class Meta:
        db_table = "unit_bills"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["batch", "unit"], name="unit_once_in_batch")
        ]
        indexes: ClassVar = [
            # unit list by number, and by recipient
            models.Index(fields=["batch", "sort_key", "unit"], name="unit_bills_by_number"),
            models.Index(fields=["batch", "name_key", "unit"], name="unit_bills_by_name"),
            # unit list with `search`
            GinIndex(
                models.F("batch"),
                OpClass(Lower("search"), "gin_trgm_ops"),
                name="unit_bills_search",
            ),
        ]


class Communication(models.Model):
    """One bill to one unit through one channel. All but the snapshot is computed by the fold."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    batch = models.ForeignKey(
        Batch, db_index=False, on_delete=models.PROTECT, related_name="communications"
    )
    building = models.ForeignKey(
        Building, db_index=False, on_delete=models.PROTECT, related_name="+"
    )
    unit = models.ForeignKey(
        Unit, db_index=False, on_delete=models.PROTECT, related_name="communications"
    )
    year = models.IntegerField()
    channel = models.CharField(max_length=20, choices=Channel.choices)
    snapshot = models.ForeignKey(
        BillingSnapshot, db_index=False, on_delete=models.PROTECT, related_name="+"
    )
    recipient_name = models.CharField(max_length=200)
    created_at = models.DateTimeField(default=now)

    delivery_status = models.CharField(
        max_length=10, choices=[(status.value, status.value) for status in Status]
    )
    newest_attempt = models.IntegerField(default=0)
    ready_to_print = models.BooleanField(default=False)
    outcome_unknown = models.BooleanField(default=False)
    contradictory = models.BooleanField(default=False, db_default=False)
    queued_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    provider_message_id = models.TextField(blank=True, default="")
    error = models.JSONField(null=True)
    event_count = models.IntegerField(default=0)
    last_event_type = models.CharField(max_length=20, blank=True, default="")
    last_event_at = models.DateTimeField(null=True)
    last_hash = models.BinaryField(default=bytes)

    objects = VisibleManager["Communication"](building_field="building_id")

    class Meta:
        db_table = "communications"
        triggers: ClassVar = ROLLUP_TRIGGERS
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["batch", "unit", "channel"], name="communication_once_a_channel"
            ),
            _known("channel", Channel, "communication_channel_known"),
            models.CheckConstraint(
                condition=models.Q(delivery_status__in=[status.value for status in Status]),
                name="communication_status_known",
            ),
        ]
        indexes: ClassVar = [
            # batches.send: the next chunk of a batch that is still PENDING; unit list by status
            models.Index(
                fields=["batch", "delivery_status", "channel", "id"],
                name="communications_by_status",
            ),
            # unit drawer: everything of a unit, newest year first
            models.Index(fields=["unit", "-year"], name="communications_of_unit"),
            # the work lists; nearly always empty
            models.Index(
                fields=["id"],
                name="communications_unknown",
                condition=models.Q(outcome_unknown=True),
            ),
            models.Index(
                fields=["id"],
                name="communications_contradict",
                condition=models.Q(contradictory=True),
            ),
        ]


class AttemptOutcome(models.TextChoices):
    """What became of the hand-over, as far as we know."""

    OPEN = "OPEN"
    ACCEPTED = "ACCEPTED"
    FAILED = "FAILED"
    UNKNOWN = "UNKNOWN"


class Attempt(models.Model):
    """One try to reach the recipient: one message at a provider, however often it is called.

    Its id is the idempotency key the provider sees. `claim` and `lease_until` say which worker
    holds it; a worker whose claim was taken over may no longer write.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    communication = models.ForeignKey(
        Communication, db_index=False, on_delete=models.PROTECT, related_name="attempts"
    )
    number = models.IntegerField()
    channel = models.CharField(max_length=20, choices=Channel.choices)
    contact = models.JSONField(default=dict, help_text="corrections: email, phone, address")
    requested_by = models.ForeignKey(
        "access.User", null=True, db_index=False, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(default=now)

    claim = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    tries = models.IntegerField(default=0)
    next_try_at = models.DateTimeField(null=True)
    trouble_since = models.DateTimeField(
        null=True, help_text="when trouble at the provider began, without the time nobody tried in"
    )
    looking_since = models.DateTimeField(
        null=True, help_text="the same of the look for a message that may have left"
    )

    recipient = models.TextField(blank=True, default="", help_text="the address actually used")
    subject = models.TextField(blank=True, default="")
    body_text_sha256 = models.CharField(max_length=64, blank=True, default="")
    body_html_sha256 = models.CharField(max_length=64, blank=True, default="")
    sms_segments = models.IntegerField(null=True)
    document_code = models.CharField(max_length=20, blank=True, default="")
    postal_number = models.CharField(max_length=13, blank=True, default="", help_text="UPU S10")

    provider = models.CharField(max_length=20, blank=True, default="")
    mailbox = models.TextField(blank=True, default="")
    draft_id = models.TextField(blank=True, default="")
    internet_message_id = models.TextField(blank=True, default="")
    provider_message_id = models.TextField(blank=True, default="")
    first_sent_at = models.DateTimeField(
        null=True, help_text="when the first call went out: ACS's repeatabilityFirstSent"
    )
    send_started_at = models.DateTimeField(null=True)
    handed_over_at = models.DateTimeField(null=True)
    outcome = models.CharField(
        max_length=10, choices=AttemptOutcome.choices, default=AttemptOutcome.OPEN
    )
    error = models.JSONField(null=True)

    class Meta:
        db_table = "communication_attempts"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["communication", "number"], name="attempt_number_once"),
            _known("channel", Channel, "attempt_channel_known"),
            _known("outcome", AttemptOutcome, "attempt_outcome_known"),
            models.UniqueConstraint(
                fields=["postal_number"],
                name="postal_number_once",
                condition=~models.Q(postal_number=""),
            ),
        ]
        indexes: ClassVar = [
            # receipts: which attempt does this provider id belong to?
            models.Index(
                fields=["provider_message_id"],
                name="attempts_by_provider_id",
                condition=~models.Q(provider_message_id=""),
            ),
            models.Index(
                fields=["internet_message_id"],
                name="attempts_by_message_id",
                condition=~models.Q(internet_message_id=""),
            ),
            # somebody types or scans the code on a page that came back
            models.Index(
                fields=["document_code"],
                name="attempts_by_document",
                condition=~models.Q(document_code=""),
            ),
            # reports that never came; attempts lie in the order of time, so this costs nothing
            BrinIndex(fields=["handed_over_at"], name="attempts_by_hand_over", pages_per_range=32),
        ]


class Event(models.Model):
    """One thing that happened. INSERT only; `hash` chains it to the event before.

    `attempt` and `qualifier` are all the fold needs besides the type. `occurred_at` is the
    world's time, `recorded_at` ours.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    communication = models.ForeignKey(
        Communication, db_index=False, on_delete=models.PROTECT, related_name="events"
    )
    building = models.ForeignKey(
        Building, db_index=False, on_delete=models.PROTECT, related_name="+"
    )
    year = models.IntegerField()
    sequence = models.IntegerField()
    attempt = models.IntegerField()
    type = models.CharField(max_length=20)
    qualifier = models.CharField(max_length=20, blank=True, default="")
    source = models.CharField(max_length=10, choices=Source.choices)
    user = models.ForeignKey(
        "access.User", null=True, db_index=False, on_delete=models.PROTECT, related_name="+"
    )
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    payload_commitment = models.BinaryField()
    previous_hash = models.BinaryField()
    hash = models.BinaryField()

    objects = VisibleManager["Event"](building_field="building_id")

    class Meta:
        db_table = "communication_events"
        triggers: ClassVar = APPEND_ONLY
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["communication", "sequence"], name="event_sequence_once"
            ),
            models.CheckConstraint(
                condition=models.Q(type__in=[kind.value for kind in EventType]),
                name="event_type_known",
            ),
            models.CheckConstraint(
                condition=models.Q(qualifier__in=[word.value for word in Qualifier]),
                name="event_qualifier_known",
            ),
            _known("source", Source, "event_source_known"),
        ]
        indexes: ClassVar = [
            # activity feed: newest first, of one building and year, all types or some
            models.Index(
                fields=["building", "year", "-recorded_at", "-id"], name="events_by_building_year"
            ),
            models.Index(
                fields=["building", "year", "type", "-recorded_at", "-id"],
                name="events_by_type",
            ),
        ]


class EventPayload(models.Model):
    """What an event says, apart from its header, so that it could one day be erased alone."""

    event = models.OneToOneField(
        Event, primary_key=True, on_delete=models.PROTECT, related_name="payload_row"
    )
    salt = models.BinaryField()
    payload = models.JSONField()

    class Meta:
        db_table = "communication_event_payloads"
        triggers: ClassVar = APPEND_ONLY


class Attachment(models.Model):
    """A file of a communication, kept in storage under its SHA-256."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    communication = models.ForeignKey(
        Communication, on_delete=models.PROTECT, related_name="attachments"
    )
    attempt = models.ForeignKey(
        Attempt, null=True, on_delete=models.PROTECT, related_name="attachments"
    )
    kind = models.CharField(max_length=20, choices=AttachmentKind.choices)
    file_name = models.CharField(max_length=255)
    content_type = models.CharField(max_length=100)
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    thumbnail_sha256 = models.CharField(max_length=64, blank=True, default="")
    created_at = models.DateTimeField(default=now)

    class Meta:
        db_table = "communication_attachments"
        constraints: ClassVar = [
            _known("kind", AttachmentKind, "attachment_kind_known"),
            # a worker that runs again attaches nothing twice
            models.UniqueConstraint(
                fields=["attempt", "kind", "sha256"], name="attachment_once_an_attempt"
            ),
        ]


class AuditNote(models.Model):
    """What a person wrote about a communication; with a manual event, its comment."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    communication = models.ForeignKey(
        Communication, on_delete=models.PROTECT, related_name="audit_notes"
    )
    event = models.ForeignKey(
        Event, null=True, db_index=False, on_delete=models.PROTECT, related_name="+"
    )
    user = models.ForeignKey(
        "access.User", db_index=False, on_delete=models.PROTECT, related_name="+"
    )
    note = models.TextField()
    created_at = models.DateTimeField(default=now)

    class Meta:
        db_table = "communication_audit_notes"
        triggers: ClassVar = APPEND_ONLY
