"""A checked billing file becomes buildings, units, batches, snapshots and communications."""

import hashlib
import json
from collections.abc import Callable, Sequence
from itertools import islice
from typing import NamedTuple, TypeVar
from uuid import UUID

from django.db import connection, models
from psycopg import sql

from trackcenter.buildings.models import Building, Unit, unit_sort_key
from trackcenter.communications import events
from trackcenter.communications.events import NEXT_ATTEMPT, NewEvent
from trackcenter.communications.lifecycle import Status
from trackcenter.communications.models import (
    Batch,
    BillingSnapshot,
    Communication,
    Source,
    UnitBill,
)
from trackcenter.communications.payloads import Cancelled, Created, Notice, Payload
from trackcenter.imports.checking import CheckedFile, CheckedRow, all_problems
from trackcenter.kit import canonical
from trackcenter.kit.errors import Problem, Sentence
from trackcenter.kit.names import name_key

CHUNK = 1000
CORRECTED = "corrected"
"""The kind of the NOTICE a communication gets when a later file changed its bill before sending."""

_NEVER_LEFT = (Status.PENDING, Status.CANCELLED)
_ONE_IMPORT_AT_A_TIME = 0x7472_636B  # an advisory lock's number; nothing else uses it


class _Bill(NamedTuple):
    """A unit's present bill in a batch."""

    id: UUID
    sha256: str
    version: int


class _Placed(NamedTuple):
    """A row with the batch and the unit it belongs to, and the snapshot it becomes."""

    row: CheckedRow
    batch: Batch
    unit_id: UUID
    content: dict[str, object]
    sha256: str

    def snapshot(self, version: int) -> BillingSnapshot:
        return BillingSnapshot(
            batch_id=self.batch.pk,
            unit_id=self.unit_id,
            version=version,
            row=self.content,
            sha256=self.sha256,
        )

    @property
    def search(self) -> str:
        """What the unit list is searched by, one a line: number, recipient, e-mail and phone, and
        the recipient once more for those who type no accents."""
        row = self.row
        plain = self.name_key if self.name_key != row.recipient.lower() else None
        return "\n".join(filter(None, (row.unit, row.recipient, row.email, row.phone, plain)))

    @property
    def name_key(self) -> str:
        return name_key(self.row.recipient)

    def communication(self, channel: str, snapshot: BillingSnapshot) -> Communication:
        return Communication(
            batch_id=self.batch.pk,
            building_id=self.batch.building_id,
            unit_id=self.unit_id,
            year=self.batch.year,
            channel=channel,
            snapshot=snapshot,
            recipient_name=self.row.recipient,
            delivery_status=Status.PENDING,
        )


M = TypeVar("M", bound=models.Model)


def _insert(made: Sequence[M]) -> Sequence[M]:
    """Insert new objects of one model by COPY: a third of the time that `bulk_create` takes."""
    if not made:
        return made
    about = made[0]._meta
    fields = [field for field in about.concrete_fields if field.column]
    documents = [field.attname for field in fields if isinstance(field, models.JSONField)]
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(about.db_table),
        sql.SQL(", ").join([sql.Identifier(str(field.column)) for field in fields]),
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for each in made:
            values = {field.attname: getattr(each, field.attname) for field in fields}
            for name in documents:
                if values[name] is not None:
                    values[name] = json.dumps(values[name], ensure_ascii=False)
            copy.write_row(list(values.values()))
    return made


