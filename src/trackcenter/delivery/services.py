"""One job, from claim to record."""

import logging
from contextlib import nullcontext
from datetime import datetime

from django.conf import settings
from django.db import transaction

from trackcenter import storage
from trackcenter.channels.email import for_mailboxes, render_email
from trackcenter.channels.errors import RenderError
from trackcenter.channels.language import text_language
from trackcenter.channels.rendered import RenderedAttachment, RenderedEmail
from trackcenter.channels.sender import Sender
from trackcenter.channels.sms import render_sms
from trackcenter.communications.models import Attachment, AttachmentKind
from trackcenter.communications.payloads import Trouble
from trackcenter.delivery import letters, record
from trackcenter.delivery.branding.selectors import (
    logo_for,
    sender_for,
    sms_wording_for,
    wording_for,
)
from trackcenter.delivery.claim import Claim, SavedMarks, lease_end, save, take
from trackcenter.delivery.senders import email_provider_of
from trackcenter.delivery.slots import graph_slot
from trackcenter.providers import registry
from trackcenter.providers.base import (
    Accepted,
    EmailOrder,
    LostClaim,
    ProviderFailure,
    SmsOrder,
)
from trackcenter.queue.payloads import SendCommunicationJob
from trackcenter.queue.retry import RetryAt

log = logging.getLogger(__name__)


def deliver(job: SendCommunicationJob) -> None:
    """Work one job. Safe to run any number of times, by any number of workers, after any crash.

    Raises `RetryAt` when it is to be run again later.
    """
    with graph_slot() if _goes_by_graph(job) else nullcontext():
        _deliver(job)


def _goes_by_graph(job: SendCommunicationJob) -> bool:
    return job.channel == "EMAIL" and settings.EMAIL_PROVIDER == "msgraph"


def _deliver(job: SendCommunicationJob) -> None:
    claim = take(job)
    if claim is None:
        return
    try:
        _work(claim)
    except LostClaim:
        # Whoever holds it now finishes it, or puts it off; for that, this job must still be there.
        log.warning("lost the claim", extra={"communication": str(job.communication_id)})
        raise RetryAt(lease_end(), "another worker took this attempt over") from None


def _work(claim: Claim) -> None:
    try:
        acceptance = _hand_over(claim)
    except RenderError as error:
        record.refused(claim, Trouble(code="RENDERING", message=str(error)))
    except ProviderFailure as trouble:
        record.failure(claim, trouble)
    else:
        record.accepted(claim, acceptance)


def _hand_over(claim: Claim) -> Accepted:
    if claim.attempt.channel == "EMAIL":
        provider = registry.email_provider(settings, email_provider_of(claim.attempt))
        return provider.hand_over(_email(claim), SavedMarks(claim))
    if claim.attempt.channel == "SMS":
        return registry.sms_provider(settings).hand_over(_sms(claim), SavedMarks(claim))
    return letters.make_letter(claim, sender=_sender(claim))


def _sender(claim: Claim) -> Sender:
    return sender_for(claim.snapshot, claim.communication.building_id)


def _language(claim: Claim) -> str:
    return text_language(claim.snapshot.language, claim.snapshot.country)


def _email(claim: Claim) -> EmailOrder:
    if not claim.email:
        raise RenderError("there is no e-mail address")
    attempt = claim.attempt
    sender = _sender(claim)
    way = {"mailbox": claim.sender, "provider": email_provider_of(attempt)}
    message = _written_email(claim)
    if message is None:
        message = _new_email(claim, sender, way)
    else:
        save(claim, **way)
    html, pictures = for_mailboxes(message.html)
    return EmailOrder(
        attempt_id=attempt.id,
        mailbox=attempt.mailbox,
        from_name=sender.name,
        reply_to=sender.reply_to,
        to_address=claim.email,
        to_name=claim.communication.recipient_name,
        subject=message.subject,
        html=html,
        text=message.text,
        attachments=(*message.attachments, *pictures),
        draft_id=attempt.draft_id or None,
        internet_message_id=attempt.internet_message_id or None,
        send_started_at=attempt.send_started_at,
        first_call=claim.first_call,
    )


def _written_email(claim: Claim) -> RenderedEmail | None:
    """What an earlier try of this attempt wrote.

    The provider may have that already, so no later change of the building's texts may make
    another message of it.
    """
    attempt = claim.attempt
    if not attempt.body_html_sha256:
        return None
    files = Attachment.objects.filter(attempt_id=attempt.id, kind=AttachmentKind.STATEMENT)
    return RenderedEmail(
        subject=attempt.subject,
        html=storage.open(attempt.body_html_sha256).decode(),
        text=storage.open(attempt.body_text_sha256).decode(),
        attachments=tuple(
            RenderedAttachment(
                file.file_name, file.content_type, storage.open(file.sha256), file.kind
            )
            for file in files
        ),
    )


def _new_email(claim: Claim, sender: Sender, way: dict[str, str]) -> RenderedEmail:
    wording = wording_for(claim.communication.building_id, _language(claim))
    statement = letters.make_statement(claim, sender=sender)
    message = render_email(
        claim.snapshot,
        sender=sender,
        wording=wording,
        logo=logo_for(claim.communication.building_id),
        attachments=[statement.as_attachment(AttachmentKind.STATEMENT)],
    )
    text = storage.save(message.text.encode(), content_type="text/plain")
    html = storage.save(message.html.encode(), content_type="text/html")
    with transaction.atomic():
        letters.attach(claim, message.attachments)
        save(
            claim,
            recipient=claim.email,
            subject=message.subject,
            document_code=statement.document_code,
            body_text_sha256=text,
            body_html_sha256=html,
            **way,
        )
    return message


def _sms(claim: Claim) -> SmsOrder:
    if not claim.phone:
        raise RenderError("there is no phone number")
    attempt = claim.attempt
    text = _written_sms(claim) or _new_sms(claim)
    return SmsOrder(
        attempt_id=attempt.id,
        repeatability_id=attempt.id,
        repeatability_first_sent=_aware(attempt.first_sent_at),
        sender=claim.sender,
        to=claim.phone,
        text=text,
        send_started_at=attempt.send_started_at,
    )


def _written_sms(claim: Claim) -> str | None:
    """What an earlier try of this attempt wrote: the provider may have that already."""
    sha256 = claim.attempt.body_text_sha256
    return storage.open(sha256).decode() if sha256 else None


def _new_sms(claim: Claim) -> str:
    wording = sms_wording_for(claim.communication.building_id, _language(claim))
    message = render_sms(claim.snapshot, sender=_sender(claim), wording=wording)
    save(
        claim,
        recipient=claim.phone,
        body_text_sha256=storage.save(message.text.encode(), content_type="text/plain"),
        sms_segments=message.segments,
    )
    return message.text


def _aware(moment: datetime | None) -> datetime:
    if moment is None:
        raise RuntimeError("a claimed attempt knows when it was first sent")
    return moment
