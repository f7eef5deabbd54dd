"""The log of all events, and its seals. INSERT only, like the events themselves.

The log is one RFC 6962 tree over the whole history: leaf n is the hash of the n-th event that was
sealed. Every 256 leaves, and every 256 of those, and so on, the hash of the node above them is kept
as well, so that a proof reads some hundreds of hashes and not millions.
"""

from typing import ClassVar

from django.db import models

from trackcenter.kit.append_only import APPEND_ONLY
from trackcenter.kit.clock import now


class Leaf(models.Model):
    """An event's place in the log, and its hash as it was when it was sealed."""

    index = models.BigIntegerField(primary_key=True)
    # No constraint: checking it would lock, and so write, every event once more.
    event = models.OneToOneField(
        "communications.Event", on_delete=models.PROTECT, db_constraint=False, related_name="leaf"
    )
    hash = models.BinaryField()

    class Meta:
        db_table = "evidence_leaves"
        triggers: ClassVar = APPEND_ONLY


class Node(models.Model):
    """The hash of a node of the tree, for levels 8, 16, 24 …"""

    pk = models.CompositePrimaryKey("level", "index")
    level = models.IntegerField()
    index = models.BigIntegerField()
    hash = models.BinaryField()

    class Meta:
        db_table = "evidence_nodes"
        triggers: ClassVar = APPEND_ONLY


class Seal(models.Model):
    """A signed checkpoint: the first `size` leaves of the log have this root.

    `sealed_at` is by our own clock; it stands under no signature but a time-stamp's.
    """

    size = models.BigIntegerField(primary_key=True)
    root = models.BinaryField()
    note = models.TextField(help_text="the checkpoint as a signed note")
    verifier_key = models.TextField(help_text="of whom it is signed")
    sealed_at = models.DateTimeField(default=now)

    class Meta:
        db_table = "evidence_seals"
        triggers: ClassVar = APPEND_ONLY


class TimeStamp(models.Model):
    """What a time-stamping authority (RFC 3161) answered about a seal's note."""

    seal = models.OneToOneField(
        Seal, primary_key=True, on_delete=models.PROTECT, related_name="time_stamp"
    )
    authority = models.TextField(help_text="its address")
    response = models.BinaryField(help_text="TimeStampResp, DER")
    stamped_at = models.DateTimeField(help_text="by the authority's clock")

    class Meta:
        db_table = "evidence_time_stamps"
        triggers: ClassVar = APPEND_ONLY
