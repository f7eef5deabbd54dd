"""Graph in the moods that the sandbox does not have."""

import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import pytest

from tests.providers.peer import Answer, Asked, Peer, peer
from trackcenter.channels.rendered import RenderedAttachment
from trackcenter.kit.ids import new_id
from trackcenter.providers.base import EmailOrder, OutcomeUnknown, ProviderFailure
from trackcenter.providers.msgraph.config import GraphConfig
from trackcenter.providers.msgraph.mail import ATTEMPT_PROPERTY, GraphMail
from trackcenter.providers.wire import Pool

STARTED = datetime(2026, 11, 23, 8, tzinfo=UTC)
LARGE = RenderedAttachment("large.pdf", "application/pdf", bytes(9_000_000), "LETTER")


def answer(status: int, value: Any = None, **headers: str) -> Answer:
    body = b"" if value is None else json.dumps(value).encode()
    return Answer(status, body, {"Content-Type": "application/json", **headers})


def error(status: int, code: str, **headers: str) -> Answer:
    return answer(
        status, {"error": {"code": code, "message": "words", "innerError": {}}}, **headers
    )


@dataclass
class Graph:
    """A Graph by rules: the first rule that fits answers, else a plain success."""

    rules: list[Callable[[Asked], Answer | None]] = field(default_factory=list)
    tokens: int = 0
    lifetime: Any = 3599

    def __call__(self, asked: Asked) -> Answer:
        if asked.target.endswith("/oauth2/v2.0/token"):
            self.tokens += 1
            return answer(
                200, {"access_token": f"token-{self.tokens}", "expires_in": self.lifetime}
            )
        for rule in self.rules:
            if (found := rule(asked)) is not None:
                return found
        if asked.target.endswith("/send"):
            return answer(202)
        if "$filter" in asked.target:
            return answer(200, {"value": []})
        if asked.method == "GET":
            return answer(200, draft())
        return answer(201, draft())

    def when(self, fits: str, *answers: Answer, method: str | None = None) -> "Graph":
        """Requests whose target holds `fits` get these answers in turn, the last for ever."""
        waiting = list(answers)

        def rule(asked: Asked) -> Answer | None:
            if fits not in unquote(asked.target) or method not in (None, asked.method):
                return None
            return waiting.pop(0) if len(waiting) > 1 else waiting[0]

        self.rules.append(rule)
        return self


def draft(**more: Any) -> dict[str, Any]:
    return {"id": "draft-1", "internetMessageId": "<one@contoso.example>", "isDraft": True, **more}


def mail(made: Peer, **more: Any) -> GraphMail:
    config = GraphConfig(f"{made.url}/v1.0", made.url, "tenant", "client", "secret")
    return GraphMail(replace(config, **more), Pool(read_seconds=5))


def order(**more: Any) -> EmailOrder:
    plain = EmailOrder(
        attempt_id=new_id(),
        mailbox="bills@contoso.example",
        from_name="Contoso",
        to_address="tenant@example.net",
        to_name="",
        subject="Bill",
        html="<p>Bill</p>",
        text="Bill",
    )
    return replace(plain, **more)


@dataclass
class Marks:
    made: list[str] = field(default_factory=list)

    def draft_created(
        self, *, draft_id: str, internet_message_id: str, sends: bool = False
    ) -> None:
        self.made.append(f"draft {draft_id} {internet_message_id}")
        if sends:
            self.made.append("send")

    def send_started(self) -> None:
        self.made.append("send")


def sends(made: Peer) -> int:
    return sum(asked.target.endswith("/send") for asked in made.asked)


def creations(made: Peer) -> int:
    return sum(
        asked.method == "POST" and asked.target.endswith("/messages") for asked in made.asked
    )


def test_a_draft_carries_the_attempt_as_microsoft_wants_it() -> None:
    given = order()
    with peer(Graph()) as made:
        mail(made).hand_over(given, Marks())
    body = json.loads(made.asked[1].body)
    assert body["internetMessageHeaders"] == [
        {"name": "x-trackcenter-attempt", "value": str(given.attempt_id)}
    ]
    assert body["singleValueExtendedProperties"] == [
        {"id": ATTEMPT_PROPERTY, "value": str(given.attempt_id)}
    ]
    assert re.fullmatch(r"String \{[0-9a-f-]{36}\} Name TrackCenterAttempt", ATTEMPT_PROPERTY)
    assert (body["isDeliveryReceiptRequested"], body["isReadReceiptRequested"]) == (True, True)


