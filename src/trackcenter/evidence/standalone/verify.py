#!/usr/bin/env python3
"""Checks this evidence bundle, with nothing but Python 3.9 or newer: no network, no packages.

    python3 verify.py [--key KEY] [FOLDER]

FOLDER is where the bundle was unpacked (by default where this file lies). KEY is the verifier key
that `trackcenter audit key` printed, as it was kept somewhere else: without it, only the key that
the bundle itself names can be used.

Ends with 0 when nothing is wrong, with 1 when something is, and says in sentences what is proven,
what is not, and what is wrong. README.txt says what it is all about.
"""

# ruff: noqa: T201
from __future__ import annotations

import argparse
import base64
import hashlib
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

GENESIS = "00" * 32
BUNDLE = "track-center evidence bundle"
OWN = {"evidence.json", "evidence.note", "README.txt", "verify.py"}


# ---- RFC 8785: JSON in one spelling only (no float is ever in it) ----


def canonical(value: Any) -> bytes:
    """The bytes that were hashed."""
    return json.dumps(_sorted(value), ensure_ascii=False, separators=(",", ":")).encode()


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        # By UTF-16 code units, as the standard says.
        names = sorted(value, key=lambda name: name.encode("utf-16-be", "surrogatepass"))
        return {name: _sorted(value[name]) for name in names}
    if isinstance(value, list):
        return [_sorted(item) for item in value]
    return value


def sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


