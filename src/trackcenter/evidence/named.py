"""What events name by its hash, and so put under the chain: a communication's bill, and what left
for its recipient. The rows that hold these are compared with that."""

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

from trackcenter.communications.lifecycle import EventType
from trackcenter.evidence.findings import Differs, stream


class Named:
    """What the events of one communication name, of each the newest."""

    def __init__(self) -> None:
        self.bill: str | None = None
        self.left: dict[int, list[str]] = {}
        """The hashes of bodies and files, by attempt."""

    def take(self, type_: str, attempt: int, payload: dict[str, Any]) -> None:
        """Take in the next event. An import names the bill in CREATED, or in the NOTICE of a
        correction; a worker what left, in SENT."""
        if type_ == EventType.CREATED:
            self.bill = payload["snapshotSha256"]
        elif type_ == EventType.NOTICE:
            self.bill = payload.get("detail", {}).get("snapshotSha256", self.bill)
        elif type_ == EventType.SENT and payload.get("contentSha256"):
            self.left[attempt] = payload["contentSha256"]


BILL_COLUMNS = (
    "snapshot.id",
    "snapshot.sha256",
    "(snapshot.batch_id, snapshot.unit_id) = (communications.batch_id, communications.unit_id)",
    "recipient_name = snapshot.row ->> 'recipient'",
)
"""For `compare_bill`, of `communications LEFT JOIN billing_snapshots AS snapshot`."""


def compare_bill(communication_id: UUID, named: Named, columns: list[Any]) -> None:
    """Whether a communication's bill is the one its events name. Raises `Differs`."""
    snapshot_id, sha256, is_its_own, says_recipient = columns
    if named.bill is None:
        raise Differs("communications", communication_id, "no event of it names its bill")
    if snapshot_id is None:
        raise Differs("communications", communication_id, "its bill is missing")
    if not is_its_own:
        problem = "its bill is that of another batch or unit"
        raise Differs("communications", communication_id, problem)
    if sha256 != named.bill:
        problem = f"it is not the bill that the events of communication {communication_id} name"
        raise Differs("billing_snapshots", snapshot_id, problem)
    if not says_recipient:
        problem = "recipient_name is not the recipient of its bill"
        raise Differs("communications", communication_id, problem)


# Slips and proofs come later, and are no part of what left.
_LEFT = """
    SELECT attempt.communication_id, attempt.number, attempt.id,
           attempt.body_text_sha256, attempt.body_html_sha256, file.id, file.sha256
    FROM communication_attempts AS attempt
    LEFT JOIN communication_attachments AS file
        ON file.attempt_id = attempt.id AND file.communication_id = attempt.communication_id
        AND file.kind IN ('STATEMENT', 'LETTER', 'LABEL')
    ORDER BY attempt.communication_id, attempt.number
"""


class Left:
    """The attempts with their bodies and files, walked in the order of the communications' ids."""

    def __init__(self) -> None:
        self._rows = stream(_LEFT)
        self._row = next(self._rows, None)

    def compare(self, communication_id: UUID, named: Named) -> None:
        """Whether what left is still on record as its events name it. Raises `Differs`.

        Call it for one communication after the other, in the order of their ids.
        """
        missing = dict(named.left)
        for number, rows in groupby(self._of(communication_id), itemgetter(1)):
            hashes = missing.pop(number, None)
            if hashes is not None:
                _compare(
                    f"(attempt {number} of communication {communication_id})", hashes, list(rows)
                )
        if missing:
            problem = f"its attempt {min(missing)}, by which something left, is missing"
            raise Differs("communications", communication_id, problem)

    def _of(self, communication_id: UUID) -> Iterator[tuple[Any, ...]]:
        while self._row is not None and self._row[0] <= communication_id:
            if self._row[0] == communication_id:
                yield self._row
            self._row = next(self._rows, None)


def _compare(place: str, hashes: list[str], rows: list[tuple[Any, ...]]) -> None:
    _, _, attempt_id, text, html, _, _ = rows[0]
    files = [(file_id, sha256) for *_, file_id, sha256 in rows if file_id]
    for file_id, sha256 in files:
        if sha256 not in hashes:
            problem = f"it is not among what left by its event {place}"
            raise Differs("communication_attachments", file_id, problem)
    there = [*filter(None, (text, html)), *(sha256 for _, sha256 in files)]
    if sorted(there) != sorted(hashes):
        gone = next((one for one in hashes if one not in there), "one of them twice")
        problem = f"its bodies and files are not what left by its event: {gone} {place}"
        raise Differs("communication_attempts", attempt_id, problem)
