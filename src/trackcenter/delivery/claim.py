"""Taking an attempt, so that one worker at a time works on it, and saving how far it got."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connection, transaction

from trackcenter.channels.snapshot import Snapshot
from trackcenter.communications import events
from trackcenter.communications.models import (
    Attempt,
    AttemptOutcome,
    BillingSnapshot,
    Communication,
    Source,
)
from trackcenter.communications.payloads import Deferred, Trouble
from trackcenter.delivery import pacing
from trackcenter.delivery.senders import sender_of
from trackcenter.kit.clock import now
from trackcenter.kit.sql import prepared
from trackcenter.providers.acs.sms import FIRST_SENT_STANDS
from trackcenter.providers.base import LostClaim
from trackcenter.queue.payloads import MalformedMessage, SendCommunicationJob
from trackcenter.queue.retry import RetryAt


@dataclass(frozen=True, slots=True)
class Claim:
    """An attempt that is ours until the lease runs out, and the bill it is to deliver."""

    token: UUID
    attempt: Attempt
    communication: Communication
    snapshot: Snapshot
    sender: str
    first_call: bool

    @property
    def email(self) -> str:
        return str(self.attempt.contact.get("email") or self.snapshot.email or "")

    @property
    def phone(self) -> str:
        return str(self.attempt.contact.get("phone") or self.snapshot.phone or "")


def lease_end() -> datetime:
    """When a claim made or confirmed now runs out."""
    return now() + timedelta(seconds=settings.LEASE_SECONDS)


def take(job: SendCommunicationJob) -> Claim | None:
    """Claim the newest attempt of the job's communication; None when there is nothing (more) to do.

    Commits before it returns. Raises `RetryAt` while another worker holds the attempt, while a
    pause lasts, or while the provider's pace allows nothing; `MalformedMessage` for a job that no
    attempt was ever made for.
    """
    seen = _look(job)
    attempt, communication = seen.attempt, seen.communication
    if attempt.channel != job.channel:
        if not communication.attempts.filter(channel=job.channel).exists():
            raise MalformedMessage(f"no attempt of this communication goes by {job.channel}")
        return None  # a later attempt, through another channel, replaced the one this job was for
    if attempt.outcome != AttemptOutcome.OPEN:
        return None
    moment = now()
    if attempt.lease_until and attempt.lease_until > moment:
        raise RetryAt(attempt.lease_until, "another worker holds this attempt")
    if attempt.next_try_at and attempt.next_try_at > moment:
        raise RetryAt(attempt.next_try_at, "a pause after trouble lasts")
    snapshot = Snapshot.from_row(communication.snapshot.row)
    sender = sender_of(attempt, snapshot.building_code)
    if pacing.unhindered(attempt.channel, sender, seen.paused):
        claim = _claim(seen, snapshot, sender, moment)
    else:
        with transaction.atomic():
            mine = pacing.turn(attempt, sender)
            if mine.at is None:
                claim = _claim(seen, snapshot, sender, moment)
            else:
                _wait(seen, mine.at, mine.trouble)
        if mine.at is not None:
            raise RetryAt(mine.at, "the provider's pace")
    return claim


@dataclass(frozen=True, slots=True)
class _Seen:
    """A communication with its newest attempt, as they stood a moment ago, nothing locked.

    `version` changes with every write to the attempt: what was decided on this sight is written
    only if nobody wrote meanwhile. `paused` are the senders that wait.
    """

    communication: Communication
    attempt: Attempt
    version: str
    paused: frozenset[str]


_FIELDS = {field.attname: field for field in Attempt._meta.concrete_fields}
_ATTEMPT = list(_FIELDS)
_JSON = {"contact", "error"}
_COMMUNICATION = ["id", "batch_id", "building_id", "recipient_name", "outcome_unknown"]
_SNAPSHOT = ["id", "row", "created_at"]
_LOOK = f"""
    SELECT {", ".join(f"a.{name}" for name in _ATTEMPT)}, a.xmin::text,
           {", ".join(f"c.{name}" for name in _COMMUNICATION)},
           {", ".join(f"s.{name}" for name in _SNAPSHOT)},
           array(SELECT sender FROM sender_paces WHERE paused_until > %s)
    FROM communications AS c
    JOIN billing_snapshots AS s ON s.id = c.snapshot_id
    LEFT JOIN communication_attempts AS a ON a.communication_id = c.id
    WHERE c.id = %s ORDER BY a.number DESC LIMIT 1
