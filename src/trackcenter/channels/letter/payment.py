"""The payment QR of a bill (EPC069-12, the 'Girocode'): scanned, it fills in the transfer."""

from trackcenter.channels.bill import balance_of, one_line, payment_reference
from trackcenter.channels.documents.bars import Drawing, qr_code
from trackcenter.channels.formats import iban_compact
from trackcenter.channels.sender import Sender
from trackcenter.channels.snapshot import Snapshot

_SIZE = 30.0
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
    data = payload(
        payee[:_NAME].strip(),
        iban_compact(snapshot.iban),
        f"{balance:.2f}",
        payment_reference(snapshot)[:_TEXT].strip(),
    )
    return qr_code(data, size=_SIZE)


def payload(payee: str, iban: str, amount: str, text: str) -> bytes:
    """The data of the QR: EPC069-12 version 002 in UTF-8, without a BIC (not needed in SEPA)."""
    lines = ("BCD", "002", "1", "SCT", "", payee, iban, f"EUR{amount}", "", "", text)
    return "\n".join(lines).encode()
