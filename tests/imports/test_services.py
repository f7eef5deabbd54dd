import io
from collections import Counter
from typing import Any

import pytest

from tests.api_client import api_client, get
from tests.imports.files import Row, a_row, as_csv
from trackcenter.access.models import Role, User
from trackcenter.buildings.models import Building, Unit
from trackcenter.channels.snapshot import Snapshot
from trackcenter.communications import events
from trackcenter.communications.events import NewEvent
from trackcenter.communications.models import (
    Batch,
    BillingSnapshot,
    Communication,
    Event,
    UnitBill,
)
from trackcenter.communications.payloads import Enqueued
from trackcenter.imports import writing
from trackcenter.imports.command import SAMPLE
from trackcenter.imports.services import ImportResult, import_file
from trackcenter.kit.clock import now
from trackcenter.kit.errors import InputError, Problem

pytestmark = pytest.mark.django_db

BOTH = {"channels": "EMAIL+SMS", "phone": "+49 176 04069001"}


def run(*rows: Row, **options: Any) -> ImportResult:
    return import_file(io.BytesIO(as_csv(*rows)), "bills.csv", **options)


def counts(result: ImportResult) -> tuple[int, int, int]:
    return result.created, result.updated, result.unchanged


def statuses() -> dict[str, str]:
    return dict(Communication.objects.values_list("channel", "delivery_status"))


def event_types(channel: str = "EMAIL") -> list[str]:
    found = Event.objects.filter(communication__channel=channel).order_by("sequence")
    return list(found.values_list("type", flat=True))


def enqueue(channel: str = "EMAIL") -> None:
    """What sending does first."""
    communication = Communication.objects.get(channel=channel)
    events.append([NewEvent(communication.pk, Enqueued(channel=channel), "SYSTEM")])


def refusal(*rows: Row) -> list[Problem]:
    with pytest.raises(InputError) as caught:
        run(*rows)
    return caught.value.problems


def everything() -> list[Any]:
    models = (Building, Unit, Batch, BillingSnapshot, UnitBill, Communication, Event)
    return [list(model.objects.order_by("pk").values()) for model in models]


def test_a_row_becomes_a_pending_communication_a_channel():
    result = run(a_row(**BOTH))
    assert (result.batches, *counts(result)) == (1, 1, 0, 0)
    assert statuses() == {"EMAIL": "PENDING", "SMS": "PENDING"}
    assert event_types("EMAIL") == event_types("SMS") == ["CREATED"]


def test_a_batch_is_one_building_and_year():
    result = run(a_row(), a_row(unit="2"), a_row(year="2024"), a_row(building="B2"))
    batches = Batch.objects.order_by("building__code", "year")
    assert [(batch.building.code, batch.year) for batch in batches] == [
        ("B1", 2024),
        ("B1", 2025),
        ("B2", 2025),
    ]
    assert result.batch_ids == [batch.pk for batch in batches]


def test_a_building_is_named_by_the_file_or_by_its_code():
    run(
        a_row(building_name="Lindenhof", building_address="Markt 1", time_zone="Europe/Berlin"),
        a_row(building="B2"),
    )
    lindenhof, other = Building.objects.order_by("code")
    assert (lindenhof.name, lindenhof.address) == ("Lindenhof", "Markt 1")
    assert lindenhof.time_zone == "Europe/Berlin"
    assert other.name == "B2"


def test_units_are_counted_once_however_many_years_they_have():
    run(a_row(), a_row(year="2024"), a_row(unit="2"))
    assert Unit.objects.count() == 2
    assert Building.objects.get().unit_count == 2


def test_units_sort_as_people_count():
    run(*(a_row(unit=unit) for unit in ("10", "9", "12a", "12")))
    bills = UnitBill.objects.order_by("sort_key")
    assert [bill.unit.number for bill in bills] == ["9", "10", "12", "12a"]


def test_the_snapshot_is_the_row_in_the_shape_the_channels_read():
    run({**a_row(**BOTH, due_date="2026-03-31", prepaid="100"), "cost: Heating": "80.5"})
    snapshot = Snapshot.from_row(BillingSnapshot.objects.get().row)
    assert (snapshot.building_code, snapshot.year, snapshot.unit) == ("B1", 2025, "1")
    assert snapshot.channels == ("EMAIL", "SMS")
    assert (str(snapshot.total), str(snapshot.balance)) == ("80.50", "-19.50")
    assert snapshot.due_date.isoformat() == "2026-03-31"


