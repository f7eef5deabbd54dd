import io
from collections import Counter

import pytest

from tools.make_sample import SAMPLE, sample_csv
from trackcenter.imports.checking import CheckedFile, check_file
from trackcenter.imports.reading import open_table


@pytest.fixture(scope="module")
def sample() -> CheckedFile:
    return check_file(open_table(io.BytesIO(SAMPLE.read_bytes())))


def test_the_sample_is_what_its_generator_writes():
    assert SAMPLE.read_bytes() == sample_csv()


def test_the_sample_has_four_buildings_three_years_and_some_250_units(sample):
    assert len(sample.buildings) == 4
    assert {year for _, year in sample.batches} == {2023, 2024, 2025}
    assert 240 <= len({(row.building, row.unit) for row in sample.rows}) <= 260


def test_every_year_of_the_sample_uses_every_channel_and_several_languages(sample):
    for year in (2023, 2024, 2025):
        rows = [row for row in sample.rows if row.year == year]
        assert {channel for row in rows for channel in row.channels} == {
            *("EMAIL", "SMS", "LETTER", "LETTER_WITH_RECEIPT")
        }
        assert {"de", "en", "fr", "pl", "tr"} <= {row.language for row in rows}


def test_the_sample_makes_the_sandbox_show_everything_it_can_do(sample):
    current = [row for row in sample.rows if row.year == 2025]
    behaviours = Counter(row.email.partition(".")[0] for row in current if "EMAIL" in row.channels)
    for behaviour in ("open", "bounce", "delay", "silent", "bounce-after-delivery", "reject"):
        assert behaviours[behaviour] > 0
    phones = {row.phone[-4:] for row in current if "SMS" in row.channels}
    assert {"0001", "0002"} <= phones


def test_nobody_in_the_sample_can_be_reached(sample):
    domains = {row.email.partition("@")[2] for row in sample.rows if row.email}
    assert all(
        domain.endswith((".example", "example.com", "example.net", "example.org"))
        for domain in domains
    )
    fiction = ("+49176040690", "+447700900", "+3363998")
    assert all(row.phone.startswith(fiction) for row in sample.rows if row.phone)


def test_the_sample_has_something_to_pay_and_something_to_give_back(sample):
    signs = Counter(row.balance.startswith("-") for row in sample.rows)
    assert min(signs.values()) > len(sample.rows) / 4
