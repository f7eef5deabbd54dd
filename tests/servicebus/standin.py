"""The stand-in for Azure Service Bus (`tests/npm/servicebus.mjs`), as a process of its own."""

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tools import chromium, web


@dataclass(frozen=True)
class StandIn:
    """A running one: its ports, and what a test may ask of it."""

    amqp: int
    control: int

    @property
    def connection_string(self) -> str:
        return (
            f"Endpoint=sb://127.0.0.1:{self.amqp};SharedAccessKeyName=R;SharedAccessKey=K;"
            "UseDevelopmentEmulator=true;"
        )

    def topic(self, name: str) -> dict[str, Any]:
        """What a topic holds: counts, messages, dead letters."""
        found: dict[str, Any] = self.ask("state")["topics"][name]
        return found

    def counts(self, what: str) -> dict[str, int]:
        """One count of every topic where it is not zero: ready, locked, dead, completed, …"""
        topics = self.ask("state")["topics"]
        return {name: topic[what] for name, topic in topics.items() if topic[what]}

    def reset(self) -> None:
        """Forget every message."""
        self.ask("reset")

    def cut(self) -> int:
        """Drop every connection; says how many there were."""
        return int(self.ask("cut")["cut"])

    def down(self) -> None:
        """Drop every connection and take no new one; what it holds, it keeps."""
        self.ask("down")

    def up(self) -> None:
        """Take connections again, at the same address."""
        self.ask("up")

    def ask(self, command: str) -> Any:
        address = f"http://127.0.0.1:{self.control}/{command}"
        with urllib.request.urlopen(address, timeout=10) as answer:
            return json.load(answer)


@contextmanager
def running_stand_in(**options: Any) -> Iterator[StandIn]:
    """Have one run meanwhile. Options: lockSeconds, maxDeliveries, duplicateSeconds, port."""
    web.install(chromium.NPM)
    process = subprocess.Popen(
        [web.node(), "servicebus.mjs", json.dumps(options)],
        cwd=chromium.NPM,
        env=web.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield StandIn(**json.loads(process.stdout.readline()))
    finally:
        process.terminate()
        process.wait()