def test_a_bill_can_be_searched_by_unit_recipient_email_and_phone():
    run(a_row(**BOTH))
    assert UnitBill.objects.get().search.splitlines() == [
        *("1", "Anna Keller", "anna@example.com", "+4917604069001")
    ]


@pytest.mark.parametrize("typed", ["Zoë WEIß", "zoe weiss", "weiß", "weiss"])
def test_a_name_is_found_with_its_accents_and_without(typed):
    run(a_row(recipient="Zoë Weiß"))
    path = f"/buildings/{Building.objects.get().pk}/years/2025/units"
    assert get(api_client(), path, search=typed)["total"] == 1
    assert UnitBill.objects.get().name_key == "zoe weiss"


def test_the_created_event_names_file_snapshot_and_user():
    user = User.objects.create(username="ada", role=Role.ADMIN)
    run(a_row(), user_id=user.pk)
    event = Event.objects.select_related("payload_row").get()
    assert (event.source, event.user_id) == ("USER", user.pk)
    assert event.payload_row.payload == {
        "fileName": "bills.csv",
        "snapshotSha256": BillingSnapshot.objects.get().sha256,
    }


def test_retention_is_kept_with_the_batch():
    run(a_row(retention="P10Y"), a_row(year="2024", retention="P6Y", retention_attachments="P2Y"))
    older, newer = Batch.objects.order_by("year")
    assert (older.retention_hint, older.retention_hint_attachments) == ("P6Y", "P2Y")
    assert (newer.retention_hint, newer.retention_hint_attachments) == ("P10Y", "P10Y")


# --- all or nothing ---


def test_one_bad_row_stops_the_whole_file():
    assert refusal(a_row(), a_row(unit="2", email="nobody"))
    assert not Building.objects.exists()


def test_a_dry_run_does_everything_and_takes_it_back():
    result = run(a_row(), dry_run=True)
    assert (result.batches, *counts(result), result.batch_ids) == (1, 1, 0, 0, [])
    assert not Building.objects.exists()


def test_progress_is_told_while_checking_and_while_writing(monkeypatch):
    monkeypatch.setattr(writing, "CHUNK", 2)
    told = []
    run(*(a_row(unit=str(unit)) for unit in range(3)), progress=lambda *news: told.append(news))
    assert told == [
        *(("checking", done, None) for done in (1, 2, 3)),
        *(("writing", done, 3) for done in (2, 3)),
    ]


# --- the same file again, and a changed one ---


def test_the_same_file_again_changes_nothing():
    rows = [a_row(**BOTH, retention="P10Y", building_name="Lindenhof"), a_row(unit="2")]
    run(*rows)
    before = everything()
    assert counts(run(*rows)) == (0, 0, 2)
    assert everything() == before


def test_the_same_file_again_changes_nothing_after_it_was_sent():
    run(a_row())
    enqueue()
    before = everything()
    assert counts(run(a_row())) == (0, 0, 1)
    assert everything() == before


def test_the_order_of_rows_and_columns_does_not_matter():
    run(a_row(), a_row(unit="2"))
    again = [dict(reversed(row.items())) for row in (a_row(unit="2"), a_row())]
    assert counts(run(*again)) == (0, 0, 2)


def test_a_changed_row_becomes_the_next_version_of_what_was_never_sent():
    run(a_row(recipient="Anna Keler"))
    assert counts(run(a_row())) == (0, 1, 0)
    versions = BillingSnapshot.objects.order_by("version")
    assert [snapshot.row["recipient"] for snapshot in versions] == ["Anna Keler", "Anna Keller"]
    communication = Communication.objects.get()
    assert communication.snapshot.version == UnitBill.objects.get().snapshot.version == 2
    assert communication.recipient_name == UnitBill.objects.get().recipient_name == "Anna Keller"
    assert communication.delivery_status == "PENDING"
    assert event_types() == ["CREATED", "NOTICE"]


def test_units_that_a_later_file_leaves_out_stay_as_they_are():
    run(a_row(), a_row(unit="2"))
    assert counts(run(a_row(unit="3"))) == (1, 0, 0)
    assert UnitBill.objects.count() == 3


def test_a_dropped_channel_is_cancelled():
    run(a_row(**BOTH))
    run(a_row(**{**BOTH, "channels": "EMAIL"}))
    assert statuses() == {"EMAIL": "PENDING", "SMS": "CANCELLED"}
    assert event_types("SMS") == ["CREATED", "CANCELLED"]


