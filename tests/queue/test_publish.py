import psycopg
import pytest
from django.db import connection, transaction
from procrastinate.contrib.django import app

from tests.queue.jobs import jobs
from trackcenter.kit.ids import new_id
from trackcenter.queue.payloads import (
    BulkResendJob,
    ExportJob,
    ReceiptJob,
    SendBatchJob,
    SendCommunicationJob,
)
from trackcenter.queue.publish import CHANNEL_QUEUES, QUEUES, RELAY, publish


@pytest.mark.django_db
def test_every_message_has_its_task_and_queue() -> None:
    one = new_id()
    count = publish(
        [
            *(SendCommunicationJob(one, channel) for channel in CHANNEL_QUEUES),  # type: ignore[arg-type]
            SendBatchJob(one),
            BulkResendJob(one),
            ExportJob(one),
            ReceiptJob(one),
        ]
    )
    assert count == 8
    assert {(job.task, job.queue) for job in jobs()} == {
        ("deliver", "email"),
        ("deliver", "sms"),
        ("deliver", "letter"),
        ("deliver", "letter-with-receipt"),
        ("send-batch", "maintenance"),
        ("bulk-resend", "maintenance"),
        ("write-export", "export"),
        ("apply-receipt", "receipts"),
    }
    assert {job.queue for job in jobs()} == set(QUEUES) - {RELAY}


@pytest.mark.django_db
def test_a_message_says_no_more_than_it_must() -> None:
    one = new_id()
    publish([SendCommunicationJob(one, "SMS")])
    assert jobs()[0].message == {"communicationId": str(one), "channel": "SMS"}


@pytest.mark.django_db
def test_nothing_to_publish_is_nothing() -> None:
    assert publish([]) == 0
    assert jobs() == []


@pytest.mark.django_db(transaction=True)
def test_a_job_without_the_fact_it_is_for_is_refused() -> None:
    with pytest.raises(RuntimeError, match="inside the transaction"):
        publish([ExportJob(new_id())])
    assert jobs() == []


def seen_by_others() -> int:
    """How many jobs another session sees."""
    given = {
        key: value
        for key, value in connection.get_connection_params().items()
        if key in ("host", "port", "user", "password", "dbname") and value
    }
    with psycopg.connect(**given) as other:
        (count,) = other.execute("SELECT count(*) FROM procrastinate_jobs").fetchone() or (None,)
    return int(count)


@pytest.mark.django_db(transaction=True)
def test_a_job_is_invisible_until_the_commit() -> None:
    with transaction.atomic():
        publish([ExportJob(new_id()), ExportJob(new_id())])
        assert len(jobs()) == 2
        assert seen_by_others() == 0
    assert seen_by_others() == 2


@pytest.mark.django_db(transaction=True)
def test_a_rollback_takes_the_job_with_it() -> None:
    @transaction.atomic
    def changes_its_mind() -> None:
        publish([ExportJob(new_id())])
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        changes_its_mind()
    assert seen_by_others() == 0


@pytest.mark.django_db(transaction=True)
def test_inside_a_worker_too_a_job_belongs_to_the_transaction_that_decided_it() -> None:
    @transaction.atomic
    def decide_otherwise() -> None:
        publish([ReceiptJob(new_id())])
        assert len(jobs()) == 1
        raise ZeroDivisionError

    with app.replace_connector(app.connector.get_worker_connector()):  # as a worker does
        with pytest.raises(ZeroDivisionError):
            decide_otherwise()
        assert jobs() == []
