"""The sentences of every message, one file a language; adding a language is adding its file.

A text is a Jinja template over the facts of a bill (`trackcenter.channels.bill`), filled in the
same sandbox as the layouts. Text is never markup: in HTML it is escaped like any other value.
"""

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files

from trackcenter.channels.templating import fill, text_environment

LANGUAGES = frozenset({"de", "en"})


_END = "\x00"
"""Parts two texts: facts are free of control characters."""


class Texts:
    """The texts of one language and one section (`email`, `sms`, …) of its file.

    They are filled as one template, which costs a fifth of filling each on its own.
    """

    def __init__(self, sources: Mapping[str, str]) -> None:
        self._names = tuple(sources)
        self._template = text_environment().from_string(_END.join(sources.values()))

    def filled(self, facts: Mapping[str, object]) -> dict[str, str]:
        """Every text with the facts in it. Raises RenderError when a text needs an unknown one."""
        texts = fill(self._template, facts).split(_END)
        return dict(zip(self._names, texts, strict=True))


@lru_cache
def _sections(language: str) -> dict[str, dict[str, str]]:
    source = files(__name__).joinpath(f"{language}.toml").read_text(encoding="utf-8")
    return tomllib.loads(source)


@lru_cache
def texts(language: str, section: str) -> Texts:
    """The texts of a section in one of `LANGUAGES`."""
    return Texts(_sections(language)[section])


def source(language: str, section: str, name: str) -> str:
    """One text as it stands in its file: the template that a building may word anew."""
    return _sections(language)[section][name].strip()


@lru_cache
def words(language: str) -> dict[str, str]:
    """The plain words the facts themselves are written with (`unit` → `Wohnung`)."""
    return _sections(language)["words"]
