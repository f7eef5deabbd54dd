"""Status codes in plain words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackcenter.receipts.explanations import explain


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("5.1.1", "no such mailbox"),
        ("5.1.10", "after the @"),
        ("5.2.2", "full"),
        ("4.2.2", "full"),
        ("5.7.26", "really from you"),
        ("5.7.999", "does not accept mail"),
        ("4.7.500", "at that time"),
        ("5.4.999", "could not be reached"),
        ("5.9.9", "returned"),
        ("nonsense", "returned"),
        (None, "returned"),
    ],
)
def test_a_code_is_explained(code: str | None, words: str) -> None:
    assert words in explain(code).sentence


def test_german_readers_get_german() -> None:
    assert explain("5.1.1", "de-AT").sentence == "Dieses Postfach gibt es nicht."
    assert "Adresse korrigieren" in explain("5.1.1", "de").next_step


@given(st.text(max_size=12) | st.from_regex(r"[245]\.\d{1,3}\.\d{1,3}", fullmatch=True))
def test_every_code_gets_a_sentence_and_a_next_step(code: str) -> None:
    for language in ("en", "de", "fr"):
        found = explain(code, language)
        assert found.sentence.endswith(".")
        assert found.next_step.endswith(".")
