"""Texts in a building's own words, in place of ours.

A wording is a template over the same facts as our texts (`trackcenter.channels.bill`), filled in
the same sandbox. What may stand in it is checked when it is saved (`channels.proofreading`).
"""

from collections.abc import Mapping
from functools import lru_cache

from jinja2 import Template, TemplateError

from trackcenter.channels.bill import one_line
from trackcenter.channels.errors import RenderError
from trackcenter.channels.templating import fill, text_environment

CHANGEABLE = {
    "email": frozenset({"subject", "greeting", "intro", "closing"}),
    "letter": frozenset({"subject", "greeting", "intro", "closing"}),
    "sms": frozenset({"text"}),
}
"""Section of the texts → the texts of it that a building may word itself."""


def reworded(
    section: str,
    filled: Mapping[str, str],
    wording: Mapping[str, str],
    variables: Mapping[str, object],
) -> dict[str, str]:
    """The filled texts of a section, those of `wording` in its words.

    Each becomes one line, but an SMS text keeps its line breaks. Raises RenderError for a text
    that cannot be changed, a faulty template, and a message without a subject or text.
    """
    changed = dict(filled)
    for name, source in wording.items():
        if name not in CHANGEABLE[section]:
            raise RenderError(f"{section} has no text {name!r} to change")
        words = fill(template_of(source), variables)
        lines = (one_line(line) for line in words.splitlines() if line.strip())
        changed[name] = "\n".join(lines) if section == "sms" else one_line(words)
    for needed in ("subject", "text"):
        if needed in wording and not changed[needed]:
            raise RenderError(f"the {section} has no {needed}")
    return changed


@lru_cache(maxsize=256)
def template_of(source: str) -> Template:
    """A wording as a template. Raises RenderError when it is none."""
    try:
        return text_environment().from_string(source)
    except TemplateError as error:
        raise RenderError(f"the text is no template: {error}") from error
