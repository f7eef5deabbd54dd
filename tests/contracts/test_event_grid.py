"""What the sandbox pushes as Event Grid is what the receipts read."""

import pytest

from tests.contracts.rigs import AcsMailRig, AcsSmsRig
from tests.sandbox.fixture import RunningSandbox, wait_for
from tests.sandbox.webhook import Webhook, running_webhook
from trackcenter.receipts.event_grid import GridEvent, read_events, validation_code


def told(webhook: Webhook) -> list[GridEvent]:
    return [
        event
        for call in list(webhook.calls)
        for event in read_events(call.content, call.headers.get("Content-Type", ""))
    ]


@pytest.mark.parametrize("schema", ["EventGrid", "CloudEvents"])
def test_the_reports_of_both_channels_are_read(sandbox: RunningSandbox, schema: str) -> None:
    with running_webhook() as webhook:
        webhook.status = 200
        target = {"url": webhook.url, "schema": schema}
        assert sandbox.request("PUT", "/eventgrid", target).status == 200
        if schema == "EventGrid":
            (handshake,) = webhook.handshakes
            assert validation_code(handshake.content)
            assert read_events(handshake.content) == []
        failing = AcsSmsRig(sandbox)
        failing.to = "+4915110000001"
        ids = {
            AcsSmsRig(sandbox).hand_over().provider_message_id: "DELIVERED",
            failing.hand_over().provider_message_id: "FAILED",
            AcsMailRig(sandbox).hand_over().provider_message_id: "DELIVERED",
        }
        events = wait_for(lambda: len(told(webhook)) >= len(ids) and told(webhook))
    assert {each.message_id: each.kind for each in events} == ids
    assert all(each.occurred_at and each.recipient and each.event_id for each in events)