"""


def _look(job: SendCommunicationJob) -> _Seen:
    rows = prepared(_LOOK, [now(), job.communication_id])
    if not rows:
        raise MalformedMessage(f"there is no communication {job.communication_id}")
    values = iter(rows[0])
    of_attempt = [
        json.loads(value) if name in _JSON and value is not None else value
        for name, value in zip(_ATTEMPT, islice(values, len(_ATTEMPT)), strict=True)
    ]
    version = next(values)
    if version is None:
        raise MalformedMessage("this communication was never asked to be sent")
    database = connection.alias
    communication = Communication.from_db(
        database, _COMMUNICATION, list(islice(values, len(_COMMUNICATION)))
    )
    id_, billed, created_at = islice(values, len(_SNAPSHOT))
    communication.snapshot = BillingSnapshot.from_db(
        database, _SNAPSHOT, [id_, json.loads(billed), created_at]
    )
    attempt = Attempt.from_db(database, _ATTEMPT, of_attempt)
    attempt.communication = communication
    return _Seen(communication, attempt, version, frozenset(next(values)))


def _claim(seen: _Seen, snapshot: Snapshot, sender: str, moment: datetime) -> Claim:
    """Make the attempt ours; RetryAt when another worker was quicker."""
    attempt = seen.attempt
    token = uuid4()
    _write(
        seen,
        claim=token,
        lease_until=lease_end(),
        tries=attempt.tries + 1,
        first_sent_at=_first_sent(attempt, moment),
    )
    return Claim(
        token=token,
        attempt=attempt,
        communication=seen.communication,
        snapshot=snapshot,
        sender=sender,
        first_call=attempt.tries == 1,
    )


def _first_sent(attempt: Attempt, moment: datetime) -> datetime:
    """When the provider was first asked: what may have been taken keeps it for good."""
    known = attempt.first_sent_at
    if known is None:
        return moment
    stands = attempt.send_started_at is not None or moment - known <= FIRST_SENT_STANDS
    return known if stands else moment


def _wait(seen: _Seen, until: datetime, trouble: Trouble | None) -> None:
    """Keep the moment that is reserved for the attempt, and say why where somebody should know."""
    attempt = seen.attempt
    if trouble is None or (attempt.error or {}).get("code") == trouble.code:
        _write(seen, next_try_at=until)
        return
    _write(seen, next_try_at=until, error=trouble.as_json())
    waits = events.NewEvent(
        communication_id=seen.communication.id,
        payload=Deferred(error=trouble, retry_at=until),
        source=Source.WORKER,
        attempt=attempt.number,
    )
    events.append([waits])


def _write(seen: _Seen, **values: Any) -> None:
    """Write to an attempt that was seen; RetryAt when somebody else wrote since."""
    if not _update("xmin = %s::xid", seen.attempt.id, seen.version, values):
        raise RetryAt(lease_end(), "another worker took this attempt")
    for name, value in values.items():
        setattr(seen.attempt, name, value)


def _update(condition: str, attempt_id: UUID, condition_value: Any, values: dict[str, Any]) -> bool:
    fields = [(_FIELDS[name], value) for name, value in values.items()]
    assignments = ", ".join(f"{field.column} = %s" for field, _ in fields)
    return bool(
        prepared(
            f"UPDATE communication_attempts SET {assignments} WHERE id = %s AND {condition} "
            "RETURNING 1",
            [
                *(field.get_db_prep_save(value, connection) for field, value in fields),
                attempt_id,
                condition_value,
            ],
        )
    )


def save(mine: Claim, /, **values: Any) -> None:
    """Write to a claimed attempt and extend its lease; `LostClaim` when it is no longer ours.

    Commits at once unless the caller holds a transaction open.
    """
    extended = {"lease_until": lease_end(), **values}
    if not _update("claim = %s", mine.attempt.id, mine.token, extended):
        raise LostClaim
    for name, value in values.items():
        setattr(mine.attempt, name, value)


class SavedMarks:
    """A provider's progress, committed on the attempt as it is made."""

    def __init__(self, claim: Claim) -> None:
        self._claim = claim

    def draft_created(
        self, *, draft_id: str, internet_message_id: str, sends: bool = False
    ) -> None:
        ids = {"draft_id": draft_id, "internet_message_id": internet_message_id}
        save(self._claim, **ids, **(self._started() if sends else {}))

    def send_started(self) -> None:
        save(self._claim, **self._started())

    def _started(self) -> dict[str, datetime]:
        return {"send_started_at": self._claim.attempt.send_started_at or now()}