def test_an_added_channel_is_created():
    run(a_row(**{**BOTH, "channels": "EMAIL"}))
    run(a_row(**BOTH))
    assert statuses() == {"EMAIL": "PENDING", "SMS": "PENDING"}


def test_a_channel_that_comes_back_opens_a_new_attempt():
    run(a_row(**BOTH))
    run(a_row(**{**BOTH, "channels": "EMAIL"}))
    run(a_row(**BOTH))
    assert statuses() == {"EMAIL": "PENDING", "SMS": "PENDING"}
    sms = Communication.objects.get(channel="SMS")
    assert event_types("SMS") == ["CREATED", "CANCELLED", "CREATED"]
    assert sms.newest_attempt == 2
    assert sms.snapshot.version == 3


def test_a_unit_whose_channels_were_all_cancelled_can_still_change():
    run(a_row(**{**BOTH, "channels": "SMS"}))
    run(a_row(**{**BOTH, "channels": "EMAIL"}))
    run(a_row(**{**BOTH, "channels": "EMAIL", "recipient": "Bea"}))
    assert statuses() == {"EMAIL": "PENDING", "SMS": "CANCELLED"}


def test_a_sent_bill_is_not_changed_and_the_unit_is_named():
    run(a_row(), a_row(building="B2", **BOTH))
    communication = Communication.objects.get(channel="SMS")
    events.append([NewEvent(communication.pk, Enqueued(channel="SMS"), "SYSTEM")])
    before = everything()
    (problem,) = refusal(a_row(recipient="Bea"), a_row(building="B2", **BOTH, recipient="Bea"))
    assert problem.loc == ("row", 3, "unit")
    assert "2025 bill of unit 1 in building B2 was already sent (SMS ENQUEUED)" in problem.msg
    assert everything() == before


def test_every_unit_that_was_sent_is_named():
    rows = [a_row(unit=str(unit)) for unit in range(5)]
    run(*rows)
    for communication in Communication.objects.exclude(unit__number="3"):
        events.append([NewEvent(communication.pk, Enqueued(channel="EMAIL"), "SYSTEM")])
    problems = refusal(*({**row, "payee": "Somebody else"} for row in rows))
    assert [problem.loc[1] for problem in problems] == [2, 3, 4, 6]


def test_a_changed_name_renames_the_building():
    run(a_row(building_name="Lindenhof"))
    run(a_row(year="2026", building_name="Am Lindenhof"))
    assert Building.objects.get().name == "Am Lindenhof"


def test_an_old_file_again_does_not_bring_an_old_name_back():
    run(a_row(building_name="Lindenhof"))
    run(a_row(year="2026", building_name="Am Lindenhof"))
    assert counts(run(a_row(building_name="Lindenhof"))) == (0, 0, 1)
    assert Building.objects.get().name == "Am Lindenhof"


def test_retention_may_change_without_touching_a_bill():
    run(a_row(retention="P10Y"))
    enqueue()
    assert counts(run(a_row(retention="P6Y"))) == (0, 0, 1)
    assert Batch.objects.get().retention_hint == "P6Y"


def test_a_complete_batch_with_a_new_unit_is_not_complete():
    run(a_row())
    Batch.objects.update(completed_at=now())
    run(a_row())
    assert Batch.objects.get().completed_at is not None
    run(a_row(unit="2"))
    assert Batch.objects.get().completed_at is None


def test_chunks_change_nothing_about_the_outcome(monkeypatch):
    monkeypatch.setattr(writing, "CHUNK", 3)
    rows = [a_row(building=f"B{unit % 3}", unit=str(unit), **BOTH) for unit in range(10)]
    assert counts(run(*rows)) == (10, 0, 0)
    changed = [{**row, "channels": "EMAIL"} if row["unit"] in "258" else row for row in rows]
    assert counts(run(*changed)) == (0, 3, 7)
    assert Counter(Communication.objects.values_list("delivery_status", flat=True)) == {
        "PENDING": 17,
        "CANCELLED": 3,
    }


def test_the_sample_is_taken_twice():
    first = import_file(SAMPLE, SAMPLE.name)
    assert (first.batches, *counts(first)) == (12, 756, 0, 0)
    assert counts(import_file(SAMPLE, SAMPLE.name)) == (0, 0, 756)
