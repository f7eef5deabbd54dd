"""What sending the rest of a batch would take: counts, and the segments of its text messages."""

from collections import Counter
from collections.abc import Collection
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import TextField
from django.db.models.functions import Cast, Right

from trackcenter.access.visible import VisibleBuildings
from trackcenter.buildings.models import ChannelRollup
from trackcenter.channels.errors import RenderError
from trackcenter.channels.language import text_language
from trackcenter.channels.sms import render_sms
from trackcenter.channels.snapshot import Snapshot
from trackcenter.channels.texts import LANGUAGES
from trackcenter.communications.models import Batch, Communication
from trackcenter.delivery.branding.models import BuildingSender
from trackcenter.delivery.branding.selectors import sender_from, sms_wording_for
from trackcenter.kit.errors import NotFound

MOST = 2000
"""So many messages are rendered for an estimate; more are reckoned up from as many at random."""


def estimate(
    visible: VisibleBuildings, batch_id: UUID, channels: Collection[str] = ()
) -> dict[str, Any]:
    """What is still PENDING in a batch, in all channels or some (`EstimateOut`)."""
    batch = Batch.objects.visible_to(visible).filter(id=batch_id).first()
    if batch is None:
        raise NotFound("no such batch")
    rollups = ChannelRollup.objects.filter(building_id=batch.building_id, year=batch.year)
    pending = dict(rollups.order_by("channel").values_list("channel", "pending"))
    return {
        "batchId": batch.id,
        "channels": {
            channel: {
                "pending": count,
                "sms": _segments(batch, count) if channel == "SMS" and count else None,
            }
            for channel, count in pending.items()
            if not channels or channel in channels
        },
    }


def cost_hint(segments: int) -> dict[str, str] | None:
    """What so many segments cost at SMS_SEGMENT_PRICE; None where that is not set."""
    price = settings.SMS_SEGMENT_PRICE
    if price is None:
        return None
    amount = price.amount * segments
    cents = amount.quantize(Decimal("0.01"), ROUND_HALF_UP)
    # A single message may cost a fraction of a cent, and nothing would be the wrong hint.
    return {"amount": str(cents if amount >= 1 else amount), "currency": price.currency}


def _segments(batch: Batch, pending: int) -> dict[str, Any]:
    rows = Communication.objects.filter(batch=batch, channel="SMS", delivery_status="PENDING")
    # The last characters of a UUIDv7 are random; its first are the order of the file.
    order = Right(Cast("id", TextField()), 8) if pending > MOST else "id"
    snapshots = rows.order_by(order).values_list("snapshot__row", flat=True)[:MOST]
    row = BuildingSender.objects.filter(building_id=batch.building_id).first()
    row = row or BuildingSender()
    wording = {one: sms_wording_for(batch.building_id, one) for one in LANGUAGES}
    counted = failing = total = most = 0
    encodings: Counter[str] = Counter()
    for stored in snapshots.iterator(chunk_size=500):
        counted += 1
        try:
            bill = Snapshot.from_row(stored)
            sms = render_sms(
                bill,
                sender=sender_from(row, bill.payee),
                wording=wording[text_language(bill.language, bill.country)],
            )
        except RenderError:
            failing += 1
            continue
        encodings[sms.encoding] += 1
        total += sms.segments
        most = max(most, sms.segments)
    exact = counted < MOST or counted >= pending
    segments = total if exact else round(total * pending / counted)
    return {
        "segments": segments,
        "exact": exact,
        "counted": counted,
        "gsm7": encodings["GSM-7"],
        "ucs2": encodings["UCS-2"],
        "failing": failing,
        "mostSegments": most,
        "costHint": cost_hint(segments),
    }
