"""What the one suite needs from each provider: how to make it, an order for it, and its inbox.

A new provider adds a rig here and nothing else.
"""

import base64
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from tests.sandbox.fixture import MAILBOX, RunningSandbox
from trackcenter.channels.rendered import RenderedAttachment
from trackcenter.kit.clock import now
from trackcenter.kit.ids import new_id
from trackcenter.providers.acs.config import AcsConfig
from trackcenter.providers.acs.email import AcsEmail
from trackcenter.providers.acs.sms import AcsSms
from trackcenter.providers.base import (
    Accepted,
    EmailOrder,
    LostClaim,
    OutcomeUnknown,
    ProviderFailure,
    SmsOrder,
)
from trackcenter.providers.msgraph.config import GraphConfig
from trackcenter.providers.msgraph.mail import GraphMail
from trackcenter.providers.wire import Pool, Reply
from trackcenter.sandbox.options import ACS_ACCESS_KEY, CLIENT_ID, CLIENT_SECRET, TENANT_ID

PDF = RenderedAttachment(
    "statement.pdf", "application/pdf", b"%PDF-1.7 " + b"x" * 2000, "STATEMENT"
)


class Crash(BaseException):
    """The worker's death, at the chosen line."""


@dataclass
class CrashPoint:
    """Dies at the nth thing that leaves the process; counts requests and marks alike.

    Odd numbers die before the thing is done, even ones after it was done and before its result
    was seen; 0 never dies.
    """

    at: int = 0
    passed: int = 0

    def step(self) -> None:
        self.passed += 1
        if self.passed == self.at:
            raise Crash


@dataclass
class Takeover(CrashPoint):
    """Another worker takes the attempt over at that line and works it to the end."""

    slow: "Rig | None" = None
    quick: "Rig | None" = None
    result: Accepted | None = None

    def step(self) -> None:
        self.passed += 1
        if self.passed == self.at and self.slow is not None and self.quick is not None:
            self.slow.marks.stolen = True
            self.quick.attempt_id = self.slow.attempt_id
            self.quick.marks.stored = self.slow.marks.stored
            self.quick.calls = self.slow.calls
            self.result = self.quick.work()


class CrashingPool(Pool):
    """Real requests, with a crash before or after one of them."""

    def __init__(self, crash: CrashPoint) -> None:
        super().__init__(read_seconds=10)
        self._crash = crash

    def call(self, method: str, url: str, *, headers: Mapping[str, str], **more: Any) -> Reply:
        self._crash.step()
        reply = super().call(method, url, headers=headers, **more)
        self._crash.step()
        return reply


class StoredMarks:
    """The attempt's row: what is stored survives a crash, and a stolen claim stops the send."""

    def __init__(self) -> None:
        self.stored: dict[str, Any] = {}
        self.crash = CrashPoint()
        self.stolen = False

    def draft_created(
        self, *, draft_id: str, internet_message_id: str, sends: bool = False
    ) -> None:
        started = self._started() if sends else {}
        self._store(draft_id=draft_id, internet_message_id=internet_message_id, **started)

    def send_started(self) -> None:
        self._store(**self._started())

    def _started(self) -> dict[str, Any]:
        return {"send_started_at": self.stored.get("send_started_at") or now()}

    def _store(self, **values: Any) -> None:
        self.crash.step()
        if self.stolen:
            raise LostClaim
        self.stored.update(values)
        self.crash.step()


