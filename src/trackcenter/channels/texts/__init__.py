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


class Texts:
    """The texts of one language and one section (`email`, `sms`, …) of its file."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        environment = text_environment()
        self._fixed = {name: text for name, text in sources.items() if "{" not in text}
        self._templates = {
            name: environment.from_string(text)
            for name, text in sources.items()
            if name not in self._fixed
        }

    def filled(self, facts: Mapping[str, object]) -> dict[str, str]:
        """Every text with the facts in it. Raises RenderError when a text needs an unknown one."""
        texts = dict(self._fixed)
        for name, template in self._templates.items():
            texts[name] = fill(template, facts)
        return texts


@lru_cache
def _sections(language: str) -> dict[str, dict[str, str]]:
    source = files(__name__).joinpath(f"{language}.toml").read_text(encoding="utf-8")
    return tomllib.loads(source)


@lru_cache
def texts(language: str, section: str) -> Texts:
    """The texts of a section in one of `LANGUAGES`."""
    return Texts(_sections(language)[section])


@lru_cache
def words(language: str) -> dict[str, str]:
    """The plain words the facts themselves are written with (`unit` → `Wohnung`)."""
    return _sections(language)["words"]
