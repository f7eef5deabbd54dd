"""The queue's messages, as the plan names them: they carry ids, not things."""

from typing import Literal, TypeVar
from uuid import UUID

import msgspec

from trackcenter.kit.errors import TrackCenterError

ChannelWord = Literal["EMAIL", "SMS", "LETTER", "LETTER_WITH_RECEIPT"]


class MalformedMessage(TrackCenterError):
    """A message that can never be worked: it is dead-lettered with this reason."""

    permanent = True


class SendCommunicationJob(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Send the newest attempt of a communication, whose channel must be this one."""

    communication_id: UUID
    channel: ChannelWord
    resend: bool = False
    initiated_by_id: UUID | None = None


class ExportJob(msgspec.Struct, frozen=True, rename="camel"):
    """Write one export."""

    export_id: UUID


class ReceiptJob(msgspec.Struct, frozen=True, rename="camel"):
    """Read and apply one stored receipt."""

    receipt_id: UUID


class SendBatchJob(msgspec.Struct, frozen=True, rename="camel"):
    """Enqueue what one stored request to send a batch asks for."""

    send_id: UUID


class BulkResendJob(msgspec.Struct, frozen=True, rename="camel"):
    """Resend what one stored request to resend many messages asks for."""

    resend_id: UUID


class PrintRunJob(msgspec.Struct, frozen=True, rename="camel"):
    """Make the files of one print run."""

    print_run_id: UUID


Message = SendCommunicationJob | SendBatchJob | BulkResendJob | PrintRunJob | ExportJob | ReceiptJob


M = TypeVar(
    "M", SendCommunicationJob, SendBatchJob, BulkResendJob, PrintRunJob, ExportJob, ReceiptJob
)


def read(kind: type[M], message: dict[str, object]) -> M:
    """A message from anybody as one of ours; extra keys are ignored, the rest must fit."""
    try:
        return msgspec.convert(message, kind)
    except msgspec.ValidationError as error:
        raise MalformedMessage(f"not a {kind.__name__}: {error}") from error
