"""The rules of a billing file: raw rows in, checked rows out, every problem with its place.

A file is taken whole or not at all, so checking never stops at the first problem: it walks to the
end and reports them all (the first `MAX_PROBLEMS` in full, the rest as a number). The rules are
written for the person who has to mend the file; so are the messages. What a single cell may say
is in `imports.fields`; here stands what the cells of a row, and the rows of a file, owe each other.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple

import msgspec

from trackcenter.imports import fields
from trackcenter.imports.fields import canonical_amount
from trackcenter.imports.reading import COST_PREFIX, Cell, RawRow, Table
from trackcenter.kit.errors import InputError, Problem, Sentence
from trackcenter.kit.postal import has_postcodes
from trackcenter.kit.texts import Refused

MAX_PROBLEMS = 1000
MAX_COSTS = 50
DEFAULT_CURRENCY = "EUR"
"""What amounts are in when a row has amounts and no currency."""

REQUIRED = ("building", "year", "unit", "recipient", "channels")
COLUMNS = (
    *("building", "building_name", "building_address", "year", "unit", "recipient"),
    *("email", "phone", "street", "street2", "postcode", "city", "country"),
    *("language", "channels", "currency", "total", "prepaid", "balance", "due_date"),
    *("iban", "payee", "time_zone", "retention", "retention_attachments"),
)
_TEXTS = {  # column: most characters, as the database and the letter have room for
    "building": 64,
    "building_name": 200,
    "building_address": 500,
    "unit": 64,
    "recipient": 200,
    "street": 200,
    "street2": 200,
    "city": 100,
    "payee": 140,
}
_LONGEST_COST_LABEL = 100
_LETTER_NEEDS = ("street", "postcode", "city", "country")


class Cost(msgspec.Struct, frozen=True, gc=False):
    """One line of a bill; `amount` is a canonical decimal string."""

    label: str
    amount: str


class CheckedRow(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One unit's bill of one year as the file states it, every value in its canonical form.

    What the file leaves empty is None. Amounts are decimal strings with at least two decimals,
    dates ISO 8601, the phone E.164.
    """

    number: int
    building: str
    year: int
    unit: str
    recipient: str
    channels: tuple[str, ...]
    email: str | None = None
    phone: str | None = None
    street: str | None = None
    street2: str | None = None
    postcode: str | None = None
    city: str | None = None
    country: str | None = None
    language: str | None = None
    currency: str | None = None
    costs: tuple[Cost, ...] = ()
    total: str | None = None
    prepaid: str | None = None
    balance: str | None = None
    due_date: str | None = None
    iban: str | None = None
    payee: str | None = None

    def snapshot(self, building: "BuildingFacts") -> dict[str, Any]:
        """The billing snapshot, in the shape that `channels.snapshot.Snapshot` reads."""
        return {
            "buildingCode": self.building,
            "buildingName": building.name,
            "buildingAddress": building.address,
            "timeZone": building.time_zone,
            "year": self.year,
            "unit": self.unit,
            "recipient": self.recipient,
            "email": self.email,
            "phone": self.phone,
            "street": self.street,
            "street2": self.street2,
            "postcode": self.postcode,
            "city": self.city,
            "country": self.country,
            "language": self.language,
            "channels": list(self.channels),
            "currency": self.currency,
            "costs": [{"label": cost.label, "amount": cost.amount} for cost in self.costs],
            "total": self.total,
            "prepaid": self.prepaid,
            "balance": self.balance,
            "dueDate": self.due_date,
            "iban": self.iban,
            "payee": self.payee,
        }


class BuildingFacts(msgspec.Struct):
    """What the rows of one file say together about a building; None where none says anything."""

    name: str | None = None
    address: str | None = None
    time_zone: str | None = None


class Retention(msgspec.Struct):
    """How long a batch is kept: ISO 8601 durations, None where the file says nothing."""

    messages: str | None = None
    attachments: str | None = None


class CheckedFile(msgspec.Struct):
    """A file without a problem."""

    rows: list[CheckedRow]
    buildings: dict[str, BuildingFacts]
    batches: dict[tuple[str, int], Retention]


