"""What becomes of a message, by recipient, seen from outside: reports, never internals."""

from email import message_from_bytes
from email.message import Message
from email.policy import default

import pytest

from tests.sandbox.fixture import RunningSandbox, running_sandbox, wait_for
from trackcenter.sandbox.outcomes import mail_steps, sms_steps
from trackcenter.sandbox.reports import Original, delayed, delivered, failed, opened


def actions(mime: bytes) -> list[str]:
    """What a report says: delivery actions, or the disposition."""
    message = message_from_bytes(mime, policy=default)
    assert message.get_content_type() == "multipart/report"
    found = []
    for part in message.walk():
        if part.get_content_type() == "message/delivery-status":
            found += [block["Action"] for block in part.get_payload() if block["Action"]]
        elif part.get_content_type() == "message/disposition-notification":
            block = part.get_payload()
            fields = block[0] if isinstance(block, list) else block
            assert isinstance(fields, Message)
            found.append(str(fields["Disposition"]).rpartition("; ")[2])
    return found


def reported(sandbox: RunningSandbox) -> list[str]:
    """Everything the inbox says, oldest first."""
    return [
        action for item in reversed(sandbox.inbox()) for action in actions(sandbox.mime(item["id"]))
    ]


def is_quiet(sandbox: RunningSandbox) -> bool:
    return bool(sandbox.request("GET", "/healthz").json()["waiting"] == 0)


@pytest.mark.parametrize(
    ("recipient", "expected"),
    [
        ("anna@example.org", ["delivered"]),
        ("bounce@example.org", ["failed"]),
        ("Bounce.Meier@example.org", ["failed"]),
        ("bounce-after-delivery@example.org", ["delivered", "failed"]),
        ("bounce-after-delivery.7@example.org", ["delivered", "failed"]),
        ("delay@example.org", ["delayed", "delivered"]),
        ("open.12@example.org", ["delivered", "displayed"]),
        ("silent@example.org", []),
    ],
)
def test_the_recipient_decides(
    sandbox: RunningSandbox, recipient: str, expected: list[str]
) -> None:
    sandbox.mail(recipient)
    wait_for(lambda: is_quiet(sandbox))
    assert reported(sandbox) == expected


def test_reject_is_refused_when_it_is_sent(sandbox: RunningSandbox) -> None:
    created = sandbox.draft("reject@example.org")
    reply = sandbox.send(created["id"])
    assert reply.status == 400
    assert reply.json()["error"]["code"] == "ErrorInvalidRecipients"
    assert sandbox.messages() == []


def test_each_recipient_of_a_mail_gets_a_report(sandbox: RunningSandbox) -> None:
    people = [{"emailAddress": {"address": f"{name}@example.org"}} for name in ("a", "bounce")]
    sandbox.mail("a@example.org", toRecipients=people)
    wait_for(lambda: is_quiet(sandbox))
    assert sorted(reported(sandbox)) == ["delivered", "failed"]


def test_no_receipt_comes_unasked_but_a_bounce_does(sandbox: RunningSandbox) -> None:
    for to in ("open@example.org", "bounce@example.org"):
        sandbox.mail(to, isDeliveryReceiptRequested=False, isReadReceiptRequested=False)
    wait_for(lambda: is_quiet(sandbox))
    assert reported(sandbox) == ["failed"]


@pytest.mark.parametrize(
    ("phone", "status"), [("+491700000001", "Failed"), ("+491700000003", "Delivered")]
)
def test_the_number_decides(sandbox: RunningSandbox, phone: str, status: str) -> None:
    item = sandbox.sms(phone, tag="attempt-7")
    path = f"/deliveryReports/{item['messageId']}?api-version=2026-01-23"
    reply = wait_for(lambda: found if (found := sandbox.acs("GET", path)).status == 200 else None)
    report = reply.json()
    assert report["deliveryStatus"] == status
    assert (report["to"], report["tag"]) == (phone, "attempt-7")
    assert report["deliveryStatusDetails"]


