import pytest
import urllib3

from tests.sandbox.fixture import MAILBOX, Json, RunningSandbox, wait_for
from tests.sandbox.webhook import Webhook

OFF = {
    "rate429": 0,
    "rate503": 0,
    "lostReply": 0,
    "slowMs": 0,
    "duplicatePush": 0,
    "shufflePush": 0,
    "seed": None,
}
MESSAGES = f"/users/{MAILBOX}/messages"


def test_what_is_not_named_is_off(sandbox: RunningSandbox) -> None:
    sandbox.set_faults(rate429=0.5, seed=7)
    assert sandbox.request("GET", "/faults").json() == {**OFF, "rate429": 0.5, "seed": 7}
    sandbox.set_faults(slowMs=3)
    assert sandbox.request("GET", "/faults").json() == {**OFF, "slowMs": 3}


@pytest.mark.parametrize(
    "faults",
    [
        {"rate429": 1.1},
        {"rate503": -0.1},
        {"lostReply": "often"},
        {"slowMs": -1},
        {"seed": 1.5},
        {"rate500": 1},
        {"duplicatePush": True},
        [],
    ],
)
def test_faults_out_of_range_are_refused_and_change_nothing(
    sandbox: RunningSandbox, faults: Json
) -> None:
    sandbox.set_faults(rate429=0.25)
    reply = sandbox.request("PUT", "/faults", faults)
    assert reply.status == 422
    assert reply.json()["errors"][0]["msg"]
    assert sandbox.request("GET", "/faults").json()["rate429"] == 0.25


def test_throttling_says_when_to_come_again_and_accepts_nothing(sandbox: RunningSandbox) -> None:
    draft = sandbox.draft("silent@example.org")
    sandbox.set_faults(rate429=1)
    for reply in (
        sandbox.send(draft["id"]),
        sandbox.acs("POST", "/sms?api-version=2026-01-23", {}),
    ):
        assert reply.status == 429
        assert int(reply.headers["Retry-After"]) >= 1
        assert reply.json()["error"]["code"]
    assert sandbox.messages() == []


def test_an_outage_accepts_nothing(sandbox: RunningSandbox) -> None:
    draft = sandbox.draft("silent@example.org")
    sandbox.set_faults(rate503=1)
    assert sandbox.send(draft["id"]).status == 503
    assert sandbox.messages() == []


def test_rates_are_rates_and_a_seed_repeats_them(sandbox: RunningSandbox) -> None:
    runs = []
    for _ in range(2):
        sandbox.set_faults(rate429=0.2, rate503=0.1, seed=11)
        runs.append([sandbox.graph("GET", MESSAGES).status for _ in range(200)])
    assert runs[0] == runs[1]
    assert 20 <= runs[0].count(429) <= 60
    assert 5 <= runs[0].count(503) <= 35


def test_a_lost_reply_was_accepted_all_the_same(sandbox: RunningSandbox) -> None:
    draft = sandbox.draft("silent@example.org")
    sandbox.set_faults(lostReply=1)
    with pytest.raises(urllib3.exceptions.ProtocolError):
        sandbox.draft("silent@example.org")
    with pytest.raises(urllib3.exceptions.ProtocolError):
        sandbox.send(draft["id"])
    with pytest.raises(urllib3.exceptions.ProtocolError):
        sandbox.sms("+491700000002")
    sandbox.set_faults()
    assert [listed["channel"] for listed in sandbox.messages()] == ["EMAIL", "SMS"]
    wait_for(lambda: len(sandbox.graph("GET", MESSAGES).json()["value"]) == 2)


def test_an_error_is_never_lost_nor_a_question(sandbox: RunningSandbox) -> None:
    created = sandbox.draft("silent@example.org")
    sandbox.set_faults(lostReply=1)
    assert sandbox.graph("GET", f"{MESSAGES}/{created['id']}").status == 200
    assert sandbox.graph("POST", MESSAGES, {"colour": "blue"}).status == 400


def test_doubled_pushes_bring_the_same_thing_twice(
    sandbox: RunningSandbox, webhook: Webhook
) -> None:
    sandbox.subscribe(webhook.url)
    sandbox.set_faults(duplicatePush=1)
    sandbox.mail("bounce@example.org")
    wait_for(lambda: len(webhook.notifications()) == 2)
    first, second = webhook.notifications()
    assert first == second


def test_shuffled_pushes_come_in_another_order(sandbox: RunningSandbox, webhook: Webhook) -> None:
    sandbox.subscribe(webhook.url)
    sandbox.set_faults(shufflePush=0.5, seed=3)
    for _ in range(20):
        sandbox.mail("bounce@example.org")
    wait_for(lambda: len(webhook.notifications()) == 20)
    came = [item["resourceData"]["id"] for item in webhook.notifications()]
    lies = [item["id"] for item in reversed(sandbox.inbox())]
    assert sorted(came) == sorted(lies)
    assert came != lies


def test_slowness_delays_an_answer(sandbox: RunningSandbox) -> None:
    sandbox.set_faults(slowMs=300)
    with pytest.raises(urllib3.exceptions.ReadTimeoutError):
        sandbox.http.request(
            "POST", sandbox.url + "/sms", timeout=urllib3.Timeout(read=0.1), retries=False
        )