def check_file(table: Table, *, on_row: Callable[[int], None] | None = None) -> CheckedFile:
    """Every row of a billing file, checked; `InputError` with every problem when there is one.

    `on_row` is called with the number of rows read so far, for a progress bar.
    """
    checker = _Checker(decimal_comma=table.decimal_comma)
    if table.heading is not None:
        checker.check_heading(table.heading)
    rows: list[CheckedRow] = []
    seen = 0
    try:
        for raw in table.rows:
            seen += 1
            checked = checker.check(raw)
            if checked is not None:
                rows.append(checked)
            if on_row is not None:
                on_row(seen)
    except InputError as broken_off:  # the file cannot be read any further
        checker.problems += broken_off.problems
        checker.problem_count += broken_off.total
    if not seen and not checker.problem_count:
        checker.report(Sentence("the file has no rows", "fileHasNoRows"), "file")
    checker.raise_problems()
    for retention in checker.batches.values():
        retention.attachments = retention.attachments or retention.messages
    return CheckedFile(rows, checker.buildings, checker.batches)


def all_problems(problems: Sequence[Problem], total: int) -> InputError:
    """The error with the first `MAX_PROBLEMS` in full, and how many more there are."""
    shown = list(problems[:MAX_PROBLEMS])
    if total > len(shown):
        count = total - len(shown)
        more = Sentence(f"{count:,} more problems are not shown", "moreProblems", count=count)
        shown.append(Problem(("file",), more))
    return InputError(shown, total=total)


class _Place(NamedTuple):
    """A column of the file that belongs to a known field, or to a cost."""

    at: int
    column: str
    cost_label: str | None


class _Checker:
    """The rules, and what has been seen so far of the file they are applied to."""

    def __init__(self, *, decimal_comma: bool) -> None:
        self.problems: list[Problem] = []
        self.problem_count = 0
        self.buildings: dict[str, BuildingFacts] = {}
        self.batches: dict[tuple[str, int], Retention] = {}
        self.decimal_comma = decimal_comma
        self._first_said: dict[tuple[object, ...], int] = {}
        self._rows_of_units: dict[tuple[str, int, str], int] = {}
        self._layouts: dict[tuple[str, ...], tuple[list[_Place], list[tuple[str, Sentence]]]] = {}
        self._heading: tuple[str, ...] | None = None
        self.missing_columns: frozenset[str] = frozenset()

    def report(self, sentence: Sentence, *loc: str | int) -> None:
        self.problem_count += 1
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(loc, sentence))

    def raise_problems(self) -> None:
        if self.problem_count:
            raise all_problems(self.problems, self.problem_count)

    def check_heading(self, heading: tuple[str, ...]) -> None:
        """Row 1 of a table: unknown, repeated and missing columns are told once, not per row."""
        self._heading = heading
        places, faults = self._layout(heading)
        for column, sentence in faults:
            self.report(sentence, "row", 1, column)
        self.missing_columns = frozenset(REQUIRED) - {place.column for place in places}
        for column in REQUIRED:
            if column in self.missing_columns:
                missing = Sentence("this column is required", "columnMissing")
                self.report(missing, "row", 1, column)

    def _layout(self, columns: tuple[str, ...]) -> tuple[list[_Place], list[tuple[str, Sentence]]]:
        """Where each known column stands, and what is wrong with the names."""
        layout = self._layouts.get(columns)
        if layout is None:
            layout = _read_heading(columns)
            if len(self._layouts) < 1000:  # JSON objects may each have their own keys
                self._layouts[columns] = layout
        return layout

    def check(self, raw: RawRow) -> CheckedRow | None:
        """The row in canonical form, or None after its problems have been reported."""
        before = self.problem_count
        places, faults = self._layout(raw.columns)
        if raw.columns is not self._heading:
            for column, sentence in faults:
                self.report(sentence, "row", raw.number, column)
        unreadable: set[str] = set()
        for column, sentence in raw.faults:
            self.report(sentence, "row", raw.number, *([column] if column else []))
            unreadable.add(column.casefold())
        for index, column in enumerate(raw.columns):
            if not column and raw.cells[index] != "":
                nameless = Sentence("a value under an empty heading", "valueWithoutHeading")
                self.report(nameless, "row", raw.number, f"column {index + 1}")
        if "" in unreadable:  # the cells do not stand under their columns: nothing else is certain
            return None

        reading = _RowReading(self, raw, places, unreadable)
        row = reading.read()
        if row is not None:
            self._compare(row, reading)
        return row if self.problem_count == before else None

    def _compare(self, row: CheckedRow, reading: "_RowReading") -> None:
        """What rows of one file must not contradict each other in."""
        first = self._rows_of_units.setdefault((row.building, row.year, row.unit), row.number)
        if first != row.number:
            twice = Sentence(
                f"unit {row.unit} of building {row.building} stands already in row {first} for "
                f"{row.year}",
                "unitTwice",
                unit=row.unit,
                building=row.building,
                row=first,
                year=row.year,
            )
            self.report(twice, "row", row.number, "unit")
        facts = self.buildings.setdefault(row.building, BuildingFacts())
        self._agree(facts, "name", "building_name", reading, (row.building,))
        self._agree(facts, "address", "building_address", reading, (row.building,))
        self._agree(facts, "time_zone", "time_zone", reading, (row.building,))
        batch = (row.building, row.year)
        kept = self.batches.setdefault(batch, Retention())
        self._agree(kept, "messages", "retention", reading, batch)
        self._agree(kept, "attachments", "retention_attachments", reading, batch)

    def _agree(
        self,
        facts: BuildingFacts | Retention,
        attribute: str,
        column: str,
        reading: "_RowReading",
        subject: tuple[object, ...],
    ) -> None:
        value = reading.values.get(column)
        if value is None:
            return
        said = getattr(facts, attribute)
        if said is None:
            setattr(facts, attribute, value)
            self._first_said[(*subject, column)] = reading.raw.number
        elif said != value:
            first = self._first_said[(*subject, column)]
            about = "building" if isinstance(facts, BuildingFacts) else "batch of building"
            name = " ".join(str(part) for part in subject)
            words = f"row {first} says '{said}' for the {about} {name}; one file says one thing"
            contradiction = Sentence(words, "contradiction", row=first, said=said, name=name)
            self.report(contradiction, "row", reading.raw.number, column)


