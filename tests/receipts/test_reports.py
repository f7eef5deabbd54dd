"""Reports by mail, in the shapes that real systems send them."""

import base64
import quopri
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trackcenter.receipts.reports import MAX_BYTES, Report, read_report

OURS = "<bill-2025-17@contoso.example>"
ATTEMPT = "01936f6e-8c1b-7c3e-9a51-0d3f5a7b9c11"

ORIGINAL = f"""\
From: Bills <bills@contoso.example>
To: tenant@example.net
Subject: Your bill
Message-ID: {OURS}
X-TrackCenter-Attempt: {ATTEMPT}

Dear tenant
"""

EXCHANGE_NDR = f"""\
From: Microsoft Outlook <postmaster@contoso.example>
To: bills@contoso.example
Date: Mon, 23 Nov 2026 09:30:11 +0100
Subject: Undeliverable: Your bill
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="_boundary_of_exchange_"
MIME-Version: 1.0

--_boundary_of_exchange_
Content-Type: multipart/alternative; boundary="alt"

--alt
Content-Type: text/plain; charset="us-ascii"

tenant@example.net wasn't found at example.net.

--alt
Content-Type: text/html; charset="us-ascii"

<p>tenant@example.net wasn't found at example.net.</p>

--alt--

--_boundary_of_exchange_
Content-Type: message/delivery-status

Reporting-MTA: dns;AM0PR0201MB1234.eurprd02.prod.outlook.com
Received-From-MTA: dns;AM9PR02MB7777.eurprd02.prod.outlook.com
Arrival-Date: Mon, 23 Nov 2026 08:30:09 +0000

Final-Recipient: rfc822;tenant@example.net
Action: failed
Status: 5.1.10
Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient
 tenant@example.net not found by SMTP address lookup
X-Display-Name: tenant@example.net

--_boundary_of_exchange_
Content-Type: message/rfc822

{ORIGINAL}
--_boundary_of_exchange_--
"""


def report(
    status: str,
    *,
    part_type: str = "message/delivery-status",
    report_type: str = "delivery-status",
    head: str = "",
    part_head: str = "",
    original: str = ORIGINAL,
    original_type: str = "message/rfc822",
) -> bytes:
    """A report with one structured part."""
    return f"""\
From: MAILER-DAEMON@mx.example.org
To: bills@contoso.example
Date: Mon, 23 Nov 2026 10:00:00 +0000
{head}MIME-Version: 1.0
Content-Type: multipart/report; report-type={report_type}; boundary="cut"

--cut
Content-Type: text/plain

A sentence for people.

--cut
Content-Type: {part_type}
{part_head}
{status}
--cut
Content-Type: {original_type}

{original}
--cut--
""".encode()


def status(action: str, code: str, *more: str, recipient: str = "tenant@example.net") -> str:
    lines = [
        "Reporting-MTA: dns; mx.example.org",
        "",
        f"Final-Recipient: rfc822; {recipient}",
        f"Action: {action}",
        f"Status: {code}",
        *more,
    ]
    return "\n".join(lines) + "\n"


def disposition(words: str, *more: str) -> str:
    return "\n".join(
        [
            "Reporting-UA: desktop.example.net; Reader 1.0",
            "Final-Recipient: rfc822; tenant@example.net",
            *more,
            f"Disposition: {words}",
            "",
        ]
    )


def only(mime: bytes, *, message_class: str | None = None) -> Report:
    reports = read_report(mime, message_class=message_class)
    assert len(reports) == 1
    return reports[0]


def test_an_exchange_bounce_without_in_reply_to_is_found_by_the_message_it_returns() -> None:
    found = only(EXCHANGE_NDR.encode())
    assert found.kind == "FAILED"
    assert found.correlation == [OURS]
    assert found.attempt_id == ATTEMPT
    assert found.recipient == "tenant@example.net"
    assert found.status_code == "5.1.10"
    assert found.diagnostic == (
        "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient tenant@example.net not found by "
        "SMTP address lookup"
    )
    assert found.occurred_at == datetime(2026, 11, 23, 8, 30, 11, tzinfo=UTC)


def test_windows_line_ends_change_nothing() -> None:
    assert only(EXCHANGE_NDR.replace("\n", "\r\n").encode()) == only(EXCHANGE_NDR.encode())


