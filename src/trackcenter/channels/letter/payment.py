"""The payment QR of a bill (EPC069-12, the 'Girocode'): scanned, it fills in the transfer."""

from functools import lru_cache

from segno import helpers

from trackcenter.channels.bill import balance_of, one_line, payment_reference
from trackcenter.channels.documents.bars import Drawing
from trackcenter.channels.formats import iban_compact
from trackcenter.channels.sender import Sender
from trackcenter.channels.snapshot import Snapshot

_SIZE = 30.0
_QUIET = 4
_NAME, _TEXT = 70, 140  # the most characters EPC069-12 has room for
_MOST = 999_999_999


def payment_qr(snapshot: Snapshot, sender: Sender) -> Drawing | None:
    """The QR of 30 mm, quiet zone of four modules included; None where it cannot help.

    It needs payee, IBAN, euros and something to pay.
    """
    balance = balance_of(snapshot)
    payee = one_line(snapshot.payee or sender.payee or sender.name)
    if balance is None or not 0 < balance <= _MOST:
        return None
    if not (payee and snapshot.iban) or snapshot.currency != "EUR":
        return None
    return _drawn(
        payee[:_NAME].strip(),
        iban_compact(snapshot.iban),
        f"{balance:.2f}",
        payment_reference(snapshot)[:_TEXT].strip(),
    )


@lru_cache(maxsize=64)
def _drawn(payee: str, iban: str, amount: str, text: str) -> Drawing:
    code = helpers.make_epc_qr(payee, iban, amount, text=text, encoding="utf-8")
    rows = [[bool(module) for module in row] for row in code.matrix]
    side = len(rows) + 2 * _QUIET
    path = "".join(
        f"M{x + _QUIET} {y + _QUIET}h{run}v1h-{run}z"
        for y, row in enumerate(rows)
        for x, run in _runs(row)
    )
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}">'
        f'<path shape-rendering="crispEdges" d="{path}"/></svg>'
    )
    return Drawing(svg, _SIZE, _SIZE)


def _runs(row: list[bool]) -> list[tuple[int, int]]:
    """The dark runs of a row: where each begins and how long it is."""
    runs: list[tuple[int, int]] = []
    for x, dark in enumerate(row):
        if not dark:
            continue
        if runs and sum(runs[-1]) == x:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((x, 1))
    return runs
