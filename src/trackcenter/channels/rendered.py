"""What rendering gives back: finished messages, ready for a provider."""

from dataclasses import dataclass
from typing import Literal

SmsEncoding = Literal["GSM-7", "UCS-2"]


@dataclass(frozen=True, slots=True)
class RenderedAttachment:
    """One file of a message; `kind` is the contract's (`STATEMENT`, `LETTER`, …)."""

    file_name: str
    content_type: str
    content: bytes
    kind: str


@dataclass(frozen=True, slots=True)
class RenderedEmail:
    """An e-mail in both forms. `subject` is one line without control characters."""

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