def test_a_mail_is_fetched_as_what_it_is() -> None:
    with peer(Graph()) as made:
        mail(made).fetch_mime("bills@contoso.example", "AAMk=")
    fetched = made.asked[-1]
    assert fetched.target == "/v1.0/users/bills@contoso.example/messages/AAMk%3D/$value"
    assert fetched.headers["accept"] == "*/*"
    assert fetched.headers["prefer"] == 'IdType="ImmutableId"'


@pytest.mark.parametrize(
    ("code", "gone"),
    [
        ("ErrorItemNotFound", True),
        ("MailboxNotEnabledForRESTAPI", False),
        ("ErrorInvalidUser", False),
        ("SomethingNew", False),
    ],
)
def test_only_one_word_for_404_means_that_a_mail_is_gone(code: str, gone: bool) -> None:
    graph = Graph().when("$value", error(404, code))
    with peer(graph) as made, pytest.raises(ProviderFailure) as refused:
        mail(made).fetch_mime("bills@contoso.example", "AAMk=")
    assert (refused.value.permanent, refused.value.misconfigured) == (gone, not gone)


def test_every_call_asks_for_immutable_ids_and_is_signed() -> None:
    with peer(Graph()) as made:
        mail(made).hand_over(order(), Marks())
    token, *calls = made.asked
    assert b"grant_type=client_credentials" in token.body
    assert b"scope=https%3A%2F%2Fgraph.microsoft.com%2F.default" in token.body
    assert [each.method for each in calls] == ["POST", "POST", "GET"]
    for each in calls:
        assert each.headers["prefer"] == 'IdType="ImmutableId"'
        assert each.headers["authorization"] == "Bearer token-1"
    assert calls[1].body == b""
    assert calls[1].headers["content-length"] == "0"


def test_a_first_call_looks_nothing_up_and_a_later_one_does() -> None:
    with peer(Graph()) as made:
        mail(made).hand_over(order(), Marks())
        assert not any("filter" in asked.target for asked in made.asked)
        attempt = order(first_call=False)
        mail(made).hand_over(attempt, Marks())
    question = unquote(next(each.target for each in made.asked if "filter" in each.target))
    assert (
        "$filter=singleValueExtendedProperties/Any(ep: ep/id eq 'String "
        "{6f2d9c1e-5b57-4c43-9a3d-2f1d4a7c8e10} Name TrackCenterAttempt' and ep/value eq "
        f"'{attempt.attempt_id}')"
    ) in question


def test_a_mail_found_already_sent_is_accepted_without_a_send() -> None:
    graph = Graph().when("$filter", answer(200, {"value": [draft(), draft(isDraft=False)]}))
    with peer(graph) as made:
        accepted = mail(made).hand_over(order(first_call=False), Marks())
    assert accepted.provider_message_id == "<one@contoso.example>"
    assert (sends(made), creations(made)) == (0, 0)


def test_the_look_up_reads_every_page() -> None:
    with peer(lambda asked: graph(asked)) as made:
        pages = [
            answer(200, {"value": [], "@odata.nextLink": f"{made.url}/v1.0/$filter/page2"}),
            answer(200, {"value": [draft(isDraft=False)]}),
        ]
        graph = Graph().when("$filter", *pages)
        mail(made).hand_over(order(first_call=False), Marks())
    assert (sends(made), creations(made)) == (0, 0)


