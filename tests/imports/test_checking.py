import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.imports.files import a_row, as_csv, as_json, as_xlsx, checked, only_problem, problems
from trackcenter.imports import checking
from trackcenter.imports.checking import Cost
from trackcenter.kit.errors import InputError

LETTER = {
    "channels": "LETTER",
    "street": "Am Markt 1",
    "postcode": "10115",
    "city": "Berlin",
    "country": "DE",
}


def the_row(content: bytes) -> checking.CheckedRow:
    (row,) = checked(content).rows
    return row


# --- columns ---


def test_an_unknown_column_comes_with_the_nearest_known_name():
    content = as_csv({**a_row(), "recipent": "Anna"})
    assert only_problem(content) == (
        ("row", 1, "recipent"),
        "unknown column; did you mean 'recipient'?",
    )


def test_an_unknown_column_far_from_every_name_is_told_alone():
    assert only_problem(as_csv({**a_row(), "xyz": "1"})) == (("row", 1, "xyz"), "unknown column")


def test_an_unknown_json_key_is_told_for_its_row():
    where, what = only_problem(as_json(a_row(), {**a_row(unit="2"), "citty": "Berlin"}))
    assert where == ("row", 2, "citty")
    assert "'city'" in what


def test_a_missing_required_column_is_told_once_for_all_rows():
    rows = [a_row(recipient=None, unit=str(number)) for number in range(3)]
    assert only_problem(as_csv(*rows)) == (("row", 1, "recipient"), "this column is required")


@pytest.mark.parametrize("column", ["building", "year", "unit", "recipient", "channels"])
def test_a_required_value_is_required_in_every_row(column):
    content = as_csv(a_row(), a_row(**{"unit": "2", column: "  "}))
    assert only_problem(content) == (("row", 3, column), "a value is required here")


def test_a_column_given_twice_is_an_error():
    content = as_csv(a_row()).replace(b"country", b"email")
    assert only_problem(content)[0] == ("row", 1, "email")


def test_headings_may_be_in_capitals():
    heading, row = as_csv(a_row()).splitlines()
    assert the_row(heading.upper() + b"\n" + row).unit == "1"


def test_a_value_under_an_empty_heading_is_an_error():
    content = as_csv(a_row()).replace(b"country", b"")
    assert only_problem(content)[0] == ("row", 2, "column 7")


def test_every_bad_row_is_reported():
    content = as_csv(
        a_row(year="25"), a_row(unit="2", email="nobody"), a_row(unit="3"), a_row(channels="FAX")
    )
    assert [where for where, _ in problems(content)] == [
        ("row", 2, "year"),
        ("row", 3, "email"),
        ("row", 5, "channels"),
    ]


def test_a_flood_of_problems_is_counted_and_the_first_thousand_are_shown():
    content = as_csv(*(a_row(unit=str(number), email="x") for number in range(1200)))
    with pytest.raises(InputError) as caught:
        checked(content)
    *shown, rest = caught.value.problems
    assert len(shown) == 1000
    assert rest.msg == "200 more problems are not shown"
    assert caught.value.total == 1200


# --- texts ---


def test_spaces_around_a_value_do_not_count_and_letters_are_composed():
    row = the_row(as_csv(a_row(recipient="  Mu\u0308ller ")))
    assert row.recipient == "Müller"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Anna\nKeller", "line break"),
        ("Anna\x07Keller", "U+0007"),
        ("Anna\u202eKeller", "U+202E"),
        ("M\ufffdller", "lost when the file was saved"),
        ("A" * 201, "201 characters are too many"),
    ],
)
def test_texts_that_cannot_be_printed_are_errors(text, reason):
    where, what = only_problem(as_csv(a_row(recipient=text)))
    assert where == ("row", 2, "recipient")
    assert reason in what


# --- channels and their addresses ---


def test_channels_are_joined_by_plus_and_kept_once_in_one_order():
    row = the_row(as_csv(a_row(channels="sms + EMAIL+SMS", phone="0176 04069001")))
    assert row.channels == ("EMAIL", "SMS")


def test_an_unknown_channel_is_told_with_the_nearest_one():
    assert "'EMIAL'; did you mean 'EMAIL'?" in only_problem(as_csv(a_row(channels="EMIAL")))[1]


@pytest.mark.parametrize(("channel", "column"), [("EMAIL", "email"), ("SMS", "phone")])
def test_a_channel_without_the_address_it_needs_is_an_error(channel, column):
    content = as_csv(a_row(channels=channel, email=None))
    assert only_problem(content) == (
        ("row", 2, column),
        f"{channel} is asked for, but there is no {column}",
    )


