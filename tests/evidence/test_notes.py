"""Signed notes are those of C2SP, to the letter."""

import pytest

from trackcenter.evidence.notes import (
    Checkpoint,
    NotSigned,
    SigningKey,
    open_note,
    read_checkpoint,
    read_signing_key,
    read_verifier_key,
)

# The published example of Go's golang.org/x/mod/sumdb/note.
KEY = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
VERIFIER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
NOTE = (
    f"{TEXT}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKv"
    "qfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def test_the_published_example_is_signed_alike_and_verifies() -> None:
    key = read_signing_key(KEY)
    assert key.as_text() == KEY
    assert str(key.verifier) == VERIFIER
    assert key.sign(TEXT) == NOTE
    assert open_note(NOTE, [read_verifier_key(VERIFIER)]) == TEXT


def test_a_note_by_somebody_else_is_not_believed() -> None:
    other = SigningKey("PeterNeumann", bytes(32))
    with pytest.raises(NotSigned, match="no known key"):
        open_note(NOTE, [other.verifier])
    with pytest.raises(NotSigned, match="not a signed note"):
        open_note(TEXT, [read_verifier_key(VERIFIER)])


@pytest.mark.parametrize("place", [3, 60, -20])
def test_a_changed_letter_breaks_the_note(place: int) -> None:
    changed = NOTE[:place] + ("x" if NOTE[place] != "x" else "y") + NOTE[place + 1 :]
    with pytest.raises(NotSigned):
        open_note(changed, [read_verifier_key(VERIFIER)])


def test_a_checkpoint_reads_back() -> None:
    said = Checkpoint("track.example.org/0a1b", 12, bytes(range(32)))
    assert read_checkpoint(said.as_text()) == said
    for wrong in ("", "a\nb\nc\n", "a\n1\nAAAA", "a\n1\n!\n"):
        with pytest.raises(ValueError):  # noqa: PT011 - binascii has words of its own
            read_checkpoint(wrong)


@pytest.mark.parametrize(
    "text", ["", "a+b", VERIFIER[:-4], VERIFIER.replace("c74f20a3", "00000000")]
)
def test_a_mistyped_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not"):
        read_verifier_key(text)