def test_a_postfix_bounce_with_headers_only_is_understood() -> None:
    found = only(
        report(
            "Reporting-MTA: dns; mail.example.org\n"
            "X-Postfix-Queue-ID: 4TkQ1Z2yGz\n"
            "Arrival-Date: Mon, 23 Nov 2026 09:00:00 +0000 (UTC)\n\n"
            "Final-Recipient: rfc822; tenant@example.net\n"
            "Original-Recipient: rfc822;tenant@example.net\n"
            "Action: failed\n"
            "Status: 5.2.2\n"
            "Remote-MTA: dns; mx.example.net\n"
            "Diagnostic-Code: smtp; 552 5.2.2 Mailbox full\n",
            original_type="text/rfc822-headers",
        )
    )
    assert (found.kind, found.status_code, found.correlation) == ("FAILED", "5.2.2", [OURS])
    assert found.attempt_id == ATTEMPT


def test_a_gmail_bounce_is_found_by_in_reply_to_first() -> None:
    found = only(
        report(
            status("failed", "5.1.1", "Diagnostic-Code: smtp; 550-5.1.1 no such user"),
            head=f"In-Reply-To: {OURS}\nReferences: <older@contoso.example> {OURS}\n"
            "X-Failed-Recipients: tenant@example.net\nAuto-Submitted: auto-replied\n",
            original=ORIGINAL.replace(OURS, "<rewritten@relay.example>"),
        )
    )
    assert found.correlation == [OURS, "<older@contoso.example>", "<rewritten@relay.example>"]


def test_an_exim_bounce_with_its_own_headers_is_understood() -> None:
    found = only(
        report(
            status("failed", "5.0.0", "Diagnostic-Code: smtp; 550 5.1.1 <tenant>: no such user"),
            head="X-Failed-Recipients: tenant@example.net\nAuto-Submitted: auto-replied\n",
        )
    )
    assert found.status_code == "5.1.1"


def test_a_general_code_stays_when_the_diagnostic_is_of_another_class() -> None:
    found = only(report(status("failed", "5.0.0", "Diagnostic-Code: smtp; 450 4.2.1 greylisted")))
    assert found.status_code == "5.0.0"


def test_each_recipient_of_one_report_gets_its_own() -> None:
    found = read_report(
        report(
            "Reporting-MTA: dns; mx.example.org\n\n"
            "Final-Recipient: rfc822; one@example.net\nAction: failed\nStatus: 5.1.1\n\n"
            "Final-Recipient: rfc822; two@example.net\nAction: delivered\nStatus: 2.0.0\n\n"
            "Final-Recipient: rfc822; three@example.net\nAction: delayed\nStatus: 4.4.1\n"
        )
    )
    assert [(each.recipient, each.kind, each.note) for each in found] == [
        ("one@example.net", "FAILED", ""),
        ("two@example.net", "DELIVERED", ""),
        ("three@example.net", "NOTICE", "delayed"),
    ]


@pytest.mark.parametrize(
    ("action", "kind", "note"),
    [
        ("failed", "FAILED", ""),
        ("Failed", "FAILED", ""),
        ("failed (bounced)", "FAILED", ""),
        ("failure", "FAILED", ""),
        ("delivered", "DELIVERED", ""),
        ("relayed", "NOTICE", "relayed"),
        ("expanded", "NOTICE", "expanded"),
        ("delayed", "NOTICE", "delayed"),
        ("teleported", "NOTICE", "teleported"),
    ],
)
def test_the_action_decides(action: str, kind: str, note: str) -> None:
    found = only(report(status(action, "2.0.0")), message_class="REPORT.IPM.Note.NDR")
    assert (found.kind, found.note) == (kind, note)


@pytest.mark.parametrize(
    ("message_class", "kind", "note"),
    [
        ("REPORT.IPM.Note.DR", "DELIVERED", ""),
        ("REPORT.IPM.Note.NDR", "FAILED", ""),
        ("REPORT.IPM.Note.Delayed.DR", "NOTICE", "delayed"),
        ("REPORT.IPM.Note.Relayed.DR", "NOTICE", "relayed"),
        ("REPORT.IPM.Note.Expanded.DR", "NOTICE", "expanded"),
        ("REPORT.IPM.Note.IPNRN", "OPENED", ""),
        ("REPORT.IPM.Note.IPNNRN", "NOTICE", "deleted"),
    ],
)
def test_the_message_class_counts_only_where_there_is_no_action(
    message_class: str, kind: str, note: str
) -> None:
    without_action = status("failed", "2.0.0").replace("Action: failed\n", "")
    found = only(report(without_action), message_class=message_class)
    assert (found.kind, found.note) == (kind, note)