def test_a_number_that_never_reports_has_no_report(sandbox: RunningSandbox) -> None:
    item = sandbox.sms("+491700000002")
    wait_for(lambda: is_quiet(sandbox))
    path = f"/deliveryReports/{item['messageId']}?api-version=2026-01-23"
    assert sandbox.acs("GET", path).status == 404


def test_things_take_between_a_fifth_of_a_second_and_some_seconds() -> None:
    for steps in (mail_steps("bounce-after-delivery@x"), mail_steps("a@x"), sms_steps("+493")):
        assert all(0.2 <= step.after[0] < step.after[1] <= 3 for step in steps)
    with running_sandbox(speed=1) as sandbox:
        sandbox.mail("a@example.org")
        assert sandbox.inbox() == []
        wait_for(lambda: reported(sandbox) == ["delivered"])


def original(number: int, recipient: str = "bounce.müller@example.org") -> Original:
    return Original(
        internet_message_id=f"<{number}.{'A' * 60}@mail.example.org>",
        subject="Abrechnung für das Jahr 2025 – Wohnung 12, Größe 78 m² und ein langer Nachsatz",
        sender="billing@example.org",
        recipient=recipient,
        headers=(("X-TrackCenter-Attempt", f"attempt-{number}"),),
        sent=1_800_000_000.0,
        text="Guten Tag",
    )


@pytest.mark.parametrize("make", [failed, delivered, delayed, opened])
def test_every_shape_of_a_report_names_its_original(make) -> None:
    shapes = set()
    for number in range(60):
        source = original(number, "anna@example.org")
        mime = make(source, 1_800_000_050.0).mime
        assert b"\n" not in mime.replace(b"\r\n", b"")
        message = message_from_bytes(mime, policy=default)
        ways = []
        assert max(map(len, mime.split(b"\r\n"))) <= 998
        quotes_subject = message["Subject"].endswith(source.subject)
        assert quotes_subject or message["Subject"].isascii()
        if source.internet_message_id in str(message["In-Reply-To"] or ""):
            ways.append("In-Reply-To")
        for part in message.walk():
            kind = part.get_content_type()
            if kind == "text/rfc822-headers":
                headers = message_from_bytes(part.get_content().encode(), policy=default)
                assert headers["Message-ID"].strip() == source.internet_message_id
                assert headers["X-TrackCenter-Attempt"] == f"attempt-{number}"
                ways.append("headers")
            elif kind == "message/rfc822":
                [inner] = part.get_payload()
                assert inner["Message-ID"].strip() == source.internet_message_id
                assert inner["X-TrackCenter-Attempt"] == f"attempt-{number}"
                ways.append("original")
            elif kind == "message/disposition-notification":
                [fields] = part.get_payload()
                named = fields["Original-Message-ID"]
                if named is not None:
                    assert named.strip() == source.internet_message_id
                    ways.append("Original-Message-ID")
        assert ways, mime.decode()
        shapes.add(tuple(ways))
    assert len(shapes) >= 2


def test_a_bounce_says_why_with_a_status_code(sandbox: RunningSandbox) -> None:
    codes = set()
    for number in range(30):
        message = message_from_bytes(failed(original(number), 1_800_000_050.0).mime, policy=default)
        [status] = [
            part for part in message.walk() if part.get_content_type() == "message/delivery-status"
        ]
        block = status.get_payload()[1]
        assert block["Status"].split(".")[0] == "5"
        assert block["Diagnostic-Code"].startswith("smtp;")
        codes.add(block["Status"])
    assert codes == {"5.1.1", "5.1.10", "5.4.1"}


def test_mail_from_outside_lies_in_the_inbox_as_it_came(sandbox: RunningSandbox) -> None:
    mime = b"From: tenant@example.org\r\nSubject: Re: my bill\r\n\r\nThank you!\r\n"
    reply = sandbox.request("POST", "/inbound?mailbox=billing@example.org", content=mime)
    assert reply.status == 201
    [item] = sandbox.inbox()
    assert item["id"] == reply.json()["id"]
    assert item["subject"] == "Re: my bill"
    assert sandbox.mime(item["id"]) == mime
