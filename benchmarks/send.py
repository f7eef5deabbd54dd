"""Mails with a 50 KB PDF to a stub of Graph, against django-post-office to an SMTP sink.

Both sides have the finished message, take it from PostgreSQL's queue table, hand it over by four
threads and write down what became of it; ours also keeps its marks and its events. Graph takes
three requests a mail where SMTP takes one conversation. The goal: three times the peer.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.hooks import ROOT, Place, Round, a_place, ratio, show
from benchmarks.peers import python_with

THREADS = 4
"""Graph's own limit on calls at once."""

PEER = ("django>=5.2,<5.3", "django-post-office==3.12.0", "psycopg[binary]==3.3.9")


@contextmanager
def stubs() -> Iterator[dict[str, int]]:
    """Both servers in a process of their own; their ports."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.stubs"], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.wait()


def ours(count: int) -> None:
    """In a process of its own: queue mails, then work them; prints what the work took."""
    import django

    django.setup()
    from django.conf import settings
    from django.db import connection, transaction

    from benchmarks.send_message import HTML, PDF, SUBJECT, TEXT
    from tests.communications.factories import a_bill
    from trackcenter.channels.rendered import RenderedAttachment
    from trackcenter.communications.services import enqueue
    from trackcenter.delivery import record
    from trackcenter.delivery.claim import SavedMarks, take
    from trackcenter.delivery.slots import graph_slot
    from trackcenter.providers import registry
    from trackcenter.providers.base import EmailOrder
    from trackcenter.queue.payloads import SendCommunicationJob

    attached = RenderedAttachment("statement.pdf", "application/pdf", PDF, "STATEMENT")
    with transaction.atomic():
        building = f"B{os.getpid()}"
        bills = [a_bill("EMAIL", building=building, unit=str(n))[0] for n in range(count)]
        enqueue(bills, user_id=None)

    def send(bill_id: object) -> None:
        with graph_slot():
            claim = take(SendCommunicationJob(bill_id, "EMAIL"))  # type: ignore[arg-type]
            assert claim is not None
            order = EmailOrder(
                attempt_id=claim.attempt.id,
                mailbox=claim.sender,
                from_name="Bills",
                to_address=claim.email,
                to_name="Resident",
                subject=SUBJECT,
                html=HTML,
                text=TEXT,
                attachments=(attached,),
                first_call=claim.first_call,
            )
            provider = registry.email_provider(settings)
            record.accepted(claim, provider.hand_over(order, SavedMarks(claim)))

    def work(share: list[object]) -> None:
        for bill_id in share:
            send(bill_id)
        connection.close()

    ids: list[object] = [bill.id for bill in bills]
    threads = [threading.Thread(target=work, args=(ids[n::THREADS],)) for n in range(THREADS)]
    begun, cpu = time.perf_counter(), time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds, used = time.perf_counter() - begun, time.process_time() - cpu
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM communications JOIN buildings ON buildings.id = building_id "
            "WHERE code = %s AND delivery_status = 'SENT'",
            [building],
        )
        assert cursor.fetchone() == (count,)
    print(json.dumps({"seconds": seconds, "cpu": used}))


def a_round(command: list[str], environment: dict[str, str], count: int) -> Round:
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    took = json.loads(done.stdout.splitlines()[-1])
    return Round(count / took["seconds"], 1000 * took["cpu"] / count)


def measure(place: Place, ports: dict[str, int], count: int, rounds: int) -> None:
    """Both sides in turns."""
    environment = {
        **place.environment,
        "TRACKCENTER_GRAPH_BASE_URL": f"http://127.0.0.1:{ports['graph']}/v1.0",
        "TRACKCENTER_GRAPH_AUTHORITY": f"http://127.0.0.1:{ports['graph']}",
        "TRACKCENTER_GRAPH_TENANT_ID": "t",
        "TRACKCENTER_GRAPH_CLIENT_ID": "c",
        "TRACKCENTER_GRAPH_CLIENT_SECRET": "s",
        "TRACKCENTER_GRAPH_MAILBOX": "bills@example.org",
        "TRACKCENTER_LOG_LEVEL": "WARNING",
    }
    own = [sys.executable, "-m", "benchmarks.send", "--ours", str(count)]
    python = python_with("post-office", *PEER)
    mine: list[Round] = []
    theirs: list[Round] = []
    with tempfile.TemporaryDirectory() as folder:
        arguments = [place.url, str(ports["smtp"]), str(count), str(THREADS), folder]
        peer = [str(python), "-m", "benchmarks.peer_post_office", *arguments]
        for _ in range(rounds):
            mine.append(a_round(own, environment, count))
            theirs.append(a_round(peer, {**os.environ, "PYTHONPATH": str(ROOT)}, count))
    print(f"{count:,} mails by {THREADS} threads, {rounds} rounds")
    show("Track Center", mine, "mails")
    show("django-post-office", theirs, "mails")
    cpu = statistics.median(a.cpu_ms / b.cpu_ms for a, b in zip(theirs, mine, strict=True))
    print(f"  ours / django-post-office {ratio(mine, theirs):5.2f}×   (goal 3×; CPU {cpu:.2f}×)")


def main() -> None:
    """Measure in turns and print."""
    parser = argparse.ArgumentParser(prog="trackcenter bench send", description=__doc__)
    parser.add_argument("--ours", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--mails", type=int, default=500, help="of each side, each round")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    if options.ours:
        ours(options.ours)
        return
    with a_place() as place, stubs() as ports:
        measure(place, ports, options.mails, options.rounds)


if __name__ == "__main__":
    main()
