import csv
import io
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.communications.factories import YEAR, an_admin
from tests.exports.reading import a_bill, a_csv, an_event, an_xlsx, as_rows
from trackcenter.communications import services
from trackcenter.communications.models import Attachment, Attempt, Communication
from trackcenter.communications.payloads import Delivered, Enqueued, Opened, Sent
from trackcenter.exports.rows import Selection

pytestmark = pytest.mark.django_db(transaction=True)

MOMENT = datetime(2026, 3, 1, 9, 30, 15, 123456, tzinfo=UTC)
HEADING = (
    "building,unitNumber,channel,subject,status,queuedAt,sentAt,deliveredAt,openedAt,"
    "providerMessageId,lastEventType,manualNotes,attachments"
)


def a_sent_mail(subject: str = "Your bill") -> Communication:
    (one,) = a_bill("EMAIL")
    an_event(one, Enqueued(channel="EMAIL"), occurred_at=MOMENT)
    Attempt.objects.create(
        communication=one, number=1, channel="EMAIL", subject=subject, body_text_sha256="a" * 64
    )
    an_event(one, Sent(provider="msgraph", provider_message_id="<1@x>"), occurred_at=MOMENT)
    an_event(one, Delivered(), occurred_at=MOMENT)
    return one


def attach(communication: Communication, *names: str) -> None:
    for name in names:
        Attachment.objects.create(
            communication=communication,
            kind="STATEMENT",
            file_name=name,
            content_type="application/pdf",
            size=1,
            sha256="0" * 64,
        )


def test_the_columns_are_the_contract_s_in_its_order_behind_a_byte_order_mark():
    content = a_csv(Selection())
    assert content == b"\xef\xbb\xbf" + HEADING.encode() + b"\r\n"


def test_a_row_says_everything_about_a_communication():
    one = a_sent_mail()
    services.add_note(an_admin(), one.id, "Called")
    services.add_note(an_admin(), one.id, "Called again")
    attach(one, "bill.pdf", "letter.pdf")
    (row,) = as_rows(a_csv(Selection()))
    assert row == {
        "building": "B1",
        "unitNumber": "1",
        "channel": "EMAIL",
        "subject": "Your bill",
        "status": "DELIVERED",
        "queuedAt": "2026-03-01T09:30:15.123456Z",
        "sentAt": "2026-03-01T09:30:15.123456Z",
        "deliveredAt": "2026-03-01T09:30:15.123456Z",
        "openedAt": "",
        "providerMessageId": "<1@x>",
        "lastEventType": "DELIVERED",
        "manualNotes": "Called | Called again",
        "attachments": "bill.pdf; letter.pdf",
    }


def test_the_subject_is_the_newest_one_that_was_rendered():
    one = a_sent_mail("First")
    Attempt.objects.create(
        communication=one, number=2, channel="EMAIL", subject="Second", body_text_sha256="b" * 64
    )
    Attempt.objects.create(communication=one, number=3, channel="EMAIL", subject="")
    for buildings in (None, (one.building_id,)):
        assert as_rows(a_csv(Selection(buildings=buildings)))[0]["subject"] == "Second"


def test_cells_that_would_run_as_formulas_are_neutralised():
    starts = ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"]
    for unit, start in enumerate(starts, start=1):
        (one,) = a_bill("EMAIL", unit=str(unit))
        services.add_note(an_admin(), one.id, f"={start}")
        attach(one, f"{start}HYPERLINK(1)")
    rows = as_rows(a_csv(Selection()))
    assert [row["attachments"] for row in rows] == [f"'{start}HYPERLINK(1)" for start in starts]
    assert all(row["manualNotes"].startswith("'=") for row in rows)


def test_every_text_reads_back_as_it_was_written():
    subject = 'Comma, "quote", semicolon; line\r\nbreak, Größe 😀 and \\. backslash'
    a_sent_mail(subject)
    content = a_csv(Selection())
    assert as_rows(content)[0]["subject"] == subject
    assert content.endswith(b"\r\n")
    lines = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert {len(line) for line in lines} == {13}


def test_rows_are_sorted_by_building_year_unit_and_channel():
    a_bill("SMS", "EMAIL", unit="12")
    a_bill("EMAIL", unit="2")
    a_bill("EMAIL", unit="1", building="A9")
    a_bill("EMAIL", unit="2", year=YEAR - 1)
    rows = as_rows(a_csv(Selection()))
    assert [(row["building"], row["unitNumber"], row["channel"]) for row in rows] == [
        ("A9", "1", "EMAIL"),
        ("B1", "2", "EMAIL"),
        ("B1", "2", "EMAIL"),
        ("B1", "12", "EMAIL"),
        ("B1", "12", "SMS"),
    ]


def test_each_filter_leaves_out_what_does_not_fit():
    here, text = a_bill("EMAIL", "SMS", unit="7")
    a_bill("EMAIL", unit="8", building="B2", year=YEAR - 1)
    an_event(here, Enqueued(channel="EMAIL"))

    def count(**filters) -> int:
        return len(as_rows(a_csv(Selection(**filters))))

    assert count() == 3
    assert count(buildings=(here.building_id,)) == 2
    assert count(buildings=()) == 0
    assert count(year=YEAR - 1) == 1
    assert count(channel="SMS") == 1
    assert count(status="ENQUEUED") == 1
    assert count(search="  Resident 7 ") == 2
    assert count(search="resident.8@") == 1
    assert count(search="100%") == 0
    assert count(buildings=(here.building_id,), channel="EMAIL", search="7", year=YEAR) == 1
    assert text.channel == "SMS"


def test_a_workbook_holds_dates_and_text_but_no_formulas(tmp_path: Path):
    one = a_sent_mail("=1+1")
    an_event(one, Opened(), occurred_at=MOMENT)
    services.add_note(an_admin(), one.id, "x" * 40_000)
    content = an_xlsx(Selection(), tmp_path / "scratch")
    heading, row = as_rows(content)
    assert ",".join(heading) == HEADING
    assert row[3] == "=1+1"
    assert row[8] == datetime(2026, 3, 1, 9, 30, 15)  # noqa: DTZ001 - Excel's times have no zone
    assert len(row[11]) == 32_767
    assert row[12] is None
    assert not (tmp_path / "scratch").exists()


def test_the_same_rows_make_the_same_workbook(tmp_path: Path):
    a_sent_mail()
    first, second = (an_xlsx(Selection(), tmp_path / "scratch") for _ in range(2))
    assert first == second


def test_a_workbook_goes_on_in_the_next_sheet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for unit in range(1, 6):
        a_bill("EMAIL", unit=str(unit))
    monkeypatch.setattr("trackcenter.exports.files.ROWS_IN_A_SHEET", 3)
    rows = as_rows(an_xlsx(Selection(), tmp_path / "scratch"))
    assert [row[1] for row in rows] == [
        "unitNumber", "1", "2", "unitNumber", "3", "4", "unitNumber", "5",
    ]  # fmt: skip
