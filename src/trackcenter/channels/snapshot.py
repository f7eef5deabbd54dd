"""The billing snapshot: one row of the billing file as it was imported, never changed afterwards.

On the wire (the stored row) the keys are camelCase, amounts are decimal
strings (`"1234.50"`), dates ISO 8601, absent values null. Here amounts are `Decimal` and dates
`date`; a float never enters.
"""

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

import msgspec

from trackcenter.channels.errors import SnapshotError

_PLACE = re.compile(r" - at `(?:key in )?\$\.?(?P<field>[^`]*)`$")
_MISSING = re.compile(r"missing required field `(?P<field>[^`]+)`")
_CURRENCY = re.compile(r"[A-Z]{3}")

Text = Annotated[str, msgspec.Meta(min_length=1)]
Channel = Literal["EMAIL", "SMS", "LETTER", "LETTER_WITH_RECEIPT"]


class CostLine(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One line of the cost table; the amount is in the snapshot's currency."""

    label: Text
    amount: Decimal


class Snapshot(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What one unit is billed for one year.

    `language` is an ISO 639-1 code, `country` ISO 3166-1 alpha-2, `currency` ISO 4217, `phone`
    E.164, `time_zone` an IANA name. `balance` = `total` − `prepaid`: positive is to pay, negative
    a credit. Unknown keys are ignored, so that an older program reads a newer row.
    """

    building_code: Text
    year: Annotated[int, msgspec.Meta(ge=1900, le=9999)]
    unit: Text
    recipient: Text
    channels: tuple[Channel, ...]
    building_name: str | None = None
    building_address: str | None = None
    email: str | None = None
    phone: str | None = None
    street: str | None = None
    street2: str | None = None
    postcode: str | None = None
    city: str | None = None
    country: str | None = None
    language: str | None = None
    currency: str | None = None
    costs: tuple[CostLine, ...] = ()
    total: Decimal | None = None
    prepaid: Decimal | None = None
    balance: Decimal | None = None
    due_date: date | None = None
    iban: str | None = None
    payee: str | None = None
    time_zone: str | None = None

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """The snapshot of a stored row. Raises SnapshotError naming the field that is wrong."""
        present = {key: value for key, value in row.items() if value is not None}
        _refuse_numbers(present)
        try:
            snapshot = msgspec.convert(present, cls)
        except msgspec.ValidationError as error:
            raise _named(str(error)) from error
        snapshot._check()
        return snapshot

    def to_row(self) -> dict[str, Any]:
        """The row as JSON values; `from_row` of it equals this snapshot."""
        row: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(self))
        return row

    def _check(self) -> None:
        """What the types cannot say. Amounts go to people, so NaN and infinity must not pass."""
        amounts = {
            "total": self.total,
            "prepaid": self.prepaid,
            "balance": self.balance,
            **{f"costs[{place}].amount": line.amount for place, line in enumerate(self.costs)},
        }
        for field, amount in amounts.items():
            if amount is not None and not (amount.is_finite() and amount.adjusted() < 15):
                raise SnapshotError(field, f"{amount} is no amount")
        if self.currency is not None and not _CURRENCY.fullmatch(self.currency):
            raise SnapshotError("currency", f"{self.currency!r} is no ISO 4217 code")


def _refuse_numbers(row: Mapping[str, Any]) -> None:
    """msgspec would take a JSON number for a Decimal, but a float has lost its cents already."""
    amounts = {field: row.get(field) for field in ("total", "prepaid", "balance")}
    costs = row.get("costs")
    for place, line in enumerate(costs if isinstance(costs, list) else ()):
        if isinstance(line, Mapping):
            amounts[f"costs[{place}].amount"] = line.get("amount")
    for field, amount in amounts.items():
        if isinstance(amount, int | float):
            raise SnapshotError(field, "must be a decimal string, not a number")


def _named(complaint: str) -> SnapshotError:
    """msgspec's sentence, taken apart into the field and the reason."""
    place = _PLACE.search(complaint)
    missing = _MISSING.search(complaint)
    field = place["field"] if place else ""
    reason = complaint[: place.start()] if place else complaint
    if missing:
        field = f"{field}.{missing['field']}" if field else missing["field"]
        reason = "is missing"
    return SnapshotError(field, reason)
