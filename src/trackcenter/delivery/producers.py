"""What other producers may ask for by a message of their own."""

from django.db import transaction

from trackcenter.access.models import User
from trackcenter.communications.models import Communication
from trackcenter.communications.services import OBSTACLES, enqueue, resend_all
from trackcenter.delivery.models import ProducerResend
from trackcenter.queue.payloads import MalformedMessage, SendCommunicationJob


@transaction.atomic
def accept(job: SendCommunicationJob, source: str) -> bool:
    """Open the attempt that another producer's message asks for: the first one of what was never
    sent, or the next one for a `resend`, once a `source`.

    True when it was opened: with it came a job of ours, and the message has done its work. False
    when there is an attempt already, which is the one asked for. Raises `MalformedMessage` for what
    can never be: no such communication or user, another channel, nothing that could be resent.
    """
    communication = (
        Communication.objects.select_for_update(of=("self",))
        .select_related("snapshot")
        .filter(id=job.communication_id)
        .first()
    )
    if communication is None:
        raise MalformedMessage(f"there is no communication {job.communication_id}")
    if job.resend:
        known = ProducerResend.objects.filter(source=source).exists()
    else:
        known = communication.delivery_status != "PENDING"
    if known:
        return False
    if job.channel != communication.channel:
        raise MalformedMessage(
            f"the communication goes by {communication.channel}, not by {job.channel}"
        )
    if job.initiated_by_id and not User.objects.filter(id=job.initiated_by_id).exists():
        raise MalformedMessage(f"there is no user {job.initiated_by_id}")
    if not job.resend:
        enqueue([communication], user_id=job.initiated_by_id)
        return True
    waits = communication.delivery_status == "ENQUEUED"
    if not waits:
        _resend(communication, job)
    attempt = communication.attempts.order_by("-number")[:1].get()
    ProducerResend.objects.create(source=source, attempt=attempt)
    return not waits


def _resend(communication: Communication, job: SendCommunicationJob) -> None:
    left = resend_all([communication], through=None, note=None, user_id=job.initiated_by_id)
    if left:
        raise MalformedMessage(OBSTACLES[left[communication.id]])
