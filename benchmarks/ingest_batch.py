"""A hundred reports a request, a tenth of them twice and some out of order, against django-anymail.

Event Grid pushes many reports in a body; Mailgun pushes each by itself, so the peer answers a
request a report. The writes are those of `bench ingest`. The goal: ten times django-anymail.
"""

import argparse
import json

from benchmarks.hooks import (
    ANYMAIL,
    CONNECTIONS,
    OUR_HEADERS,
    OURS,
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
)

BATCH = 100


def main() -> None:
    """Measure in turns and print."""
    parser = argparse.ArgumentParser(prog="trackcenter bench ingest-batch", description=__doc__)
    parser.add_argument("--reports", type=int, default=20_000, help="of ours, each round")
    parser.add_argument("--peer-reports", type=int, default=2_000, help="of the peer, each round")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    ours: list[Round] = []
    peers: list[Round] = []
    with a_place() as place, our_server(place) as own, anymail_server(place) as anymail:
        for number in range(options.rounds + 1):
            names = keys(options.reports, duplicates=0.10, misplaced=0.05)
            bodies = [
                json.dumps([sms_event(key) for key in names[start : start + BATCH]]).encode()
                for start in range(0, len(names), BATCH)
            ]
            mine = push(own, OURS, bodies, OUR_HEADERS)
            each = len(names) / len(bodies)
            theirs = push(
                anymail,
                ANYMAIL,
                [
                    mailgun_event(key)
                    for key in keys(options.peer_reports, duplicates=0.10, misplaced=0.05)
                ],
            )
            if number:  # the first round only warms up
                ours.append(Round(mine.per_second * each, mine.cpu_ms / each))
                peers.append(theirs)
    print(f"{BATCH} reports a request over {CONNECTIONS} connections, {options.rounds} rounds")
    show("Track Center", ours)
    show("django-anymail", peers)
    print(f"  ours / django-anymail  {ratio(ours, peers):5.2f}×   (goal 10×)")


if __name__ == "__main__":
    main()
