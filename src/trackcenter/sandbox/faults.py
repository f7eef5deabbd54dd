"""Trouble on demand: throttling, outages, lost replies, slow answers, doubled and shuffled pushes.

`PUT /faults` replaces the whole set; what it does not name is off. The same seed gives the same
sequence of draws, so a run with one client can be repeated.
"""

import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from trackcenter.sandbox.state import Json, Store

_RATES = ("rate429", "rate503", "lostReply", "duplicatePush", "shufflePush")
_LONGEST_MS = 60_000


@dataclass(frozen=True, slots=True)
class FaultSettings:
    """The names of the wire (hence no underscores); rates are 0 to 1."""

    rate429: float = 0.0
    rate503: float = 0.0
    lostReply: float = 0.0  # noqa: N815
    slowMs: float = 0.0  # noqa: N815
    duplicatePush: float = 0.0  # noqa: N815
    shufflePush: float = 0.0  # noqa: N815
    seed: int | None = None


class BadFaults(ValueError):
    """What is wrong with a fault request, one sentence a problem."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = problems


def read_faults(body: Json) -> FaultSettings:
    """A JSON body as settings.

    Raises:
        BadFaults: it is no object, names an unknown fault, or a value is out of its range.
    """
    if not isinstance(body, Mapping):
        raise BadFaults(["The body must be a JSON object."])
    problems: list[str] = []
    for name, value in body.items():
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if name in _RATES:
            if not is_number or not 0 <= value <= 1:
                problems.append(f"{name} must be a rate from 0 to 1.")
        elif name == "slowMs":
            if not is_number or not 0 <= value <= _LONGEST_MS:
                problems.append(f"slowMs must be milliseconds from 0 to {_LONGEST_MS}.")
        elif name == "seed":
            if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
                problems.append("seed must be a whole number.")
        else:
            problems.append(f"{name} is not a known fault.")
    if problems:
        raise BadFaults(problems)
    return FaultSettings(**{str(name): value for name, value in body.items()})


class Faults:
    """The current settings and the draws from them; remembered over a restart."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.settings = read_faults(store.setting("faults") or {})
        self._random = random.Random(self.settings.seed)  # noqa: S311 - no secret is drawn

    def replace(self, settings: FaultSettings) -> None:
        """Takes new settings; the draws start anew from their seed."""
        self.settings = settings
        self._random = random.Random(settings.seed)  # noqa: S311
        self._store.set_setting("faults", self.as_json())

    def as_json(self) -> dict[str, Json]:
        """The settings as `GET /faults` shows them."""
        return asdict(self.settings)

    def happens(self, rate: float) -> bool:
        """Draws: true with this probability. A rate of 0 draws nothing."""
        return rate > 0 and self._random.random() < rate

    def spread(self, low: float, high: float) -> float:
        """A moment between two."""
        return self._random.uniform(low, high)
