"""One report a request over eight connections, against django-anymail and bare PostgreSQL.

Every candidate acknowledges after its commit and does the same two writes into the same tables:
the report, once, and a job for whoever reads it. The goals: three times django-anymail's Mailgun
webhook, and 0.30 of bare PostgreSQL.
"""

import argparse
from collections.abc import Sequence
from uuid import UUID, uuid4

from benchmarks.hooks import (
    ANYMAIL,
    CONNECTIONS,
    OUR_HEADERS,
    OURS,
    Place,
    Round,
    a_place,
    anymail_server,
    keys,
    mailgun_event,
    our_server,
    push,
    ratio,
    show,
    sms_event,
    together,
)


def bare(place: Place, names: Sequence[str]) -> Round:
    """The two INSERTs and a commit, over eight connections, and nothing else."""
    import json

    import psycopg

    body = json.dumps(sms_event("x")).encode()

    def work(share: Sequence[str]) -> None:
        with psycopg.connect(place.url) as connection:
            for name in share:
                with connection.transaction():
                    receipt: UUID = uuid4()
                    connection.execute(
                        "INSERT INTO inbound_receipts (id, origin, dedupe_key, body, received_at, "
                        "state, reason, correlation) VALUES (%s, 'bare', %s, %s, now(), 'NEW', '', "
                        "'[]') ON CONFLICT (origin, dedupe_key) DO NOTHING",
                        [receipt, name, body],
                    )
                    connection.execute(
                        "INSERT INTO procrastinate_jobs (queue_name, task_name, args) "
                        "VALUES ('receipts', 'apply-receipt', %s::jsonb)",
                        [json.dumps({"receiptId": str(receipt)})],
                    )

    seconds = together(work, [names[start::CONNECTIONS] for start in range(CONNECTIONS)])
    return Round(len(names) / seconds, 0.0)


def main() -> None:
    """Measure in turns and print."""
    parser = argparse.ArgumentParser(prog="trackcenter bench ingest", description=__doc__)
    parser.add_argument("--reports", type=int, default=2000, help="of each candidate, each round")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    count: int = options.reports
    ours: list[Round] = []
    peers: list[Round] = []
    plain: list[Round] = []
    with a_place() as place, our_server(place) as own, anymail_server(place) as anymail:
        import json

        for number in range(options.rounds + 1):
            bodies = [json.dumps([sms_event(key)]).encode() for key in keys(count)]
            signed = [mailgun_event(key) for key in keys(count)]
            taken = (
                push(own, OURS, bodies, OUR_HEADERS),
                push(anymail, ANYMAIL, signed),
                bare(place, keys(count)),
            )
            if number:  # the first round only warms up
                for rounds, one in zip((ours, peers, plain), taken, strict=True):
                    rounds.append(one)
    print(f"{count:,} reports over {CONNECTIONS} connections, {options.rounds} rounds")
    show("Track Center", ours)
    show("django-anymail", peers)
    show("bare PostgreSQL", plain)
    print(f"  ours / django-anymail  {ratio(ours, peers):5.2f}×   (goal 3×)")
    print(f"  ours / bare PostgreSQL {ratio(ours, plain):5.2f}×   (goal 0.30×)")


if __name__ == "__main__":
    main()
