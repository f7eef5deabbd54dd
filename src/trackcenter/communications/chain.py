"""The hash chain: `hash = SHA-256(JCS(header, payload commitment, previous hash))` (RFC 8785).

The payload enters by its salted commitment only, `SHA-256(salt ‖ JCS(payload))`, so that a
payload may one day be erased while the chain still verifies.
"""

import hashlib
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from trackcenter.kit import canonical
from trackcenter.kit.clock import iso

GENESIS = bytes(32)
"""The previous hash of a communication's first event."""


class Header(NamedTuple):
    """Everything of an event but its payload and its hashes."""

    id: UUID
    communication_id: UUID
    building_id: UUID
    year: int
    sequence: int
    attempt: int
    type: str
    qualifier: str
    source: str
    user_id: UUID | None
    occurred_at: datetime
    recorded_at: datetime


def commitment(salt: bytes, payload: Any) -> bytes:
    """The 32 bytes that stand for a payload in the chain."""
    return hashlib.sha256(salt + canonical.dumps(payload)).digest()


def event_hash(header: Header, payload_commitment: bytes, previous_hash: bytes) -> bytes:
    """The 32 bytes that seal an event and, through `previous_hash`, all before it."""
    return hashlib.sha256(
        canonical.dumps(
            {
                "id": str(header.id),
                "communicationId": str(header.communication_id),
                "buildingId": str(header.building_id),
                "year": header.year,
                "sequence": header.sequence,
                "attempt": header.attempt,
                "type": header.type,
                "qualifier": header.qualifier,
                "source": header.source,
                "userId": str(header.user_id) if header.user_id else None,
                "occurredAt": iso(header.occurred_at),
                "recordedAt": iso(header.recorded_at),
                "payloadCommitment": payload_commitment.hex(),
                "previousHash": previous_hash.hex(),
            }
        )
    ).digest()
