"""A believable bill to render, and its sender."""

from typing import Any

from trackcenter.channels.sender import Sender
from trackcenter.channels.snapshot import Snapshot

ROW: dict[str, Any] = {
    "buildingCode": "MUS12",
    "buildingName": "Musterstraße 12",
    "buildingAddress": "Musterstraße 12, 10115 Berlin",
    "year": 2024,
    "unit": "12",
    "recipient": "Jürgen Größer",
    "email": "juergen@example.com",
    "phone": "+491701234567",
    "street": "Musterstraße 12",
    "street2": None,
    "postcode": "10115",
    "city": "Berlin",
    "country": "DE",
    "language": "de",
    "channels": ["EMAIL", "SMS"],
    "currency": "EUR",
    "costs": [
        {"label": "Heizung und Warmwasser", "amount": "1034.50"},
        {"label": "Wasser", "amount": "312.80"},
        {"label": "Müllabfuhr", "amount": "96.40"},
    ],
    "total": "1443.70",
    "prepaid": "1200.00",
    "balance": "243.70",
    "dueDate": "2025-11-30",
    "iban": "DE89370400440532013000",
    "payee": "Nord Treuhand KG",
    "timeZone": "Europe/Berlin",
}

SENDER = Sender(
    name="Hausverwaltung Nord GmbH",
    address="Lindenallee 4\n20095 Hamburg",
    reply_to="abrechnung@nord.example",
    phone="+49 40 123456",
)


def bill(**changes: Any) -> Snapshot:
    """The sample bill with some of its wire fields changed."""
    return Snapshot.from_row(ROW | changes)
