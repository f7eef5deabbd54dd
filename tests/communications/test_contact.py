import pytest

from trackcenter.communications.contact import checked_contact
from trackcenter.communications.schemas import AddressIn, ContactIn
from trackcenter.kit.errors import InputError


def test_no_correction_is_none() -> None:
    assert checked_contact(None) is None


def test_an_address_is_normalised_as_mail_needs_it() -> None:
    contact = checked_contact(ContactIn(email=" Jürgen@BÜCHER.example "))
    assert contact is not None
    assert contact.email == "Jürgen@bücher.example"
    assert contact.phone is None


@pytest.mark.parametrize(
    "written", ["+49 30 123456", "+49 (30) 12 34 56", "+4930123456", " +49-30-123456 "]
)
def test_a_phone_number_becomes_e164(written: str) -> None:
    contact = checked_contact(ContactIn(phone=written))
    assert contact is not None
    assert contact.phone == "+4930123456"


@pytest.mark.parametrize("wrong", ["030 123456", "0049", "+49", "ring me", "+999 123456"])
def test_a_number_that_nobody_can_ring_names_its_field(wrong: str) -> None:
    with pytest.raises(InputError) as refusal:
        checked_contact(ContactIn(phone=wrong))
    assert [problem.loc for problem in refusal.value.problems] == [("body", "contact", "phone")]


@pytest.mark.parametrize(
    "wrong", ["nobody", "a@b@c.example", "a b@example.org", "@example.org", "a\n@example.org"]
)
def test_an_impossible_address_names_its_field(wrong: str) -> None:
    with pytest.raises(InputError) as refusal:
        checked_contact(ContactIn(email=wrong))
    assert [problem.loc for problem in refusal.value.problems] == [("body", "contact", "email")]


def test_both_mistakes_are_told_at_once() -> None:
    with pytest.raises(InputError) as refusal:
        checked_contact(ContactIn(email="nobody", phone="12"))
    assert len(refusal.value.problems) == 2


def test_a_postal_address_goes_through_whole() -> None:
    address = AddressIn(street="Weg 1", postcode="01067", city="Dresden", country="DE")
    contact = checked_contact(ContactIn(address=address))
    assert contact is not None
    assert contact.as_json() == {
        "address": {"street": "Weg 1", "postcode": "01067", "city": "Dresden", "country": "DE"}
    }


def test_a_postal_address_is_written_as_the_billing_file_s_would_be() -> None:
    address = AddressIn(street=" Mu\u0308hlweg 1 ", postcode="8001", city="Zürich", country="CH")
    contact = checked_contact(ContactIn(address=address))
    assert contact is not None
    assert contact.address is not None
    assert contact.address["street"] == "Mühlweg 1"


@pytest.mark.parametrize(
    ("part", "written", "reason"),
    [
        ("postcode", "1067", "lost its leading zero; write 01067"),
        ("postcode", "01\t067", "an invisible control character (U+0009)"),
        ("country", "XX", "no ISO 3166-1 alpha-2 country code"),
        ("country", "UK", "is 'GB'"),
        ("street", "a\nb", "a line break inside a value"),
        ("street2", "a\u2028b", "a line break inside a value"),
        ("street", "Weg \u202e1", "an invisible control character (U+202E)"),
        ("city", "Dresd\ufffdn", "a character was lost"),
    ],
)
def test_a_postal_address_is_held_to_the_billing_file_s_rules(
    part: str, written: str, reason: str
) -> None:
    good = {"street": "Weg 1", "postcode": "01067", "city": "Dresden", "country": "DE"}
    with pytest.raises(InputError) as refusal:
        checked_contact(ContactIn(address=AddressIn(**{**good, part: written})))
    (problem,) = refusal.value.problems
    assert problem.loc == ("body", "contact", "address", part)
    assert reason in problem.msg


def test_every_wrong_part_of_a_correction_is_told_at_once() -> None:
    address = AddressIn(street="a\nb", postcode="1067", city="Dresden", country="DE")
    with pytest.raises(InputError) as refusal:
        checked_contact(ContactIn(email="nobody", address=address))
    assert [problem.loc[2:] for problem in refusal.value.problems] == [
        ("email",),
        ("address", "street"),
        ("address", "postcode"),
    ]
