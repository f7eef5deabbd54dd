"""The queue's way into the export worker."""

from typing import Any

from trackcenter.exports.services import write_export
from trackcenter.queue.payloads import ExportJob, read
from trackcenter.queue.publish import WRITE_EXPORT
from trackcenter.queue.tasks import task


@task(WRITE_EXPORT)
def write_export_job(**message: Any) -> None:
    """`ExportJob`, from our own publisher or anybody's."""
    write_export(read(ExportJob, message).export_id)