@pytest.mark.parametrize("channel", ["LETTER", "LETTER_WITH_RECEIPT"])
@pytest.mark.parametrize("column", ["street", "postcode", "city", "country"])
def test_a_letter_needs_a_whole_address(channel, column):
    content = as_csv(a_row(**{**LETTER, "channels": channel, column: None}))
    assert only_problem(content)[0] == ("row", 2, column)


def test_a_letter_to_a_country_without_postcodes_needs_none():
    row = the_row(as_csv(a_row(**{**LETTER, "postcode": None, "country": "HK"})))
    assert row.postcode is None


def test_a_wrong_address_is_told_once():
    assert len(problems(as_csv(a_row(email="anna@")))) == 1


@pytest.mark.parametrize(
    "email", ["anna", "anna@localhost", "anna@@example.com", "a b@example.com"]
)
def test_what_is_no_email_address_is_an_error(email):
    assert only_problem(as_csv(a_row(email=email)))[0] == ("row", 2, "email")


@pytest.mark.parametrize("email", ["Anna.Keller@example.com", "bounce@mail.example", "x@firm.test"])
def test_addresses_are_not_asked_of_the_dns(email):
    assert the_row(as_csv(a_row(email=email))).email == email


def test_the_domain_of_an_address_is_written_small():
    assert the_row(as_csv(a_row(email="Anna@EXAMPLE.com"))).email == "Anna@example.com"


@pytest.mark.parametrize(
    ("phone", "country", "e164"),
    [
        ("0176 04069001", "DE", "+4917604069001"),
        ("(0176) 040-69001", "DE", "+4917604069001"),
        ("0049 176 04069001", "DE", "+4917604069001"),
        ("07700 900001", "GB", "+447700900001"),
        ("+33 6 39 98 00 02", "DE", "+33639980002"),
        ("+33 6 39 98 00 02", None, "+33639980002"),
    ],
)
def test_phones_are_read_in_the_country_of_the_row(phone, country, e164):
    assert the_row(as_csv(a_row(phone=phone, country=country))).phone == e164


@pytest.mark.parametrize(
    ("phone", "country"),
    [("12", "DE"), ("no phone", "DE"), ("0176 04069001", None), ("+49 176 04069001 ext. 3", "DE")],
)
def test_what_is_no_phone_number_is_an_error(phone, country):
    assert only_problem(as_csv(a_row(phone=phone, country=country)))[0] == ("row", 2, "phone")


def test_a_phone_that_lost_its_zero_to_a_number_cell_says_so():
    where, what = only_problem(as_xlsx(a_row(phone=17604069001)))
    assert where == ("row", 2, "phone")
    assert "number cell and lost its leading zero" in what


def test_a_phone_that_lost_only_its_plus_can_still_be_read():
    assert the_row(as_xlsx(a_row(phone=447400123456, country="GB"))).phone == "+447400123456"


def test_a_phone_in_a_number_cell_with_two_readings_is_an_error():
    """0491 is Leer's area code, +49 is Germany."""
    assert only_problem(as_xlsx(a_row(phone=4917604069001)))[0] == ("row", 2, "phone")


def test_a_phone_of_a_country_without_a_leading_zero_may_be_a_number_cell():
    assert the_row(as_xlsx(a_row(phone=2025550101, country="US"))).phone == "+12025550101"


def test_a_phone_in_a_number_cell_needs_a_country():
    """Without one, 0176 04069001 would be read as +1 760 406 9001."""
    assert only_problem(as_xlsx(a_row(phone=17604069001, country=None)))[0] == ("row", 2, "phone")


@pytest.mark.parametrize(("postcode", "country"), [(1067, "DE"), (800, "FI"), (6000, "FR")])
def test_a_postcode_that_lost_its_zero_to_a_number_cell_says_so(postcode, country):
    content = as_xlsx(a_row(postcode=postcode, country=country))
    where, what = only_problem(content)
    assert where == ("row", 2, "postcode")
    assert f"the postcode {postcode} is a number cell and lost its leading zero" in what


@pytest.mark.parametrize(
    ("postcode", "country", "read"),
    [(10115, "DE", "10115"), (1020, "AT", "1020"), ("01067", "DE", "01067"), ("D-1", "DE", "D-1")],
)
def test_other_postcodes_are_read_as_written(postcode, country, read):
    assert the_row(as_xlsx(a_row(postcode=postcode, country=country))).postcode == read


# --- codes ---


