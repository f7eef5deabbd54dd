"""The facts of a bill as its reader sees them: what every channel's template is filled with."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from babel import Locale

from trackcenter.channels.formats import iban_compact, iban_groups, long_date, money, short_date
from trackcenter.channels.language import reader_locale, text_language
from trackcenter.channels.sender import Sender
from trackcenter.channels.snapshot import Snapshot
from trackcenter.channels.texts import words

BalanceKind = Literal["pay", "credit", "settled"]

# Line and page separators break lines as well as control characters do; a lone surrogate has no
# bytes in UTF-8. None of them is part of anybody's name.
_BREAKING = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_BARE_UNIT = re.compile(r"[\w./-]{1,6}")
_LONG_WORD = re.compile(r"[^\W\d_]{3}")


@dataclass(frozen=True, slots=True)
class Facts:
    """Ready to show: every amount and date is written in the reader's locale.

    `balance` has no sign, `balance_kind` says what it means. Absent facts are None or empty, so
    that a template can leave their sentence out. `reference` is what a payer writes on a
    transfer. `place` is building and unit in one.
    """

    language: str
    recipient: str
    building: str
    building_address: str
    unit: str
    place: str
    year: str
    costs: tuple[tuple[str, str], ...]
    total: str | None
    prepaid: str | None
    balance: str | None
    balance_kind: BalanceKind | None
    due_date: str | None
    iban: str | None
    payee: str | None
    reference: str
    sender_name: str
    sender_address: tuple[str, ...]
    sender_phone: str | None
    sender_reply_to: str | None

    def as_variables(self) -> dict[str, object]:
        """The same as template variables."""
        return {name: getattr(self, name) for name in self.__slots__}


def one_line(text: str) -> str:
    """The text as one line: whatever could break a line or a header becomes a space.

    Soft hyphens go: whether one shows depends on where a line happens to end.
    """
    return _BREAKING.sub(" ", text).replace("\u00ad", "").strip()


def balance_of(snapshot: Snapshot) -> Decimal | None:
    """What remains: the row's balance, else total − prepaid where both are given."""
    if snapshot.balance is not None:
        return snapshot.balance
    total = total_of(snapshot)
    if total is None or snapshot.prepaid is None:
        return None
    return total - snapshot.prepaid


def total_of(snapshot: Snapshot) -> Decimal | None:
    """All costs: the row's total, else the sum of its cost lines."""
    if snapshot.total is None and snapshot.costs:
        return sum((line.amount for line in snapshot.costs), Decimal(0))
    return snapshot.total


def payment_reference(snapshot: Snapshot) -> str:
    """What a payer writes on the transfer, the same in every channel: `MUS12 / 12 / 2024`."""
    return one_line(f"{snapshot.building_code} / {snapshot.unit} / {snapshot.year}")


def facts_of(snapshot: Snapshot, sender: Sender, *, short: bool = False) -> Facts:
    """The facts of this bill in the language and locale of its recipient.

    Payment details are given only where something is to pay. `short` is for SMS: short dates and
    an IBAN without spaces.
    """
    language = text_language(snapshot.language, snapshot.country)
    locale = reader_locale(snapshot.language, snapshot.country)
    building = one_line(snapshot.building_name or snapshot.building_code)
    unit = _unit_name(one_line(snapshot.unit), words(language)["unit"])
    balance = balance_of(snapshot)
    kind = _kind(balance)
    to_pay = kind == "pay"
    date_form, iban_form = (short_date, iban_compact) if short else (long_date, iban_groups)
    payee = snapshot.payee or sender.payee or sender.name
    return Facts(
        language=language,
        recipient=one_line(snapshot.recipient),
        building=building,
        # A building is often named by its street: then the address line is only what is new.
        building_address=one_line(snapshot.building_address or "")
        .removeprefix(building)
        .strip(" ,"),
        unit=unit,
        place=f"{building}, {unit}",
        year=str(snapshot.year),
        costs=tuple(
            (one_line(line.label), money(line.amount, snapshot.currency, locale))
            for line in snapshot.costs
        ),
        total=_money(total_of(snapshot), snapshot.currency, locale),
        prepaid=_money(snapshot.prepaid, snapshot.currency, locale),
        balance=_money(None if balance is None else abs(balance), snapshot.currency, locale),
        balance_kind=kind,
        due_date=date_form(snapshot.due_date, locale) if to_pay and snapshot.due_date else None,
        iban=iban_form(one_line(snapshot.iban)) if to_pay and snapshot.iban else None,
        payee=one_line(payee) if to_pay and snapshot.iban else None,
        reference=payment_reference(snapshot),
        sender_name=one_line(sender.name),
        sender_address=tuple(
            filter(None, (one_line(line) for line in re.split(r"[\r\n,]+", sender.address)))
        ),
        sender_phone=one_line(sender.phone) if sender.phone else None,
        sender_reply_to=one_line(sender.reply_to) if sender.reply_to else None,
    )


def _unit_name(unit: str, word: str) -> str:
    """`12` is `Wohnung 12` to its reader; `Laden links` already says what it is."""
    if _BARE_UNIT.fullmatch(unit) and not _LONG_WORD.search(unit):
        return f"{word} {unit}"
    return unit


def _kind(balance: Decimal | None) -> BalanceKind | None:
    if balance is None:
        return None
    if balance == 0:
        return "settled"
    return "pay" if balance > 0 else "credit"


def _money(amount: Decimal | None, currency: str | None, locale: Locale) -> str | None:
    return None if amount is None else money(amount, currency, locale)
