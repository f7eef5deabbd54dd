from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tests.channels.samples import ROW, bill
from trackcenter.channels.errors import SnapshotError
from trackcenter.channels.snapshot import Snapshot


def test_a_row_becomes_decimals_and_dates() -> None:
    snapshot = bill()
    assert snapshot.total == Decimal("1443.70")
    assert snapshot.costs[0].amount == Decimal("1034.50")
    assert snapshot.due_date == date(2025, 11, 30)
    assert snapshot.street2 is None


def test_a_row_survives_the_way_out_and_back() -> None:
    assert bill().to_row() == ROW
    assert Snapshot.from_row(bill().to_row()) == bill()


def test_a_snapshot_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        bill().total = Decimal(0)  # type: ignore[misc]


def test_what_the_row_leaves_out_is_absent() -> None:
    snapshot = Snapshot.from_row(
        {"buildingCode": "A", "year": 2024, "unit": "1", "recipient": "B", "channels": ["LETTER"]}
    )
    assert snapshot.costs == ()
    assert snapshot.balance is None


def test_a_newer_rows_unknown_keys_are_ignored() -> None:
    assert bill(somethingNew=1) == bill()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"total": "12,50"}, "total"),
        ({"total": "NaN"}, "total"),
        ({"balance": "Infinity"}, "balance"),
        ({"prepaid": "1e400"}, "prepaid"),
        ({"total": 12.5}, "total"),
        ({"costs": [{"label": "Wasser", "amount": "x"}]}, "costs[0].amount"),
        ({"costs": [{"label": "Wasser", "amount": "NaN"}]}, "costs[0].amount"),
        ({"costs": [{"label": "Wasser"}]}, "costs[0].amount"),
        ({"costs": [{"label": "", "amount": "1.00"}]}, "costs[0].label"),
        ({"costs": 7}, "costs"),
        ({"costs": ["Wasser"]}, "costs[0]"),
        ({"dueDate": "31.03.2025"}, "dueDate"),
        ({"year": "2024"}, "year"),
        ({"recipient": None}, "recipient"),
        ({"recipient": ""}, "recipient"),
        ({"currency": "€"}, "currency"),
        ({"channels": ["FAX"]}, "channels[0]"),
    ],
)
def test_an_error_names_the_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(SnapshotError) as raised:
        bill(**changes)
    assert raised.value.field == field
    assert raised.value.permanent


def test_the_row_is_plain_json() -> None:
    assert msgspec.json.decode(msgspec.json.encode(bill().to_row())) == ROW
