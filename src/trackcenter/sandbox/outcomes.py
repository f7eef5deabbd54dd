"""The recipient decides what becomes of a message: one table for mail, one for SMS.

| local part begins with | what happens |
|---|---|
| `bounce-after-delivery` | delivered, then a failure report |
| `bounce` | a failure report |
| `delay` | a 'delayed' report, then delivered |
| `open` | delivered, then opened |
| `silent` | nothing, ever |
| `reject` | refused when it is handed over |
| anything else | delivered |

Of phone numbers, those ending in `0001` fail and those ending in `0002` never report.
"""

from dataclasses import dataclass
from typing import Literal

What = Literal["DELIVERED", "FAILED", "DELAYED", "OPENED"]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens: what, and how long after the step before (seconds, from–to)."""

    what: What
    after: tuple[float, float]


_SOON = (0.2, 2.0)
_LATER = (0.5, 3.0)

# Longer words first: the first that fits decides.
_MAIL: tuple[tuple[str, tuple[Step, ...]], ...] = (
    ("bounce-after-delivery", (Step("DELIVERED", _SOON), Step("FAILED", _LATER))),
    ("bounce", (Step("FAILED", _SOON),)),
    ("delay", (Step("DELAYED", _SOON), Step("DELIVERED", _LATER))),
    ("open", (Step("DELIVERED", _SOON), Step("OPENED", _LATER))),
    ("silent", ()),
)


def is_refused(address: str) -> bool:
    """Whether handing a mail for this address over is refused at once."""
    return address.lower().startswith("reject")


def mail_steps(address: str) -> tuple[Step, ...]:
    """What happens to a mail to this address."""
    local_part = address.lower()
    for beginning, steps in _MAIL:
        if local_part.startswith(beginning):
            return steps
    return (Step("DELIVERED", _SOON),)


def sms_steps(phone: str) -> tuple[Step, ...]:
    """What happens to an SMS to this E.164 number."""
    if phone.endswith("0001"):
        return (Step("FAILED", _SOON),)
    if phone.endswith("0002"):
        return ()
    return (Step("DELIVERED", _SOON),)