class Rig(ABC):
    """One provider, one attempt, and a worker that does what the delivery worker does."""

    name: str
    always_tells = True
    """Whether a crash just before the send can be told from one just after it."""

    def __init__(self, sandbox: RunningSandbox) -> None:
        self.sandbox = sandbox
        self.attempt_id = new_id()
        self.marks = StoredMarks()
        self.calls = 0

    @abstractmethod
    def provider(self, pool: Pool) -> Any: ...

    @abstractmethod
    def order(self) -> Any: ...

    def hand_over(self, crash: CrashPoint | None = None) -> Accepted:
        """One call by a new process."""
        self.marks.crash = crash or CrashPoint()
        pool = CrashingPool(self.marks.crash)
        self.calls += 1
        return self.provider(pool).hand_over(self.order(), self.marks)  # type: ignore[no-any-return]

    def work(self, crash: CrashPoint | None = None) -> Accepted | None:
        """Call until the message was accepted; None when its outcome stays unknown.

        `crash` strikes the first call only.
        """
        ends = time.monotonic() + (3.0 if self.always_tells else 0.2)
        pause = threading.Event()
        while True:
            strike, crash = crash, None
            try:
                return self.hand_over(strike)
            except Crash:
                continue
            except ProviderFailure as failure:
                if failure.permanent:
                    raise
                if isinstance(failure, OutcomeUnknown):
                    if failure.final or time.monotonic() > ends:
                        return None
                elif time.monotonic() > ends + 20:
                    raise
                if not failure.unknown:
                    self.marks.stored.pop("send_started_at", None)
            pause.wait(0.02)

    def accepted(self) -> list[dict[str, Any]]:
        """What the provider accepted for this attempt."""
        key = str(self.attempt_id)
        return [each for each in self.sandbox.messages() if each["idempotencyKey"] == key]


class GraphRig(Rig):
    name = "msgraph mail"

    def __init__(self, sandbox: RunningSandbox) -> None:
        super().__init__(sandbox)
        self.attachments: tuple[RenderedAttachment, ...] = (PDF,)
        self.to = "tenant@example.net"

    def provider(self, pool: Pool) -> GraphMail:
        return GraphMail(graph_config(self.sandbox), pool)

    def order(self) -> EmailOrder:
        return EmailOrder(
            attempt_id=self.attempt_id,
            mailbox=MAILBOX,
            from_name="Contoso Bills",
            reply_to="office@example.org",
            to_address=self.to,
            to_name="Jürgen Müller",
            subject="Abrechnung 2025",
            html="<p>Guten Tag</p>",
            text="Guten Tag",
            attachments=self.attachments,
            first_call=self.calls == 1,
            **self.marks.stored,
        )


class AcsMailRig(Rig):
    name = "acs mail"
    always_tells = False

    def provider(self, pool: Pool) -> AcsEmail:
        return AcsEmail(acs_config(self.sandbox), pool)

    def order(self) -> EmailOrder:
        return EmailOrder(
            attempt_id=self.attempt_id,
            mailbox="bills@contoso.example",
            from_name="",
            reply_to="office@example.org",
            to_address="tenant@example.net",
            to_name="Jürgen Müller",
            subject="Abrechnung 2025",
            html="<p>Guten Tag</p>",
            text="Guten Tag",
            attachments=(PDF,),
            first_call=self.calls == 1,
            **self.marks.stored,
        )


class AcsSmsRig(Rig):
    name = "acs sms"

    def __init__(self, sandbox: RunningSandbox) -> None:
        super().__init__(sandbox)
        self.to = "+4915112345678"
        self.age = timedelta()

    def provider(self, pool: Pool) -> AcsSms:
        return AcsSms(acs_config(self.sandbox), pool, clock=lambda: now() + self.age)

    def order(self) -> SmsOrder:
        return SmsOrder(
            attempt_id=self.attempt_id,
            repeatability_id=self.attempt_id,
            repeatability_first_sent=self.marks.stored.get("send_started_at") or now(),
            sender="+4930123456",
            to=self.to,
            text="Ihre Abrechnung ist da.",
            send_started_at=self.marks.stored.get("send_started_at"),
        )


RIGS: list[type[Rig]] = [GraphRig, AcsMailRig, AcsSmsRig]


def graph_config(sandbox: RunningSandbox) -> GraphConfig:
    return GraphConfig(
        base_url=f"{sandbox.url}/v1.0",
        authority=sandbox.url,
        tenant_id=TENANT_ID,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
    )


def acs_config(sandbox: RunningSandbox) -> AcsConfig:
    return AcsConfig(sandbox.url, base64.b64decode(ACS_ACCESS_KEY))


def with_wrong_secret(sandbox: RunningSandbox) -> tuple[GraphConfig, AcsConfig]:
    """Credentials that the sandbox refuses."""
    graph = replace(graph_config(sandbox), client_secret="wrong")
    return graph, replace(acs_config(sandbox), key=b"wrong")