class _RowReading:
    """One row on its way to its canonical form."""

    def __init__(
        self, checker: _Checker, raw: RawRow, places: Sequence[_Place], unreadable: set[str]
    ) -> None:
        self.raw = raw
        self.values: dict[str, Any] = {}
        self._checker = checker
        self._places = places
        self._failed = {column for column in unreadable if column}
        self._cells: dict[str, Cell] = {}
        self._costs: list[tuple[_Place, Cell]] = []
        for place in places:
            cell = raw.cells[place.at]
            if isinstance(cell, str) and not cell.strip():
                continue
            if place.cost_label is None:
                self._cells[place.column] = cell
            else:
                self._costs.append((place, cell))

    def report(self, column: str, sentence: Sentence) -> None:
        self._failed.add(column)
        self._checker.report(sentence, "row", self.raw.number, column)

    def read(self) -> CheckedRow | None:
        """The canonical row; None where a value is missing that the row cannot be made without."""
        for column in REQUIRED:
            known_missing = column in self._checker.missing_columns or column in self._failed
            if column not in self._cells and not known_missing:
                self.report(column, Sentence("a value is required here", "valueMissing"))
        self._read_texts()
        self._read_codes()
        self._read_addresses()
        costs = self._read_amounts()
        self._check_channel_addresses()
        if any(self.values.get(column) is None for column in REQUIRED):
            return None
        return CheckedRow(
            number=self.raw.number,
            costs=costs,
            **{
                name: value
                for name, value in self.values.items()
                if name in CheckedRow.__struct_fields__
            },
        )

    def _take(self, column: str, read: Callable[[Cell], Any]) -> None:
        """Read one column into `values`, or report why it cannot be."""
        cell = self._cells.get(column)
        if cell is None or column in self._failed:
            return
        try:
            self.values[column] = read(cell)
        except Refused as refusal:
            self.report(column, refusal.sentence)

    def _read_texts(self) -> None:
        for column, longest in _TEXTS.items():
            self._take(column, partial(fields.read_text, longest=longest))

    def _read_codes(self) -> None:
        self._take("year", fields.read_year)
        self._take("channels", fields.read_channels)
        self._take("country", fields.read_country)
        self._take("language", fields.read_language)
        self._take("currency", fields.read_currency)
        self._take("due_date", fields.read_date)
        self._take("iban", fields.read_iban)
        self._take("time_zone", fields.read_time_zone)
        self._take("retention", fields.read_duration)
        self._take("retention_attachments", fields.read_duration)

    def _read_addresses(self) -> None:
        self._take("email", fields.read_email)
        if "country" in self._failed:
            return  # phone and postcode are read in the row's country
        country = self.values.get("country")
        self._take("phone", partial(fields.read_phone, country=country))
        self._take("postcode", partial(fields.read_postcode, country=country))

    def _read_amounts(self) -> tuple[Cost, ...]:
        amounts: dict[str, Decimal] = {}
        unknown = "currency" in self._failed
        read_amount = partial(
            fields.read_amount,
            currency=None if unknown else self.values.get("currency", DEFAULT_CURRENCY),
            decimal_comma=self._checker.decimal_comma,
        )

        def take(column: str, cell: Cell | None) -> None:
            if cell is None or column in self._failed:
                return
            try:
                amounts[column] = read_amount(cell)
            except Refused as refusal:
                self.report(column, refusal.sentence)

        for column in ("total", "prepaid", "balance"):
            take(column, self._cells.get(column))
        for place, cell in self._costs:
            take(place.column, cell)
        if len(self._costs) > MAX_COSTS:
            words = f"more than {MAX_COSTS} costs in one row"
            self.report("costs", Sentence(words, "tooManyCosts", most=MAX_COSTS))

        costs = [
            (place, amounts[place.column]) for place, _ in self._costs if place.column in amounts
        ]
        if not any(
            column in self._failed for column in ("total", *(p.column for p, _ in self._costs))
        ):
            total = sum((amount for _, amount in costs), Decimal(0))
            if costs and amounts.setdefault("total", total) != total:
                said, costs_say = canonical_amount(amounts["total"]), canonical_amount(total)
                words = f"total is {said}, but the costs add up to {costs_say}"
                self.report("total", Sentence(words, "totalIsNotSum", total=said, sum=costs_say))
        if "total" in amounts and "prepaid" in amounts and "balance" not in self._failed:
            balance = amounts["total"] - amounts["prepaid"]
            if amounts.setdefault("balance", balance) != balance:
                said, rest = canonical_amount(amounts["balance"]), canonical_amount(balance)
                words = f"balance is {said}, but total − prepaid is {rest}"
                self.report("balance", Sentence(words, "balanceIsNotRest", balance=said, rest=rest))
        for column in ("total", "prepaid", "balance"):
            if column in amounts:
                self.values[column] = canonical_amount(amounts[column])
        if amounts and "currency" not in self._cells:
            self.values["currency"] = DEFAULT_CURRENCY
        return tuple(
            Cost(place.cost_label or "", canonical_amount(amount)) for place, amount in costs
        )

    def _check_channel_addresses(self) -> None:
        for channel in self.values.get("channels", ()):
            for column in {"EMAIL": ("email",), "SMS": ("phone",)}.get(channel, _LETTER_NEEDS):
                if column in self._cells or column in self._failed:
                    continue
                if column == "postcode" and not has_postcodes(self.values.get("country")):
                    continue
                words = f"{channel} is asked for, but there is no {column}"
                needs = Sentence(words, "channelNeeds", channel=channel, column=column)
                self.report(column, needs)


# --- headings ---


def _read_heading(columns: Sequence[str]) -> tuple[list[_Place], list[tuple[str, Sentence]]]:
    places: list[_Place] = []
    faults: list[tuple[str, Sentence]] = []
    taken: set[str] = set()
    for index, name in enumerate(columns):
        if not name:
            continue
        key = name.casefold()
        label = None
        if key.startswith(COST_PREFIX):
            try:
                label = fields.read_text(name[len(COST_PREFIX) :], _LONGEST_COST_LABEL)
            except Refused as refusal:
                faults.append((name, refusal.sentence))
                continue
            if not label:
                words = "a cost column needs a label after 'cost:'"
                faults.append((name, Sentence(words, "costWithoutLabel")))
                continue
            key = f"{COST_PREFIX} {label}"
        elif key not in COLUMNS:
            near = fields.nearest(key, [*COLUMNS, "cost: LABEL"])
            words = f"unknown column{fields.did_you_mean(near)}"
            faults.append((name, Sentence(words, "unknownColumn", near=near)))
            continue
        if key.casefold() in taken:
            faults.append((name, Sentence("this column stands there twice", "columnTwice")))
            continue
        taken.add(key.casefold())
        places.append(_Place(index, key, label))
    return places, faults