@pytest.mark.parametrize(
    ("column", "good", "canonical"),
    [
        ("country", "de", "DE"),
        ("language", "EN", "en"),
        ("language", "pt-br", "pt-BR"),
        ("language", "zh-hant-tw", "zh-Hant-TW"),
        ("currency", "chf", "CHF"),
        ("due_date", "2024-02-29", "2024-02-29"),
        ("iban", "de89 3704 0044 0532 0130 00", "DE89370400440532013000"),
    ],
)
def test_codes_are_brought_into_their_standard_form(column, good, canonical):
    row = the_row(as_csv(a_row(**{"phone": None, column: good})))
    assert getattr(row, column) == canonical


@pytest.mark.parametrize(
    ("column", "bad", "reason"),
    [
        ("country", "Germany", "ISO 3166-1"),
        ("country", "UK", "'GB'"),
        ("country", "XX", "ISO 3166-1"),
        ("language", "German", "BCP 47"),
        ("language", "xx", "BCP 47"),
        ("currency", "€", "ISO 4217"),
        ("currency", "DEM", "in use"),
        ("due_date", "31.03.2026", "ISO 8601 date"),
        ("due_date", "2025-02-29", "ISO 8601 date"),
        ("due_date", "20260331", "ISO 8601 date"),
        ("iban", "DE88370400440532013000", "check digits"),
        ("iban", "12345", "form of an IBAN"),
        ("time_zone", "Europe/Berln", "did you mean 'Europe/Berlin'?"),
        ("retention", "10 years", "ISO 8601 duration"),
        ("retention", "P", "ISO 8601 duration"),
        ("year", "1899", "between 1900 and 2200"),
        ("year", "2201", "between 1900 and 2200"),
        ("year", "2025.5", "between 1900 and 2200"),
    ],
)
def test_codes_outside_their_standard_are_errors(column, bad, reason):
    where, what = only_problem(as_csv(a_row(**{column: bad})))
    assert where == ("row", 2, column)
    assert reason in what


# --- amounts ---


@given(st.decimals(-(10**9), 10**9, places=2), st.sampled_from(",;"))
def test_an_amount_with_a_decimal_point_is_read_exactly(amount, delimiter):
    row = the_row(as_csv(a_row(balance=str(amount)), delimiter=delimiter))
    assert Decimal(row.balance) == amount
    assert row.balance == checking.canonical_amount(amount)


@given(st.decimals(-(10**9), 10**9, places=2))
def test_a_semicolon_file_may_have_decimal_commas(amount):
    written = str(amount).replace(".", ",")
    assert Decimal(the_row(as_csv(a_row(balance=written), delimiter=";")).balance) == amount


@given(st.decimals(-(10**9), 10**9, places=2))
def test_a_spreadsheet_amount_is_read_exactly(amount):
    assert Decimal(the_row(as_xlsx(a_row(balance=float(amount)))).balance) == amount


@given(st.text(max_size=20) | st.text("0123456789.,+-' −", max_size=12))
def test_an_amount_is_read_or_refused_never_guessed(text):
    plain = text.strip().replace("−", "-")
    content = as_json(a_row(balance=text))
    if re.fullmatch(r"[+-]?[0-9]{1,12}(\.[0-9]{1,2}0*)?", plain, re.ASCII):
        assert Decimal(the_row(content).balance) == Decimal(plain)
    elif plain:
        assert only_problem(content)[0] == ("row", 1, "balance")
    else:
        assert the_row(content).balance is None


@pytest.mark.parametrize(
    ("written", "delimiter", "reason"),
    [
        ("12,50", ",", "decimal comma"),
        ("1,234.50", ",", "thousands separator"),
        ("1.234,50", ";", "thousands separator"),
        ("1 234.50", ",", "thousands separator"),
        ("1'234.50", ";", "thousands separator"),
        ("1.234", ";", "may have a thousands separator"),
        ("1,234", ";", "may have a thousands separator"),
        ("12.50 €", ",", "is no amount"),
        (".5", ",", "is no amount"),
        ("1e3", ",", "is no amount"),
        ("NaN", ",", "is no amount"),
        ("٣", ",", "is no amount"),
        ("12.345", ",", "has more decimals than EUR, which has 2; round it"),
        ("12,3451", ";", "has more decimals than EUR"),
        ("1.230", ";", "write 1.2300 or leave the separator out"),
        ("1.234", ";", "round it to 2 decimals or leave the separator out"),
        ("1234567890123.00", ",", "too large"),
    ],
)
def test_amounts_that_could_be_misread_are_errors(written, delimiter, reason):
    where, what = only_problem(as_csv(a_row(balance=written), delimiter=delimiter))
    assert where == ("row", 2, "balance")
    assert reason in what


