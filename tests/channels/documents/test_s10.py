import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackcenter.channels.documents.s10 import S10


def test_the_number_of_the_standards_example() -> None:
    assert str(S10("RR", 47312482, "GB")) == "RR473124829GB"
    assert S10("RR", 12345678, "DE").spaced == "RR 123 456 785 DE"


@given(st.integers(0, 99_999_999))
def test_what_is_written_is_read_back(serial: int) -> None:
    number = S10("RR", serial, "DE")
    assert S10.parse(str(number)) == number
    assert S10.parse(number.spaced.lower()) == number
    assert len(str(number)) == 13


@given(st.integers(0, 99_999_999), st.integers(0, 8), st.integers(1, 9))
def test_a_mistyped_digit_is_found(serial: int, place: int, more: int) -> None:
    right = str(S10("RR", serial, "DE"))
    digits = list(right)
    digits[2 + place] = str((int(digits[2 + place]) + more) % 10)
    mistyped = "".join(digits)
    # A check digit of 0 stands for 10 as well, and 5 for 11: only these can hide a slip.
    if S10("RR", int(mistyped[2:10]), "DE").check_digit != int(mistyped[10]):
        with pytest.raises(ValueError, match="mistyped"):
            S10.parse(mistyped)
    else:
        assert right[10] in "05"


@pytest.mark.parametrize("text", ["", "RR12345678DE", "R1123456785DE", "RR१२३४५६७८५DE"])
def test_anything_else_is_no_number(text: str) -> None:
    with pytest.raises(ValueError, match="no postal number"):
        S10.parse(text)


@pytest.mark.parametrize(
    ("service", "serial", "country"), [("R", 1, "DE"), ("RR", -1, "DE"), ("RR", 10**8, "DE")]
)
def test_a_number_that_cannot_be_is_refused(service: str, serial: int, country: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        S10(service, serial, country)