@pytest.mark.parametrize(
    ("by_id", "by_property", "end"),
    [
        (draft(), [], "sent again"),
        (draft(), [draft()], "sent again"),
        (draft(isDraft=False), [], "accepted"),
        (None, [draft(id="moved", isDraft=False)], "accepted"),
        # The draft is still there by its id, but a sent copy is too: believe the copy.
        (draft(), [draft(id="copy", isDraft=False)], "accepted"),
        (None, [draft(id="renamed")], "sent again"),  # the same Internet message id
        (None, [draft(id="orphan", internetMessageId="<two@contoso.example>")], "unknown"),
        (None, [], "unknown"),
        (None, [{"id": "draft-1"}], "unknown"),  # does not say whether it is a draft
    ],
)
def test_after_the_send_began_only_a_proven_draft_is_sent_again(
    by_id: dict[str, Any] | None, by_property: list[dict[str, Any]], end: str
) -> None:
    graph = Graph().when("$filter", answer(200, {"value": by_property}))
    graph.when(
        "/messages/draft-1?",
        error(404, "ErrorItemNotFound") if by_id is None else answer(200, by_id),
    )
    attempt = order(
        first_call=False,
        draft_id="draft-1",
        internet_message_id="<one@contoso.example>",
        send_started_at=STARTED,
    )
    with peer(graph) as made:
        if end == "unknown":
            with pytest.raises(OutcomeUnknown):
                mail(made).hand_over(attempt, Marks())
        else:
            mail(made).hand_over(attempt, Marks())
    assert sends(made) == (1 if end == "sent again" else 0)
    assert creations(made) == 0


@pytest.mark.parametrize("status", [403, 429, 500, 503])
def test_a_look_up_that_fails_settles_nothing(status: int) -> None:
    graph = Graph().when("/messages/draft-1?", error(status, "Whatever"))
    attempt = order(first_call=False, draft_id="draft-1", send_started_at=STARTED)
    with peer(graph) as made, pytest.raises(ProviderFailure) as failed:
        mail(made).hand_over(attempt, Marks())
    assert (failed.value.unknown, failed.value.permanent) == (True, False)
    assert sends(made) == 0


@pytest.mark.parametrize(
    ("reply", "permanent", "unknown", "misconfigured"),
    [
        (error(400, "ErrorInvalidRecipients"), True, False, False),
        (error(400, "SomethingNew"), True, False, False),
        (error(403, "ErrorSendAsDenied"), False, False, True),
        (error(403, "SomethingNew"), False, False, True),
        (error(404, "ErrorItemNotFound"), False, True, False),
        (error(413, "ErrorMessageSizeExceeded"), True, False, False),
        (error(429, "ErrorInvalidRecipients"), False, False, False),
        (error(500, "ErrorInternalServerError"), False, True, False),
        (error(503, "ErrorInvalidRecipients"), False, True, False),
        (error(504, "UnknownError"), False, True, False),
        (Answer(502, b"<html>Bad gateway</html>"), False, True, False),
        (Answer(raw=b""), False, True, False),
    ],
)
def test_what_a_failed_send_means(
    reply: Answer, permanent: bool, unknown: bool, misconfigured: bool
) -> None:
    marks = Marks()
    with peer(Graph().when("/send", reply)) as made, pytest.raises(ProviderFailure) as failed:
        mail(made).hand_over(order(), marks)
    assert marks.made == ["draft draft-1 <one@contoso.example>", "send"]
    assert sends(made) == 1, "a send is never repeated within a call"
    assert failed.value.permanent is permanent
    assert failed.value.unknown is unknown
    assert failed.value.misconfigured is misconfigured
    assert str(failed.value).endswith(".")
    if reply.raw is None:
        assert failed.value.raw == reply.body.decode()


def test_retry_after_is_passed_on() -> None:
    graph = Graph().when("/messages", error(429, "ApplicationThrottled", **{"Retry-After": "17"}))
    with peer(graph) as made, pytest.raises(ProviderFailure) as told:
        mail(made).hand_over(order(), Marks())
    assert told.value.retry_after == 17.0


def test_who_was_about_to_call_heeds_what_another_was_told() -> None:
    others = "/v1.0/users/other@contoso.example/messages"
    busy = Answer(429, b"", {"Retry-After": "60"})
    with peer(Graph().when("/users/bills@contoso.example/messages", busy)) as made:
        mails = mail(made)
        with pytest.raises(ProviderFailure):
            mails.hand_over(order(), Marks())
        calls = len(made.asked)
        for started in (None, STARTED):
            with pytest.raises(ProviderFailure) as failed:
                mails.hand_over(order(draft_id="d", send_started_at=started), Marks())
            assert failed.value.unknown is (started is not None)
            assert 55 < (failed.value.retry_after or 0) <= 60
        assert len(made.asked) == calls
        mails.hand_over(order(mailbox="other@contoso.example"), Marks())
        assert made.asked[calls].target == others


