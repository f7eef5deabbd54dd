"""What the delivery worker and every provider agree on.

A provider is anything with `hand_over(order, marks) -> Accepted`. It is called again with the
same attempt after a crash, a lost reply or a refusal, and must then find out what became of the
earlier call before it sends anything: at most one message ever leaves for one attempt.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol, TypeVar
from uuid import UUID


@dataclass(eq=False)
class ProviderFailure(Exception):
    """The message was not handed over, or nobody can tell.

    - `permanent`: asking again with the same message cannot help.
    - `misconfigured`: our side must be mended first (secret, permission, mailbox). Not the
      message's fault, so never permanent; retry slowly and tell an administrator.
    - `unknown`: the provider may have accepted the message, in this call or an earlier one. The
      attempt keeps its `send_started_at`. Where `unknown` is false nothing was accepted, and the
      worker clears `send_started_at` in the transaction that records the failure.
    - `retry_after`: seconds the provider asked us to wait, None when it named none.
    - `code`, `raw`, `status`: the provider's own code, its whole answer and the HTTP status, for
      the timeline and support.
    """

    message: str
    permanent: bool = False
    code: str | None = None
    raw: str = ""
    retry_after: float | None = None
    unknown: bool = False
    misconfigured: bool = False
    status: int | None = None

    def __post_init__(self) -> None:
        super().__init__(self.message)

    def __str__(self) -> str:
        return self.message


@dataclass(eq=False)
class OutcomeUnknown(ProviderFailure):
    """A look-up was made and could not tell what became of an earlier send.

    Nothing was sent and nothing will be: the worker calls again with growing pauses, and each
    call only looks. `final` means that looking again is pointless. Either way the end is a FAILED
    event with outcome UNKNOWN, for a person to decide.
    """

    unknown: bool = True
    final: bool = False


Failure = TypeVar("Failure", bound=ProviderFailure)


def still_unknown(failure: Failure) -> Failure:
    """The same failure, met while an earlier send is unresolved: it settles nothing."""
    return replace(failure, unknown=True, permanent=False)


class LostClaim(Exception):
    """Another worker holds the attempt now: stop at once, touch nothing, report nothing."""


class Marks(Protocol):
    """Progress of one attempt. Each call commits before it returns; LostClaim stops the send."""

    def draft_created(
        self, *, draft_id: str, internet_message_id: str, sends: bool = False
    ) -> None:
        """The provider holds a draft that it will know by these ids.

        With `sends` it is `send_started` too: one commit where nothing lies between the two.
        """

    def send_started(self) -> None:
        """From here on the message may have left. A repeat keeps the time of the first."""


class AttachmentContent(Protocol):
    """A file of a message; `channels.rendered.RenderedAttachment` is one."""

    @property
    def file_name(self) -> str: ...
    @property
    def content_type(self) -> str: ...
    @property
    def content(self) -> bytes: ...
    @property
    def content_id(self) -> str | None:
        """Of a picture that the HTML shows by `cid:`; None for a file to be opened."""


@dataclass(frozen=True)
class EmailOrder:
    """One e-mail to one person, and how far an earlier call for the same attempt got.

    `draft_id`, `internet_message_id` and `send_started_at` are what the marks stored (None until
    then); `first_call` is true only when no earlier call for this attempt was ever begun.
    """

    attempt_id: UUID
    mailbox: str
    from_name: str
    to_address: str
    to_name: str
    subject: str
    html: str
    text: str
    reply_to: str | None = None
    attachments: Sequence[AttachmentContent] = ()
    draft_id: str | None = None
    internet_message_id: str | None = None
    send_started_at: datetime | None = None
    first_call: bool = True


@dataclass(frozen=True)
class SmsOrder:
    """One text message to one E.164 number.

    `repeatability_id` belongs to the attempt for ever. `repeatability_first_sent` (aware) is the
    time of the claim that first calls the provider. It stays with the attempt; only when it is old
    and `send_started_at` None (whatever was asked was refused) may the worker move it forward,
    since the provider's window counts from it.
    """

    attempt_id: UUID
    repeatability_id: UUID
    repeatability_first_sent: datetime
    sender: str
    to: str
    text: str
    send_started_at: datetime | None = None


@dataclass(frozen=True)
class Accepted:
    """The provider took the message; that is not delivery.

    `provider_message_id` is what its receipts will quote: the Internet message id of a Graph
    mail, the message id of Azure Communication Services.
    """

    provider: str
    provider_message_id: str
    detail: Mapping[str, Any] = field(default_factory=dict)


def needs(value: str, setting: str) -> None:
    """ProviderFailure(misconfigured) that names the setting when the order lacks its sender."""
    if not value:
        raise ProviderFailure(
            f"There is nobody to send from: {setting} is not set.",
            code="configuration",
            misconfigured=True,
        )


class EmailProvider(Protocol):
    """Sends mail."""

    def hand_over(self, order: EmailOrder, marks: Marks) -> Accepted: ...


class SmsProvider(Protocol):
    """Sends text messages."""

    def hand_over(self, order: SmsOrder, marks: Marks) -> Accepted: ...
