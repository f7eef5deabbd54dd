"""A loopback stand-in for Microsoft Graph mail, Azure Communication Services and Event Grid.

The demo and the tests run the production code against it over real HTTP. It is strict where the
real services are strict, keeps what it accepted, decides by recipient what becomes of a message,
and has an inbox page to look at. It knows nothing of Django and imports nothing of the product.
"""

from trackcenter.sandbox.options import EventGridTarget, SandboxOptions
from trackcenter.sandbox.server import serve

__all__ = ["EventGridTarget", "SandboxOptions", "serve"]