def test_an_international_report_keeps_its_characters() -> None:
    found = only(
        report(
            "Reporting-MTA: dns; mx.example.org\n\n"
            "Original-Recipient: utf-8; jürgen@müller.example\n"
            "Final-Recipient: utf-8; jürgen@müller.example\n"
            "Action: failed\nStatus: 5.1.1\n"
            "Diagnostic-Code: smtp; 550 Postfach für Jürgen gibt es nicht\n",
            part_type="message/global-delivery-status",
            part_head="Content-Transfer-Encoding: 8bit\n",
            original_type="message/global-headers",
        )
    )
    assert found.recipient == "jürgen@müller.example"
    assert found.diagnostic == "550 Postfach für Jürgen gibt es nicht"
    assert found.correlation == [OURS]


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable"])
@pytest.mark.parametrize("part_type", ["message/delivery-status", "message/global-delivery-status"])
def test_a_status_part_that_is_encoded_against_the_rules_is_read(
    encoding: str, part_type: str
) -> None:
    plain = status("failed", "5.7.1", "Diagnostic-Code: smtp; 550 policy").encode()
    encode = {"base64": base64.encodebytes, "quoted-printable": quopri.encodestring}[encoding]
    found = only(
        report(
            encode(plain).decode(),
            part_type=part_type,
            part_head=f"Content-Transfer-Encoding: {encoding}\n",
        )
    )
    assert (found.kind, found.status_code) == ("FAILED", "5.7.1")


def test_an_encoded_original_still_names_the_message() -> None:
    found = only(
        report(
            status("failed", "5.1.1"),
            original_type="text/rfc822-headers\nContent-Transfer-Encoding: base64",
            original=base64.encodebytes(ORIGINAL.encode()).decode(),
        )
    )
    assert (found.correlation, found.attempt_id) == ([OURS], ATTEMPT)


def test_folded_headers_are_joined() -> None:
    found = only(
        report(
            status("failed", "5.1.1"),
            head="References: <older@contoso.example>\n\t<newer@contoso.example>\n",
            original=ORIGINAL.replace(
                f"Message-ID: {OURS}", "Message-ID:\n <bill-2025-17@contoso.example>"
            ).replace(f"X-TrackCenter-Attempt: {ATTEMPT}", f"X-TrackCenter-Attempt:\n\t{ATTEMPT}"),
        )
    )
    assert found.correlation == ["<newer@contoso.example>", "<older@contoso.example>", OURS]
    assert found.attempt_id == ATTEMPT


def test_an_original_message_id_comes_before_everything_else() -> None:
    found = only(
        report(
            disposition(
                "manual-action/MDN-sent-manually; displayed", f"Original-Message-ID: {OURS}"
            ),
            part_type="message/disposition-notification",
            report_type="disposition-notification",
            head="In-Reply-To: <thread@contoso.example>\n",
        )
    )
    assert found.correlation[0] == OURS
    assert (found.kind, found.note) == ("OPENED", "")


@pytest.mark.parametrize(
    ("words", "kind", "note"),
    [
        ("automatic-action/MDN-sent-automatically; displayed", "OPENED", "automatic"),
        ("manual-action/MDN-sent-manually;displayed/warning", "OPENED", ""),
        ("manual-action/MDN-sent-manually; DELETED", "NOTICE", "deleted"),
        ("automatic-action/MDN-sent-automatically; dispatched", "NOTICE", "dispatched"),
        ("nonsense", "NOTICE", "unclear"),
    ],
)
def test_a_disposition_says_whether_the_mail_was_opened(words: str, kind: str, note: str) -> None:
    found = only(
        report(
            disposition(words),
            part_type="message/disposition-notification",
            report_type="disposition-notification",
        ),
        message_class="REPORT.IPM.Note.IPNNRN",
    )
    assert (found.kind, found.note) == (kind, note)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('boundary="cut"', 'boundary="torn"'),
        ('; boundary="cut"', ""),
        ("--cut--\n", ""),
        ("\n--cut\nContent-Type: message/rfc822\n\n", "\n--cut\nContent-Type: message/rfc822\n"),
    ],
)
def test_broken_boundaries_do_not_hide_a_bounce(old: str, new: str) -> None:
    whole = report(status("failed", "5.1.1"), head=f"In-Reply-To: {OURS}\n").decode()
    assert old in whole
    found = only(whole.replace(old, new).encode())
    assert (found.kind, found.status_code, found.correlation[0]) == ("FAILED", "5.1.1", OURS)


def test_a_report_cut_off_in_the_middle_of_the_original_is_read() -> None:
    whole = report(status("failed", "5.1.1"), original=ORIGINAL + "x" * MAX_BYTES)
    assert only(whole).correlation == [OURS]


