"""What every handler needs, carried on the aiohttp application."""

from dataclasses import dataclass

import aiohttp
from aiohttp import web

from trackcenter.sandbox.faults import Faults
from trackcenter.sandbox.options import SandboxOptions
from trackcenter.sandbox.schedule import Schedule
from trackcenter.sandbox.state import Store


@dataclass(frozen=True, slots=True)
class Sandbox:
    """One running sandbox. `base_url` is `http://127.0.0.1:PORT`."""

    options: SandboxOptions
    store: Store
    faults: Faults
    schedule: Schedule
    client: aiohttp.ClientSession
    base_url: str


SANDBOX = web.AppKey("sandbox", Sandbox)
