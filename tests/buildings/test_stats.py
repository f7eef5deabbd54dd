"""The rollups are the counts, whatever happened and however many wrote at once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

import pytest
from django.db import connection, connections, transaction

from tests.communications.factories import a_bill
from trackcenter.access.visible import EVERY_BUILDING
from trackcenter.buildings.models import ChannelRollup
from trackcenter.buildings.selectors import list_buildings
from trackcenter.communications import events
from trackcenter.communications.models import Communication, Source
from trackcenter.communications.payloads import (
    Cancelled,
    Delivered,
    Enqueued,
    Failed,
    ManualMarked,
    Notice,
    Opened,
    Payload,
    Posted,
    ResendRequested,
    Returned,
    Sent,
    Trouble,
)
from trackcenter.communications.triggers import ROLLUP_COLUMNS, rollup_query

ANYTHING: list[Payload] = [
    Enqueued(channel="EMAIL"),
    Sent(provider="test"),
    Sent(provider="typst", stage="READY_TO_PRINT"),
    Posted(print_run_id="1"),
    Delivered(),
    Opened(),
    Failed(error=Trouble(message="no")),
    Failed(error=Trouble(message="?"), outcome="UNKNOWN"),
    Notice(kind="delayed"),
    ManualMarked(method="OTHER", note="x"),
    Returned(note="x"),
    Cancelled(reason="dropped"),
    ResendRequested(channel="SMS"),
]
STATUSES = ("pending", "enqueued", "sent", "delivered", "opened", "failed", "manual")


def rolled_up() -> set[tuple[Any, ...]]:
    return set(ChannelRollup.objects.values_list("building_id", "year", "channel", *ROLLUP_COLUMNS))


def counted() -> set[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(rollup_query())
        return set(cursor.fetchall())


def some_events(made: list[Communication], chance: Random) -> list[events.NewEvent]:
    return [
        events.NewEvent(
            chance.choice(made).id,
            payload,
            Source.WORKER,
            attempt=events.NEXT_ATTEMPT if isinstance(payload, ResendRequested) else None,
        )
        for payload in chance.choices(ANYTHING, k=chance.randint(1, 12))
    ]


def some_bills() -> list[Communication]:
    return [
        one
        for building in ("B1", "B2")
        for year in (2024, 2025)
        for unit in ("1", "2")
        for one in a_bill("EMAIL", "LETTER", unit=unit, building=building, year=year)
    ]


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(8))
def test_rollups_are_the_counts_after_any_events(seed: int) -> None:
    chance = Random(seed)
    made = some_bills()
    for _ in range(25):
        events.append(some_events(made, chance))
    assert rolled_up() == counted()
    for building in list_buildings(EVERY_BUILDING)["items"]:
        rows = [building["stats"], *building["stats"]["byChannel"].values()]
        for row in rows:
            assert sum(row[status] for status in STATUSES) == row["total"]
            assert row["readyToPrint"] <= row["sent"]
            assert row["outcomeUnknown"] <= row["failed"]
        assert rows[0]["total"] + rows[0]["cancelled"] == 8


@pytest.mark.django_db
def test_rollups_follow_a_correction_of_channel_or_year() -> None:
    made = some_bills()
    Communication.objects.filter(id=made[0].id).update(year=2020, channel="SMS")
    assert rolled_up() == counted()
    moved = ChannelRollup.objects.get(year=2020)
    assert (moved.channel, moved.total) == ("SMS", 1)


@pytest.mark.django_db
def test_a_change_of_no_status_touches_no_rollup() -> None:
    (one,) = a_bill()
    with connection.cursor() as cursor:
        cursor.execute("SELECT xmin::text FROM channel_rollups")
        before = cursor.fetchall()
        events.append([events.NewEvent(one.id, Notice(kind="delayed"), Source.WORKER)])
        cursor.execute("SELECT xmin::text FROM channel_rollups")
        assert cursor.fetchall() == before


@pytest.mark.django_db(transaction=True)
def test_writers_at_once_leave_the_rollups_right() -> None:
    with transaction.atomic():
        made = some_bills()
    start = threading.Barrier(6)

    def write(seed: int) -> None:
        chance = Random(seed)
        start.wait()
        try:
            for _ in range(12):
                with transaction.atomic():
                    events.append(some_events(made, chance))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, range(6)))
    assert rolled_up() == counted()