def test_a_refused_token_is_renewed_once() -> None:
    graph = Graph().when(
        "/messages", error(401, "InvalidAuthenticationToken"), answer(201, draft()), method="POST"
    )
    graph.rules.insert(0, lambda asked: answer(202) if asked.target.endswith("/send") else None)
    with peer(graph) as made:
        mail(made).hand_over(order(), Marks())
    assert graph.tokens == 2
    assert sends(made) == 1


def test_a_token_that_is_always_refused_is_ours_to_mend() -> None:
    graph = Graph().when("/v1.0", error(401, "InvalidAuthenticationToken"))
    with peer(graph) as made, pytest.raises(ProviderFailure) as refused:
        mail(made).hand_over(order(), Marks())
    assert graph.tokens == 2
    assert refused.value.misconfigured


def test_a_token_serves_many_threads_and_is_renewed_before_it_ends() -> None:
    graph = Graph()
    with peer(graph) as made:
        sender = mail(made)
        threads = [
            threading.Thread(target=sender.hand_over, args=(order(), Marks())) for _ in range(8)
        ]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert (sends(made), graph.tokens) == (8, 1)
        graph.lifetime = 0
        short = mail(made)
        short.hand_over(order(), Marks())
        assert graph.tokens > 2


def test_the_name_after_sending_comes_first_and_both_are_kept() -> None:
    renamed = draft(isDraft=False, internetMessageId="<renamed@exchange.example>")
    with peer(Graph().when("/messages/draft-1?", answer(200, renamed))) as made:
        accepted = mail(made).hand_over(order(), Marks())
    assert accepted.provider_message_id == "<renamed@exchange.example>"
    assert accepted.detail["internetMessageIds"] == [
        "<renamed@exchange.example>",
        "<one@contoso.example>",
    ]


@pytest.mark.parametrize("reply", [error(404, "ErrorItemNotFound"), Answer(raw=b"")])
def test_reading_the_name_again_is_never_a_reason_to_fail(reply: Answer) -> None:
    with peer(Graph().when("/messages/draft-1?", reply)) as made:
        accepted = mail(made).hand_over(order(), Marks())
    assert accepted.provider_message_id == "<one@contoso.example>"


def upload_session(made: Peer, rejects: dict[int, Answer]) -> Graph:
    """A session that takes pieces in order; 299 in `rejects[n]` takes the nth and says nothing."""
    kept, puts = 0, 0

    def rule(asked: Asked) -> Answer | None:
        nonlocal kept, puts
        if asked.target.endswith("/createUploadSession"):
            kept = 0
            return answer(201, {"uploadUrl": f"{made.url}/up", "nextExpectedRanges": ["0-"]})
        if asked.target != "/up":
            return None
        assert "authorization" not in asked.headers
        if asked.method == "GET":
            return answer(200, {"nextExpectedRanges": [f"{kept}-8999999"]})
        puts += 1
        assert len(asked.body) <= 4_000_000
        if (reject := rejects.get(puts)) is not None and reject.status != 299:
            return reject
        unit, _, rest = asked.headers["content-range"].partition(" ")
        span, _, total = rest.partition("/")
        start, _, end = span.partition("-")
        assert (unit, int(start), total) == ("bytes", kept, "9000000")
        kept = int(end) + 1
        if puts in rejects:  # taken, but the answer is lost
            return Answer(raw=b"")
        if kept == 9_000_000:
            return Answer(201, b"", {"Location": f"{made.url}/attachment"})
        return answer(200, {"nextExpectedRanges": [f"{kept}-"]})

    return Graph([rule])


@pytest.mark.parametrize(
    "rejects",
    [
        {},
        {2: Answer(raw=b"")},  # not taken, no answer
        {2: Answer(299)},  # taken, no answer
        {3: Answer(299)},  # the last one taken, no answer
        {1: error(503, "ServiceUnavailable"), 2: error(504, "UnknownError")},
        {2: error(416, "InvalidRange")},
        {2: error(404, "ErrorItemNotFound")},  # the session is gone: begin another
    ],
)
def test_an_upload_goes_on_where_graph_says(rejects: dict[int, Answer]) -> None:
    with peer(lambda asked: graph(asked)) as made:
        graph = upload_session(made, rejects)
        mail(made).hand_over(order(attachments=[LARGE]), Marks())
    assert sends(made) == 1