# ---- RFC 8032: Ed25519, verification only (section 5.1.7) ----

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_1 = pow(2, (P - 1) // 4, P)
Point = tuple[int, int, int, int]


def _add(one: Point, other: Point) -> Point:
    a = (one[1] - one[0]) * (other[1] - other[0]) % P
    b = (one[1] + one[0]) * (other[1] + other[0]) % P
    c = 2 * one[3] * other[3] * D % P
    d = 2 * one[2] * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(number: int, point: Point) -> Point:
    result = (0, 1, 1, 0)
    while number:
        if number & 1:
            result = _add(result, point)
        point = _add(point, point)
        number >>= 1
    return result


def _point(encoded: bytes) -> Point | None:
    y = int.from_bytes(encoded, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_1 % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


_BASE = _point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def signed_by(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the signature over the message is the key's."""
    if len(public) != 32 or len(signature) != 64 or _BASE is None:
        return False
    key, r = _point(public), _point(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if key is None or r is None or s >= ORDER:
        return False
    digest = hashlib.sha512(signature[:32] + public + message).digest()
    left = _times(s, _BASE)
    right = _add(r, _times(int.from_bytes(digest, "little") % ORDER, key))
    return not (left[0] * right[2] - right[0] * left[2]) % P and not (
        (left[1] * right[2] - right[1] * left[2]) % P
    )


# ---- Signed notes (c2sp.org/signed-note) ----


def read_key(text: str) -> tuple[str, bytes, bytes]:
    """A verifier key as (name, number, public key)."""
    name, number, encoded = text.split("+", 2)
    key = base64.b64decode(encoded)
    if key[:1] != b"\x01" or sha256(name.encode() + b"\n" + key)[:4].hex() != number:
        raise ValueError("not an Ed25519 verifier key")
    return name, bytes.fromhex(number), key[1:]


def open_note(note: str, keys: Sequence[str]) -> str | None:
    """The text of a note if one of the keys signed it."""
    text, _, signatures = note.rpartition("\n\n")
    for line in signatures.splitlines():
        parts = line.split(" ")
        if len(parts) != 3 or parts[0] != "—":
            continue
        signed = base64.b64decode(parts[2])
        for name, number, public in map(read_key, keys):
            if (name, number) == (parts[1], signed[:4]) and signed_by(
                public, (text + "\n").encode(), signed[4:]
            ):
                return text + "\n"
    return None


# ---- RFC 9162, section 2.1.3.2: from a leaf and its path to the root ----


def root_by_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    here, last = index, size - 1
    for hash_ in path:
        if last == 0:
            return b""
        if here & 1 or here == last:
            leaf = sha256(b"\x01" + hash_ + leaf)
            while here and not here & 1:
                here, last = here >> 1, last >> 1
        else:
            leaf = sha256(b"\x01" + leaf + hash_)
        here, last = here >> 1, last >> 1
    return leaf if last == 0 else b""


# ---- RFC 3161: what a time-stamp says (its signature is for OpenSSL to check) ----


def _parts(der: bytes) -> Iterator[tuple[int, bytes]]:
    """The values one after the other in a piece of DER: (tag, content)."""
    at = 0
    while at < len(der):
        tag, length, at = der[at], der[at + 1], at + 2
        if length & 0x80:
            octets = length & 0x7F
            length, at = int.from_bytes(der[at : at + octets], "big"), at + octets
        yield tag, der[at : at + length]
        at += length


def read_time_stamp(response: bytes) -> tuple[bytes, str]:
    """What was stamped (its hash) and when."""
    answer = list(_parts(next(_parts(response))[1]))
    content = list(_parts(answer[1][1]))[1][1]  # of the ContentInfo: [0] SignedData
    signed = list(_parts(next(_parts(content))[1]))
    wrapped = list(_parts(signed[2][1]))[1][1]  # of the EncapsulatedContentInfo
    info = list(_parts(next(_parts(next(_parts(wrapped))[1]))[1]))
    imprint = list(_parts(info[2][1]))[1][1]
    time = next(content for tag, content in info if tag == 0x18).decode()
    day, clock = time[:8], time[8:]
    return imprint, f"{day[:4]}-{day[4:6]}-{day[6:]} {clock[:2]}:{clock[2:4]}:{clock[4:]}"


# ---- The bundle ----


class Verdict:
    """What was found out, in sentences."""

    def __init__(self) -> None:
        self.proven: list[str] = []
        self.open: list[str] = []
        self.wrong: list[str] = []


def check(folder: Path, keys_from_elsewhere: Sequence[str]) -> tuple[dict[str, Any], Verdict]:
    """Everything, in order."""
    verdict = Verdict()
    content = (folder / "evidence.json").read_bytes()
    try:
        # No float was ever written: one that is there now must not be rounded away.
        evidence: dict[str, Any] = json.loads(content.decode(), parse_float=str)
    except ValueError as error:
        verdict.wrong.append(f"evidence.json cannot be read: {error}.")
        return {}, verdict
    keys = list(keys_from_elsewhere) or list(evidence["keys"])
    check_note(folder, content, evidence, keys, verdict)
    files = check_files(folder, evidence, verdict)
    good = check_events(evidence, verdict)
    check_seals(folder, evidence, files, good, keys, verdict)
    said = "\n".join(canonical(event["payload"]).decode() for event in good)
    check_bills(evidence, said, verdict)
    check_named(evidence, files, said, verdict)
    if not keys_from_elsewhere:
        verdict.open.append(
            "That the signing key is the landlord's: it was taken from this bundle. Compare it "
            "with a copy that was kept elsewhere, or give that copy with --key: "
            + ", ".join(evidence["keys"])
        )
    verdict.open.append(
        "That what was recorded is true. The record shows what this installation and the providers "
        "reported at the time, and that it was not changed since."
    )
    return evidence, verdict


def check_note(
    folder: Path, content: bytes, evidence: dict[str, Any], keys: Sequence[str], verdict: Verdict
) -> None:
    """Was the bundle as a whole signed, and is it still the same?"""
    path = folder / "evidence.note"
    if not path.exists():
        verdict.open.append("That evidence.json as a whole is unchanged: it was not signed.")
        return
    text = open_note(path.read_bytes().decode("utf-8", "replace"), keys)
    if text is None:
        verdict.wrong.append("evidence.note: its signature is wrong, or by another key.")
        return
    head, _, communication, made_at, digest = text.rstrip("\n").split("\n")
    if head != BUNDLE or digest != f"sha256 {sha256(content).hex()}":
        verdict.wrong.append("evidence.json was changed after it was made: evidence.note differs.")
    elif communication == evidence["communication"]["id"]:
        verdict.proven.append(
            f"evidence.json is, byte for byte, what the holder of the key issued (at {made_at} by "
            "its own clock)."
        )


def check_files(folder: Path, evidence: dict[str, Any], verdict: Verdict) -> dict[str, str]:
    """Every listed file against its hash; the sound ones as {name: hash}."""
    sound = {}
    for file in evidence["files"]:
        name = file["name"]
        path = folder / name
        if file.get("missing"):
            verdict.open.append(f"{name} is not in the bundle: {file['missing']}.")
        elif not path.is_file():
            verdict.wrong.append(f"{name} is missing.")
        elif sha256(path.read_bytes()).hex() != file["sha256"]:
            verdict.wrong.append(f"{name} was changed: its SHA-256 is not the one on record.")
        else:
            sound[name] = file["sha256"]
    listed = {file["name"] for file in evidence["files"]} | OWN
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name not in listed:
            verdict.open.append(f"{name} is no part of the bundle.")
    return sound


HEADER = (
    "id", "communicationId", "buildingId", "year", "sequence", "attempt", "type", "qualifier",
    "source", "userId", "occurredAt", "recordedAt", "payloadCommitment", "previousHash",
)  # fmt: skip


def check_events(evidence: dict[str, Any], verdict: Verdict) -> list[dict[str, Any]]:
    """Payloads against their commitments, and every event against the one before it."""
    good = []
    previous = GENESIS
    for number, event in enumerate(evidence["events"], start=1):
        name = f"Event {event['sequence']} ({event['type']}, {event['id']})"
        problems = []
        salted = bytes.fromhex(event["salt"]) + canonical(event["payload"])
        if sha256(salted).hex() != event["payloadCommitment"]:
            problems.append("its payload is not the one it was written with")
        if event["previousHash"] != previous:
            problems.append("it does not follow from the event before it")
        if sha256(canonical({key: event[key] for key in HEADER})).hex() != event["hash"]:
            problems.append("its header is not the one it was written with")
        if event["sequence"] != number:
            problems.append(f"event {number} is missing before it")
        if event["communicationId"] != evidence["communication"]["id"]:
            problems.append("it belongs to another communication")
        verdict.wrong += [f"{name}: {problem}." for problem in problems]
        if not problems:
            good.append(event)
        previous = event["hash"]
    if good and len(good) == len(evidence["events"]):
        verdict.proven.append(
            f"The {len(good)} events are one chain from the first: none was changed, taken out or "
            "put between, or every later hash would differ."
        )
    return good


def check_seals(
    folder: Path,
    evidence: dict[str, Any],
    files: dict[str, str],
    good: Sequence[dict[str, Any]],
    keys: Sequence[str],
    verdict: Verdict,
) -> None:
    """Every event's proof against the signed checkpoints."""
    roots = {}
    stamped = {}
    for seal in evidence["seals"]:
        if seal["checkpoint"] not in files:
            continue
        note = (folder / seal["checkpoint"]).read_bytes()
        text = open_note(note.decode("utf-8", "replace"), keys)
        if text is None:
            verdict.wrong.append(
                f"{seal['checkpoint']}: its signature is wrong, or by another key."
            )
            continue
        _, count, encoded = text.split("\n")[:3]
        roots[seal["checkpoint"]] = int(count), base64.b64decode(encoded)
        if seal.get("timeStamp") in files:
            imprint, moment = read_time_stamp((folder / seal["timeStamp"]).read_bytes())
            if imprint != sha256(note):
                verdict.wrong.append(f"{seal['timeStamp']} is the time-stamp of something else.")
            else:
                stamped[seal["checkpoint"]] = moment
                verdict.open.append(
                    f"The time-stamping authority's signature in {seal['timeStamp']} (it says "
                    f"{moment} UTC). Check it with the authority's certificate: openssl ts "
                    f"-verify -data {seal['checkpoint']} -in {seal['timeStamp']} -CAfile FILE.pem"
                )
    sound = {event["id"] for event in good}
    sealed: set[int] = set()
    for event in evidence["events"]:
        for proof in event["proofs"]:
            if proof["checkpoint"] not in roots:
                continue
            size, root = roots[proof["checkpoint"]]
            leaf = sha256(b"\x00" + bytes.fromhex(event["hash"]))
            path = [bytes.fromhex(hash_) for hash_ in proof["path"]]
            if root_by_path(leaf, proof["index"], size, path) != root:
                verdict.wrong.append(
                    f"Event {event['sequence']} ({event['type']}, {event['id']}): its proof does "
                    f"not lead to {proof['checkpoint']}."
                )
            elif event["id"] in sound:
                sealed.add(event["sequence"])
    for seal in evidence["seals"]:
        if seal["checkpoint"] in roots:
            inside = [
                event["sequence"]
                for event in evidence["events"]
                if event["sequence"] in sealed
                and any(proof["checkpoint"] == seal["checkpoint"] for proof in event["proofs"])
            ]
            when = f"made at {seal['sealedAt']} by the installation's own clock"
            if seal["checkpoint"] in stamped:
                when += (
                    f", and time-stamped by {seal['authority']} at {stamped[seal['checkpoint']]}"
                )
            if inside:
                verdict.proven.append(
                    f"Event{'s' * (len(inside) > 1)} {_numbers(inside)} stood in the log, as they "
                    f"stand here, when it was signed ({seal['checkpoint']}, {when})."
                )
    unsealed = [event["sequence"] for event in evidence["events"] if not event["proofs"]]
    if unsealed:
        verdict.open.append(
            f"Event{'s' * (len(unsealed) > 1)} {_numbers(unsealed)}: no seal is over them yet. "
            "Seals are made every hour; ask for a new bundle then."
        )


def check_bills(evidence: dict[str, Any], said: str, verdict: Verdict) -> None:
    """The imported rows against their hashes, and these against the events."""
    for bill in evidence["bills"]:
        name = f"Version {bill['version']} of the bill"
        if sha256(canonical(bill["row"])).hex() != bill["sha256"]:
            verdict.wrong.append(f"{name} was changed: its SHA-256 is not the one on record.")
        elif bill["sha256"] in said:
            verdict.proven.append(f"{name} is the one that the events speak of.")
        else:
            verdict.open.append(f"{name}: no event of this communication speaks of it.")


def check_named(
    evidence: dict[str, Any], files: dict[str, str], said: str, verdict: Verdict
) -> None:
    """Which files the events themselves name by their hash."""
    for file in evidence["files"]:
        if file["name"] not in files or file["kind"] == "SEAL":
            continue
        if file["sha256"] in said:
            verdict.proven.append(f"{file['name']} is the file that an event names by its SHA-256.")
        else:
            verdict.open.append(
                f"{file['name']} is the file that was on record when this bundle was made; no "
                "event names its hash, so no seal is over it."
            )
    if evidence["notes"] or evidence["deliveryRecords"] or evidence["attempts"]:
        verdict.open.append(
            "Attempts, notes and delivery records are as they were on record when this bundle was "
            "made; only what the events say of them is under a seal."
        )


def _numbers(numbers: Sequence[int]) -> str:
    """1 to 3, 7"""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and parts[-1][-1] == number - 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ", ".join(f"{p[0]} to {p[-1]}" if len(p) > 1 else str(p[0]) for p in parts)


def tell(evidence: dict[str, Any], verdict: Verdict) -> None:
    """Print it for people."""
    if evidence:
        one = evidence["communication"]
        print(f"{one['channel']} to {one['recipientName']}, {one['building']['name']}, unit")
        print(f"{one['unit']['number']}, bill of {one['year']}; status {one['deliveryStatus']}.")
        print(f"Communication {one['id']}.\n")
        for event in evidence["events"]:
            print(f"  {event['sequence']:>3}  {event['occurredAt'][:19]} UTC  {event['type']}")
    for heading, sentences in (
        ("PROVEN", verdict.proven),
        ("NOT PROVEN BY THIS BUNDLE", verdict.open),
        ("WRONG", verdict.wrong),
    ):
        if sentences:
            print(f"\n{heading}")
            for sentence in sentences:
                print(f"  - {sentence}")
    print()
    if verdict.wrong:
        print("RESULT: this bundle is not what it was when it was made.")
    else:
        print("RESULT: nothing wrong was found.")


def main() -> int:
    parser = argparse.ArgumentParser(description="Checks an evidence bundle.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).resolve().parent)
    parser.add_argument("--key", action="append", default=[], help="verifier key kept elsewhere")
    options = parser.parse_args()
    try:
        evidence, verdict = check(options.folder, options.key)
    except (KeyError, TypeError, ValueError, IndexError, StopIteration, OSError) as error:
        print(f"WRONG\n  - The bundle cannot be read: {type(error).__name__}: {error}.\n")
        print("RESULT: this bundle is not what it was when it was made.")
        return 1
    tell(evidence, verdict)
    return 1 if verdict.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
