"""A program that uses the database of a folder until its standard input ends.

Started by the tests as a process of its own: `python one_user.py DATA [ACCOUNT]`. It prints one
line of JSON when the database answers, and another one when it has released it.
"""

import json
import signal
import sys
from pathlib import Path

from trackcenter import embedded


def say(**values: str | int | bool) -> None:
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()


# As the demo does: Ctrl-C is a request to finish, noticed in due time.
signal.signal(signal.SIGINT, lambda *_: sys.stderr.write("interrupted\n"))

data, account = Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None
try:
    with embedded.running(data, account=account) as server:
        say(
            app_url=server.app_url,
            superuser_url=server.superuser_url,
            postmaster=server.postmaster_pid,
            supervisor=server.supervisor_pid,
        )
        sys.stdin.read()
    say(released=True)
except embedded.EmbeddedError as problem:
    say(error=str(problem))
