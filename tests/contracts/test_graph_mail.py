"""Graph mail beyond the common promises: marks, files, reading the inbox, subscriptions."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from tests.contracts.rigs import (
    Crash,
    CrashPoint,
    GraphRig,
    graph_config,
    with_wrong_secret,
)
from tests.sandbox.fixture import MAILBOX, RunningSandbox, wait_for
from tests.sandbox.webhook import running_webhook
from trackcenter.channels.rendered import RenderedAttachment
from trackcenter.kit.clock import now
from trackcenter.providers.base import OutcomeUnknown, ProviderFailure
from trackcenter.providers.msgraph.mail import GraphMail
from trackcenter.providers.wire import Pool
from trackcenter.receipts.reports import read_report


@pytest.fixture
def rig(sandbox: RunningSandbox) -> GraphRig:
    return GraphRig(sandbox)


@pytest.fixture
def graph(sandbox: RunningSandbox) -> GraphMail:
    return GraphMail(graph_config(sandbox), Pool())


def files_of(rig: GraphRig) -> list[tuple[str, int]]:
    path = f"/users/{MAILBOX}/messages/{quote(rig.marks.stored['draft_id'])}/attachments"
    # Just after a send the message is found nowhere for a moment.
    found = wait_for(lambda: rig.sandbox.graph("GET", path).json().get("value"))
    return sorted((each["name"], each["size"]) for each in found)


def test_both_marks_are_made_and_the_ids_are_the_drafts(rig: GraphRig) -> None:
    accepted = rig.hand_over()
    assert set(rig.marks.stored) == {"draft_id", "internet_message_id", "send_started_at"}
    assert accepted.provider_message_id == rig.marks.stored["internet_message_id"]
    assert accepted.detail["internetMessageIds"] == [accepted.provider_message_id]


def test_a_mail_carries_its_attempt_and_asks_for_receipts(rig: GraphRig) -> None:
    with pytest.raises(Crash):
        rig.hand_over(CrashPoint(at=6))  # the draft is stored, not yet sent
    path = f"/users/{MAILBOX}/messages/{quote(rig.marks.stored['draft_id'])}"
    draft = rig.sandbox.graph("GET", path).json()
    assert draft["isDraft"]
    assert draft["isDeliveryReceiptRequested"]
    assert draft["isReadReceiptRequested"]
    assert draft["from"]["emailAddress"] == {"name": "Contoso Bills", "address": MAILBOX}
    assert draft["replyTo"][0]["emailAddress"]["address"] == "office@example.org"
    assert draft["toRecipients"][0]["emailAddress"]["name"] == "Jürgen Müller"
    assert rig.sandbox.messages() == []


def test_files_of_every_size_are_attached_once(rig: GraphRig) -> None:
    rig.attachments = (
        RenderedAttachment("small.pdf", "application/pdf", b"s" * 1_000_000, "STATEMENT"),
        RenderedAttachment("second.pdf", "application/pdf", b"m" * 2_500_000, "STATEMENT"),
        RenderedAttachment("edge.pdf", "application/pdf", b"e" * (3 * 1024 * 1024 - 400), "LETTER"),
        RenderedAttachment("large.pdf", "application/pdf", b"l" * (3 * 1024 * 1024), "LETTER"),
        RenderedAttachment("huge.pdf", "application/pdf", b"h" * 9_000_001, "LETTER"),
    )
    lines = CrashPoint()
    rig.hand_over(lines)
    sizes = sorted((each.file_name, len(each.content)) for each in rig.attachments)
    assert [name for name, _ in files_of(rig)] == [name for name, _ in sizes]
    # Die in the middle of the uploads, and once more after them.
    for line in range(8, lines.passed - 3, 5):
        again = GraphRig(rig.sandbox)
        again.attachments = rig.attachments
        assert again.work(CrashPoint(at=line)) is not None
        assert [name for name, _ in files_of(again)] == [name for name, _ in sizes]


def test_a_draft_that_vanished_after_the_send_began_is_never_made_again(rig: GraphRig) -> None:
    with pytest.raises(Crash):
        rig.hand_over(CrashPoint(at=8))  # the send is marked, not made
    assert "send_started_at" in rig.marks.stored
    rig.sandbox.clear()
    for _ in range(3):
        with pytest.raises(OutcomeUnknown) as unknown:
            rig.hand_over()
        assert unknown.value.unknown
        assert not unknown.value.final
        assert not unknown.value.permanent
    assert rig.sandbox.messages() == []


def test_an_orphan_draft_of_the_same_attempt_proves_nothing(rig: GraphRig) -> None:
    rig.hand_over()
    wait_for(lambda: rig.work() is not None)
    rig.sandbox.clear()
    rig.sandbox.draft("tenant@example.net", attempt=str(rig.attempt_id))
    with pytest.raises(OutcomeUnknown):
        rig.hand_over()
    assert rig.sandbox.messages() == []


def test_a_refused_recipient_is_permanent(rig: GraphRig) -> None:
    rig.to = "reject@example.net"
    with pytest.raises(ProviderFailure) as refused:
        rig.hand_over()
    assert refused.value.permanent
    assert refused.value.code == "ErrorInvalidRecipients"
    assert refused.value.raw


def test_a_wrong_secret_is_ours_to_mend(sandbox: RunningSandbox) -> None:
    rig = GraphRig(sandbox)
    config, _ = with_wrong_secret(sandbox)
    with pytest.raises(ProviderFailure) as refused:
        GraphMail(config, Pool()).hand_over(rig.order(), rig.marks)
    assert refused.value.misconfigured
    assert not refused.value.permanent


def test_an_unknown_mailbox_is_ours_to_mend(sandbox: RunningSandbox) -> None:
    rig = GraphRig(sandbox)
    order = replace(rig.order(), mailbox="nobody")
    with pytest.raises(ProviderFailure) as refused:
        GraphMail(graph_config(sandbox), Pool()).hand_over(order, rig.marks)
    assert refused.value.misconfigured
    assert not refused.value.permanent


@pytest.mark.parametrize(
    ("local", "kinds"), [("bounce", {"FAILED"}), ("open", {"DELIVERED", "OPENED"})]
)
def test_the_reports_of_a_mail_lead_back_to_it(
    rig: GraphRig, graph: GraphMail, local: str, kinds: set[str]
) -> None:
    start = now() - timedelta(minutes=1)
    rig.to = f"{local}@example.net"
    accepted = rig.hand_over()

    def reports() -> Any:
        found = []
        for message in graph.list_inbox_since(MAILBOX, start):
            for each in read_report(graph.fetch_mime(MAILBOX, message.id)):
                names = each.correlation
                if accepted.provider_message_id in names or each.attempt_id == str(rig.attempt_id):
                    found.append(each)
        return found if kinds <= {each.kind for each in found} else None

    for each in wait_for(reports, what="the reports"):
        assert each.occurred_at is not None


def test_a_delta_tells_only_what_is_new(rig: GraphRig, graph: GraphMail) -> None:
    before = graph.inbox_changes(MAILBOX)
    assert before.delta_link
    rig.to = "bounce@example.net"
    rig.hand_over()
    wait_for(lambda: rig.sandbox.inbox())
    after = graph.inbox_changes(MAILBOX, before.delta_link)
    assert not after.restarted
    assert len(after.messages) == 1
    assert graph.inbox_changes(MAILBOX, after.delta_link).messages == ()


def test_a_first_look_goes_back_to_a_date_and_no_further(rig: GraphRig, graph: GraphMail) -> None:
    rig.to = "bounce@example.net"
    rig.hand_over()
    wait_for(lambda: rig.sandbox.inbox())
    recent = graph.inbox_changes(MAILBOX, since=now() - timedelta(hours=1))
    assert len(recent.messages) == 1
    later = graph.inbox_changes(MAILBOX, since=now() + timedelta(hours=1))
    assert later.messages == ()
    assert graph.inbox_changes(MAILBOX, recent.delta_link).messages == ()


def test_a_forgotten_link_starts_again_at_the_date(rig: GraphRig, graph: GraphMail) -> None:
    old = graph.inbox_changes(MAILBOX)
    rig.sandbox.clear()
    rig.to = "bounce@example.net"
    rig.hand_over()
    wait_for(lambda: rig.sandbox.inbox())
    anew = graph.inbox_changes(MAILBOX, old.delta_link, since=now() - timedelta(hours=1))
    assert anew.restarted
    assert len(anew.messages) == 1


def test_a_message_that_is_gone_is_permanent(graph: GraphMail) -> None:
    with pytest.raises(ProviderFailure) as gone:
        graph.fetch_mime(MAILBOX, "AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0A")
    assert gone.value.permanent


def test_a_subscription_is_created_kept_renewed_and_created_anew(
    rig: GraphRig, graph: GraphMail
) -> None:
    with running_webhook() as webhook:

        def ensure(**more: Any) -> Any:
            return graph.subscriptions.ensure(
                MAILBOX,
                notification_url=webhook.url,
                lifecycle_url=f"{webhook.url}/lifecycle",
                client_state="a-secret",
                **more,
            )

        created = ensure()
        assert created.change == "created"
        assert created.expires_at - now() > timedelta(days=6)
        kept = ensure()
        assert (kept.id, kept.change) == (created.id, "kept")
        urls = {"notification_url": webhook.url, "lifecycle_url": f"{webhook.url}/lifecycle"}
        current = graph.subscriptions.current(MAILBOX, **urls)
        assert current is not None
        assert current.id == created.id
        assert graph.subscriptions.current("else@example.org", **urls) is None
        renewed = ensure(renew=True)
        assert (renewed.id, renewed.change) == (created.id, "renewed")
        graph.subscriptions.reauthorize(created.id)
        rig.to = "bounce@example.net"
        rig.hand_over()
        (notice,) = wait_for(webhook.notifications)
        assert notice["clientState"] == "a-secret"
        mime = graph.fetch_mime(MAILBOX, notice["resourceData"]["id"])
        assert [each.kind for each in read_report(mime)] == ["FAILED"]
        assert rig.sandbox.graph("DELETE", f"/subscriptions/{created.id}").status == 204
        anew = ensure()
        assert (anew.change, anew.id != created.id) == ("created", True)
        rig.sandbox.graph("DELETE", f"/subscriptions/{anew.id}")