class Writer:
    """Writes one checked file; must be used inside a transaction.

    `created`, `updated` and `unchanged` count the rows afterwards.
    """

    def __init__(self, file: CheckedFile, file_name: str, user_id: UUID | None) -> None:
        self.created = 0
        self.updated = 0
        self.unchanged = 0
        self._file = file
        self._file_name = file_name
        self._user_id = user_id
        self._buildings: dict[str, Building] = {}
        self._batches: dict[tuple[str, int], Batch] = {}
        self._new_batches: set[UUID] = set()
        self._touched_buildings: set[str] = set()
        self._refused: list[Problem] = []

    @property
    def batch_ids(self) -> list[UUID]:
        """The batches of the file, by building code and year."""
        return [self._batches[key].pk for key in sorted(self._batches)]

    def write(self, on_rows: Callable[[int], None]) -> None:
        """Write everything; `InputError` with every row that would change a bill that was sent."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ONE_IMPORT_AT_A_TIME])
        self._place_buildings()
        self._place_batches()
        # Rows of a batch together: fewer rollup rows a statement, and always in the same order.
        rows = iter(sorted(self._file.rows, key=lambda row: (row.building, row.year, row.number)))
        done = 0
        while chunk := list(islice(rows, CHUNK)):
            self._write_chunk(self._placed(chunk))
            done += len(chunk)
            on_rows(done)
        if self._refused:
            raise all_problems(self._refused, len(self._refused))
        self._renew_buildings()

    # --- buildings, batches, units ---

    def _place_buildings(self) -> None:
        facts = self._file.buildings
        self._buildings = {
            building.code: building for building in Building.objects.filter(code__in=facts)
        }
        self._buildings |= {
            building.code: building
            for building in _insert(
                [
                    Building(
                        code=code,
                        name=facts[code].name or code,
                        address=facts[code].address or "",
                        time_zone=facts[code].time_zone or "",
                    )
                    for code in sorted(facts.keys() - self._buildings.keys())
                ]
            )
        }

    def _renew_buildings(self) -> None:
        """What the file says of buildings whose bills it changed.

        Only those: last year's file, imported again, must not bring an old name back.
        """
        renewed = []
        for code in sorted(self._touched_buildings):
            building, facts = self._buildings[code], self._file.buildings[code]
            before = (building.name, building.address, building.time_zone)
            building.name = facts.name or building.name
            building.address = facts.address or building.address
            building.time_zone = facts.time_zone or building.time_zone
            if (building.name, building.address, building.time_zone) != before:
                renewed.append(building)
        Building.objects.bulk_update(renewed, ["name", "address", "time_zone"], batch_size=CHUNK)

    def _place_batches(self) -> None:
        retentions = self._file.batches
        codes = {building.pk: code for code, building in self._buildings.items()}
        known = Batch.objects.filter(
            building_id__in=codes, year__in={year for _, year in retentions}
        )
        for batch in known:
            self._batches[codes[batch.building_id], batch.year] = batch
        self._batches = {key: self._batches[key] for key in self._batches if key in retentions}
        changed = []
        for key, batch in self._batches.items():
            before = (batch.retention_hint, batch.retention_hint_attachments)
            batch.retention_hint = retentions[key].messages or batch.retention_hint
            batch.retention_hint_attachments = (
                retentions[key].attachments or batch.retention_hint_attachments
            )
            if (batch.retention_hint, batch.retention_hint_attachments) != before:
                changed.append(batch)
        Batch.objects.bulk_update(
            changed, ["retention_hint", "retention_hint_attachments"], batch_size=CHUNK
        )
        for key in sorted(retentions.keys() - self._batches.keys()):
            self._batches[key] = Batch(
                building=self._buildings[key[0]],
                year=key[1],
                retention_hint=retentions[key].messages or "",
                retention_hint_attachments=retentions[key].attachments or "",
            )
            self._new_batches.add(self._batches[key].pk)
        _insert([batch for batch in self._batches.values() if batch.pk in self._new_batches])

    def _placed(self, rows: Sequence[CheckedRow]) -> list[_Placed]:
        units = self._place_units(rows)
        placed = []
        for row in rows:
            content = row.snapshot(self._file.buildings[row.building])
            digest = hashlib.sha256(canonical.dumps(content)).hexdigest()
            unit_id = units[self._buildings[row.building].pk, row.unit]
            batch = self._batches[row.building, row.year]
            placed.append(_Placed(row, batch, unit_id, content, digest))
        return placed

    def _place_units(self, rows: Sequence[CheckedRow]) -> dict[tuple[UUID, str], UUID]:
        """The unit of each (building, number), made where there is none."""
        wanted = list(dict.fromkeys((self._buildings[row.building].pk, row.unit) for row in rows))
        with connection.cursor() as cursor:
            cursor.execute(
                """
                SELECT building_id, number, id FROM units
                JOIN unnest(%s::uuid[], %s::text[]) AS wanted (building_id, number)
                USING (building_id, number)
                """,
                [list(column) for column in zip(*wanted, strict=True)],
            )
            units = {(building, number): unit for building, number, unit in cursor.fetchall()}
        missing = [
            Unit(building_id=building_id, number=number, sort_key=unit_sort_key(number))
            for building_id, number in wanted
            if (building_id, number) not in units
        ]
        for unit in _insert(missing):
            units[unit.building_id, unit.number] = unit.pk
        return units

    # --- bills ---

    def _write_chunk(self, placed: Sequence[_Placed]) -> None:
        bills = self._present_bills(placed)
        new: list[_Placed] = []
        changed: list[tuple[_Placed, _Bill]] = []
        for each in placed:
            bill = bills.get((each.batch.pk, each.unit_id))
            if bill is None:
                new.append(each)
            elif bill.sha256 == each.sha256:
                self.unchanged += 1
            else:
                changed.append((each, bill))
        self._reopen({each.batch.pk for each in new} | {each.batch.pk for each, _ in changed})
        self._create(new)
        self._update(changed)

    def _present_bills(self, placed: Sequence[_Placed]) -> dict[tuple[UUID, UUID], _Bill]:
        known = [each for each in placed if each.batch.pk not in self._new_batches]
        if not known:
            return {}
        with connection.cursor() as cursor:
            cursor.execute(
                """
                SELECT bill.batch_id, bill.unit_id, bill.id, snapshot.sha256, snapshot.version
                FROM unit_bills AS bill
                JOIN billing_snapshots AS snapshot ON snapshot.id = bill.snapshot_id
                JOIN unnest(%s::uuid[], %s::uuid[]) AS wanted (batch_id, unit_id)
                  ON wanted.batch_id = bill.batch_id AND wanted.unit_id = bill.unit_id
                """,
                [[each.batch.pk for each in known], [each.unit_id for each in known]],
            )
            return {(row[0], row[1]): _Bill(*row[2:]) for row in cursor.fetchall()}

    def _create(self, new: Sequence[_Placed]) -> None:
        snapshots = _insert([each.snapshot(version=1) for each in new])
        _insert(
            [
                UnitBill(
                    batch_id=each.batch.pk,
                    unit_id=each.unit_id,
                    snapshot=snapshot,
                    recipient_name=each.row.recipient,
                    name_key=each.name_key,
                    sort_key=unit_sort_key(each.row.unit),
                    search=each.search,
                )
                for each, snapshot in zip(new, snapshots, strict=True)
            ]
        )
        communications = _insert(
            [
                each.communication(channel, snapshot)
                for each, snapshot in zip(new, snapshots, strict=True)
                for channel in each.row.channels
            ]
        )
        events.append([self._creation(each, each.snapshot) for each in communications])
        self._touched_buildings.update(each.row.building for each in new)
        self.created += len(new)

    def _update(self, changed: Sequence[tuple[_Placed, _Bill]]) -> None:
        present = self._locked_communications([each for each, _ in changed])
        allowed: list[tuple[_Placed, _Bill]] = []
        for each, bill in changed:
            left = [
                f"{communication.channel} {communication.delivery_status}"
                for communication in present[each.batch.pk, each.unit_id].values()
                if communication.delivery_status not in _NEVER_LEFT
            ]
            if left:
                self._refuse(each.row, left)
            else:
                allowed.append((each, bill))
        if not allowed:
            return
        snapshots = _insert([each.snapshot(version=bill.version + 1) for each, bill in allowed])
        UnitBill.objects.bulk_update(
            [
                UnitBill(
                    id=bill.id,
                    snapshot=snapshot,
                    recipient_name=each.row.recipient,
                    name_key=each.name_key,
                    search=each.search,
                )
                for (each, bill), snapshot in zip(allowed, snapshots, strict=True)
            ],
            ["snapshot", "recipient_name", "name_key", "search"],
            batch_size=CHUNK,
        )
        added: list[Communication] = []
        renewed: list[Communication] = []
        news: list[NewEvent] = []
        for (each, _), snapshot in zip(allowed, snapshots, strict=True):
            communications = present[each.batch.pk, each.unit_id]
            for channel in each.row.channels:
                communication = communications.pop(channel, None)
                if communication is None:
                    communication = each.communication(channel, snapshot)
                    added.append(communication)
                    news.append(self._creation(communication, snapshot))
                    continue
                renewed.append(communication)
                if communication.delivery_status == Status.CANCELLED:
                    news.append(self._creation(communication, snapshot, attempt=NEXT_ATTEMPT))
                else:
                    news.append(self._event(communication, self._correction(snapshot)))
                communication.snapshot = snapshot
                communication.recipient_name = each.row.recipient
            news += [
                self._event(dropped, Cancelled(reason=f"{self._file_name} no longer names it"))
                for dropped in communications.values()
                if dropped.delivery_status == Status.PENDING
            ]
        _insert(added)
        Communication.objects.bulk_update(renewed, ["snapshot", "recipient_name"], batch_size=CHUNK)
        events.append(news)
        self._touched_buildings.update(each.row.building for each, _ in allowed)
        self.updated += len(allowed)

    def _locked_communications(
        self, placed: Sequence[_Placed]
    ) -> dict[tuple[UUID, UUID], dict[str, Communication]]:
        """What there is of these rows by channel, locked: a sender waits, and then looks again."""
        found: dict[tuple[UUID, UUID], dict[str, Communication]] = {
            (each.batch.pk, each.unit_id): {} for each in placed
        }
        communications = Communication.objects.filter(
            batch_id__in={each.batch.pk for each in placed},
            unit_id__in={each.unit_id for each in placed},
        )
        for communication in communications.order_by("id").select_for_update():
            place = (communication.batch_id, communication.unit_id)
            if place in found:
                found[place][communication.channel] = communication
        return found

    def _refuse(self, row: CheckedRow, left: Sequence[str]) -> None:
        channels = ", ".join(left)
        sentence = Sentence(
            f"the {row.year} bill of unit {row.unit} in building {row.building} was already "
            f"sent ({channels}) and cannot be changed; correct an address by resending",
            "alreadySent",
            year=row.year,
            unit=row.unit,
            building=row.building,
            channels=channels,
        )
        self._refused.append(Problem(("row", row.number, "unit"), sentence))

    def _reopen(self, batch_ids: set[UUID]) -> None:
        """A batch with new work is not complete any more, nor becomes so before this is committed.

        Before its communications are locked, as who asks for a resend does.
        """
        known = sorted(batch_ids - self._new_batches)
        if not known:
            return
        with connection.cursor() as cursor:
            # The weakest lock that `complete_if_done` respects: nobody's send waits for an import.
            cursor.execute(
                "SELECT FROM communication_batches WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE",
                [known],
            )
        Batch.objects.filter(id__in=known, completed_at__isnull=False).update(completed_at=None)

    # --- events ---

    def _creation(
        self, communication: Communication, snapshot: BillingSnapshot, attempt: int | None = None
    ) -> NewEvent:
        payload = Created(snapshot_sha256=snapshot.sha256, file_name=self._file_name)
        return self._event(communication, payload, attempt)

    def _correction(self, snapshot: BillingSnapshot) -> Notice:
        detail = {"snapshotSha256": snapshot.sha256, "fileName": self._file_name}
        return Notice(kind=CORRECTED, detail=detail)

    def _event(
        self, communication: Communication, payload: Payload, attempt: int | None = None
    ) -> NewEvent:
        return NewEvent(
            communication_id=communication.pk,
            payload=payload,
            source=Source.USER if self._user_id else Source.SYSTEM,
            attempt=attempt,
            user_id=self._user_id,
        )