def test_a_report_in_a_gateways_wrapping_is_read() -> None:
    inner = report(status("failed", "5.1.1")).decode()
    wrapped = (
        "Date: Mon, 23 Nov 2026 10:00:00 +0000\n"
        'Content-Type: multipart/mixed; boundary="outer"\n\n'
        f"--outer\n{inner}\n--outer\nContent-Type: text/plain\n\nScanned.\n--outer--\n"
    )
    assert only(wrapped.encode()).kind == "FAILED"


def test_a_missing_date_is_not_invented() -> None:
    mime = report(status("failed", "5.1.1")).replace(b"Date: Mon, 23 Nov 2026", b"Date: Someday")
    assert only(mime).occurred_at is None


def test_the_last_attempt_dates_the_report() -> None:
    found = only(
        report(status("failed", "5.1.1", "Last-Attempt-Date: Sun, 22 Nov 2026 23:00:00 -0100"))
    )
    assert found.occurred_at == datetime(2026, 11, 23, tzinfo=UTC)


ORDINARY = {
    "a tenant's answer": b"From: t@example.net\nSubject: Re: Your bill\nIn-Reply-To: "
    + OURS.encode()
    + b"\n\nThanks, I have paid.\n",
    "an out-of-office": b"From: t@example.net\nAuto-Submitted: auto-replied\n"
    b"Subject: Automatic reply\nIn-Reply-To: " + OURS.encode() + b"\n\nI am away.\n",
    "an answer that quotes a bounce": b"From: t@example.net\nSubject: Re: Undeliverable\n\n"
    b"Why did I get this?\n> Final-Recipient: rfc822; t@example.net\n> Action: failed\n"
    b"> Status: 5.1.1\n",
    "a bounce forwarded as an attachment": b"From: t@example.net\n"
    b'Content-Type: multipart/mixed; boundary="f"\n\n--f\nContent-Type: text/plain\n\nLook.\n'
    b"--f\nContent-Type: message/rfc822\n\n" + EXCHANGE_NDR.encode() + b"\n--f--\n",
    "a bounce's parts behind a text": b"From: t@example.net\n"
    b'Content-Type: multipart/mixed; boundary="f"\n\n--f\nContent-Type: text/plain\n\nLook.\n'
    b"--f\nContent-Type: message/delivery-status\n\n"
    + status("failed", "5.1.1").encode()
    + b"\n--f--\n",
    "a report of another kind": b'Content-Type: multipart/report; report-type="feedback-report"; '
    b'boundary="f"\n\n--f\nContent-Type: text/plain\n\nSpam!\n--f\n'
    b"Content-Type: message/feedback-report\n\nFeedback-Type: abuse\n--f--\n",
    "nothing": b"",
}


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_mail_is_no_report(name: str) -> None:
    assert read_report(ORDINARY[name]) == []


def test_parts_nested_without_end_are_no_report() -> None:
    depth = 3000
    mime = b"".join(
        b'Content-Type: multipart/report; boundary="b%d"\n\n--b%d\n' % (n, n) for n in range(depth)
    )
    assert read_report(mime) == []


SEEDS = [
    EXCHANGE_NDR.encode(),
    report(status("failed", "5.1.1", "Diagnostic-Code: smtp; =?utf-8?q?k=C3=A4se?=")),
    report(
        disposition("manual-action/MDN-sent-manually; displayed"),
        part_type="message/disposition-notification",
        report_type="disposition-notification",
    ),
    *ORDINARY.values(),
]


@st.composite
def damaged_mail(draw: st.DrawFn) -> bytes:
    """A report with pieces cut out, doubled, or replaced by whatever bytes."""
    mime = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(mime)))
        end = min(len(mime), start + draw(st.integers(0, 40)))
        filling = draw(
            st.one_of(
                st.binary(max_size=20),
                st.sampled_from([b"\n", b"\r", b"\n\n", b"--cut\n", b"=?x?b?=?=", b"<", b"\x00"]),
                st.just(mime[start:end] * 2),
            )
        )
        mime = mime[:start] + filling + mime[end:]
    return mime


@settings(max_examples=300, deadline=None)
@given(damaged_mail())
def test_no_damage_makes_reading_fail(mime: bytes) -> None:
    for found in read_report(mime):
        assert found.kind in ("FAILED", "DELIVERED", "OPENED", "NOTICE")
        assert all(each.startswith("<") and each.endswith(">") for each in found.correlation)
        assert found.occurred_at is None or found.occurred_at.tzinfo is UTC
        for text in (found.recipient, found.diagnostic, found.status_code, found.note):
            (text or "").encode()  # no half characters that a database would refuse