@pytest.mark.parametrize(
    ("currency", "written", "kept"),
    [
        ("EUR", "12.340000", "12.34"),
        ("JPY", "1200.00", "1200.00"),
        ("JPY", "1200.5", None),
        ("KWD", "1.234", "1.234"),
        ("KWD", "1.2345", None),
    ],
)
def test_an_amount_has_no_more_decimals_than_its_currency(currency, written, kept):
    bill = a_row(**{"cost: Heating": written}, currency=currency)
    if kept is None:
        where, what = only_problem(as_csv(bill))
        assert where == ("row", 2, "cost: Heating")
        assert f"more decimals than {currency}" in what
    else:
        assert the_row(as_csv(bill)).total == kept


def test_without_a_currency_that_is_known_only_the_currency_is_the_fault():
    assert only_problem(as_csv(a_row(total="1.2345", currency="€")))[0] == ("row", 2, "currency")


def test_a_decimal_comma_as_text_in_a_workbook_is_an_error():
    assert "decimal comma" in only_problem(as_xlsx(a_row(total="12,50")))[1]


def test_the_balance_must_be_total_minus_prepaid():
    content = as_csv(a_row(total="100", prepaid="120", balance="20"))
    assert only_problem(content) == (
        ("row", 2, "balance"),
        "balance is 20.00, but total − prepaid is -20.00",
    )


def test_the_total_must_be_the_sum_of_the_costs():
    content = as_csv({**a_row(total="100"), "cost: Heating": "60.01", "cost: Water": "40"})
    assert only_problem(content) == (
        ("row", 2, "total"),
        "total is 100.00, but the costs add up to 100.01",
    )


def test_a_total_and_a_balance_that_are_left_out_are_computed():
    row = the_row(as_csv({**a_row(prepaid="80"), "cost: Heating": "60.5", "cost: Water": "9.5"}))
    assert (row.total, row.prepaid, row.balance) == ("70.00", "80.00", "-10.00")


def test_costs_keep_their_labels_and_their_order_and_leave_out_what_is_empty():
    row = the_row(
        as_csv({**a_row(), "cost: Wärme, warm": "1", "COST:Water": "", "cost:Lift": "-2"})
    )
    assert row.costs == (Cost("Wärme, warm", "1.00"), Cost("Lift", "-2.00"))


def test_a_cost_needs_a_label_of_its_own():
    content = as_csv({**a_row(), "cost: ": "1", "cost: Lift": "1", "cost:lift": "1"})
    assert [where for where, _ in problems(content)] == [
        ("row", 1, "cost:"),
        ("row", 1, "cost:lift"),
    ]


def test_a_bad_cost_does_not_make_the_total_wrong_too():
    content = as_csv({**a_row(total="100"), "cost: Heating": "x", "cost: Water": "40"})
    assert only_problem(content)[0] == ("row", 2, "cost: Heating")


def test_amounts_without_a_currency_are_in_euro():
    assert the_row(as_csv(a_row(balance="1"))).currency == "EUR"
    assert the_row(as_csv(a_row())).currency is None


# --- rows among themselves ---


def test_a_unit_stands_once_a_year_in_a_file():
    content = as_csv(a_row(), a_row(year="2024"), a_row(unit=" 1 "))
    where, what = only_problem(content)
    assert where == ("row", 4, "unit")
    assert "already in row 2" in what


@pytest.mark.parametrize(
    ("column", "one", "other"),
    [
        ("building_name", "Lindenhof", "Lindenhoff"),
        ("building_address", "Markt 1", "Markt 2"),
        ("time_zone", "Europe/Berlin", "Europe/Vienna"),
        ("retention", "P10Y", "P6Y"),
        ("retention_attachments", "P10Y", "P6Y"),
    ],
)
def test_a_file_does_not_contradict_itself(column, one, other):
    content = as_csv(a_row(**{column: one}), a_row(unit="2", **{column: other}))
    assert only_problem(content)[0] == ("row", 3, column)


def test_what_one_row_says_about_a_building_holds_for_all_its_rows():
    file = checked(as_csv(a_row(), a_row(unit="2", building_name="Lindenhof")))
    facts = file.buildings["B1"]
    assert [row.snapshot(facts)["buildingName"] for row in file.rows] == ["Lindenhof", "Lindenhof"]


def test_retention_may_differ_between_batches():
    file = checked(as_csv(a_row(retention="P10Y"), a_row(year="2024", retention="P6Y")))
    assert [kept.messages for kept in file.batches.values()] == ["P10Y", "P6Y"]


def test_the_retention_of_attachments_defaults_to_the_other():
    file = checked(as_csv(a_row(retention="P10Y")))
    assert file.batches["B1", 2025].attachments == "P10Y"
