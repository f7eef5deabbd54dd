"""What rendering gives back: finished messages, ready for a provider."""

from dataclasses import dataclass
from typing import Literal

SmsEncoding = Literal["GSM-7", "UCS-2"]


@dataclass(frozen=True, slots=True)
class RenderedAttachment:
    """One file of a message; `kind` is the contract's (`STATEMENT`, `LETTER`, …).

    A picture within the text has a `content_id` (RFC 2392), by which the text refers to it.
    """

    file_name: str
    content_type: str
    content: bytes
    kind: str
    content_id: str | None = None


@dataclass(frozen=True, slots=True)
class RenderedEmail:
    """An e-mail in both forms. `subject` is one line without control characters.

    Pictures are part of the HTML (`data:` addresses), so that it can be shown as it stands; what
    leaves is `channels.email.for_mailboxes` of it.
    """

    subject: str
    html: str
    text: str
    attachments: tuple[RenderedAttachment, ...] = ()


@dataclass(frozen=True, slots=True)
class RenderedSms:
    """An SMS text and what it costs: its encoding and the number of segments it is billed as."""

    text: str
    encoding: SmsEncoding
    segments: int