def test_a_session_that_ended_unheard_attaches_its_file_once() -> None:
    """Graph forgets a session that is complete: that it is gone does not mean begin again."""
    there: list[str] = []

    def rule(asked: Asked) -> Answer | None:
        if asked.target.endswith("/createUploadSession"):
            return answer(201, {"uploadUrl": f"{made.url}/up", "nextExpectedRanges": ["0-"]})
        if "/attachments?" in asked.target:
            return answer(200, {"value": [{"id": name, "name": name} for name in there]})
        if asked.target != "/up":
            return None
        if asked.method == "PUT" and asked.headers["content-range"].endswith("-8999999/9000000"):
            there.append(LARGE.file_name)
            return Answer(raw=b"")  # taken, no answer
        if asked.method == "PUT":
            end = asked.headers["content-range"].partition("-")[2].partition("/")[0]
            return answer(200, {"nextExpectedRanges": [f"{int(end) + 1}-"]})
        return error(404, "ErrorItemNotFound")

    with peer(Graph([rule])) as made:
        marks = Marks()
        with pytest.raises(ProviderFailure) as failed:
            mail(made).hand_over(order(attachments=[LARGE]), marks)
        assert not failed.value.unknown
        assert "send" not in marks.made
        mail(made).hand_over(
            order(attachments=[LARGE], draft_id="draft-1", first_call=False), Marks()
        )
    assert there == [LARGE.file_name]
    assert sends(made) == 1


def test_every_piece_but_the_last_is_a_multiple_of_320_kib() -> None:
    with peer(lambda asked: graph(asked)) as made:
        graph = upload_session(made, {})
        mail(made).hand_over(order(attachments=[LARGE]), Marks())
    pieces = [len(asked.body) for asked in made.asked if asked.method == "PUT"]
    assert sum(pieces) == 9_000_000
    assert all(size % (320 * 1024) == 0 and size <= 4_000_000 for size in pieces[:-1])


def test_an_upload_that_cannot_be_done_now_sends_nothing() -> None:
    with peer(lambda asked: graph(asked)) as made:
        graph = upload_session(made, {1: error(429, "Throttled", **{"Retry-After": "9"})})
        marks = Marks()
        with pytest.raises(ProviderFailure) as failed:
            mail(made).hand_over(order(attachments=[LARGE]), marks)
    assert (failed.value.retry_after, failed.value.unknown) == (9.0, False)
    assert "send" not in marks.made
    assert sends(made) == 0


def test_a_link_to_another_host_gets_no_token() -> None:
    graph = Graph().when(
        "$filter", answer(200, {"value": [], "@odata.nextLink": "https://evil.example/v1.0/x"})
    )
    with peer(graph) as made, pytest.raises(ProviderFailure, match="another host"):
        mail(made).hand_over(order(first_call=False), Marks())


def test_a_forgotten_delta_link_is_replaced_by_a_full_pass() -> None:
    with peer(lambda asked: graph(asked)) as made:
        whole = {"value": [{"id": "m1"}], "@odata.deltaLink": f"{made.url}/v1.0/new"}
        graph = Graph().when("/old", error(410, "SyncStateNotFound"))
        graph.when("/delta", answer(200, whole))
        found = mail(made).inbox_changes("bills@contoso.example", f"{made.url}/v1.0/old")
    assert found.restarted
    assert found.delta_link.endswith("/new")
    assert [each.id for each in found.messages] == ["m1"]


def test_settings_that_lack_something_name_it() -> None:
    class Settings:
        GRAPH_BASE_URL = "https://graph.microsoft.com/v1.0"
        GRAPH_AUTHORITY = "https://login.microsoftonline.com"
        GRAPH_TENANT_ID = "t"
        GRAPH_CLIENT_ID = ""
        GRAPH_CLIENT_SECRET = None

    with pytest.raises(ProviderFailure, match="GRAPH_CLIENT_ID, TRACKCENTER_GRAPH_CLIENT_SECRET"):
        GraphConfig.from_settings(Settings)
