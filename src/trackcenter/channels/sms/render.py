"""A billing snapshot as an SMS text, in the recipient's language."""

from collections.abc import Mapping
from dataclasses import replace

from trackcenter.channels.bill import Facts, facts_of
from trackcenter.channels.errors import RenderError
from trackcenter.channels.rendered import RenderedSms
from trackcenter.channels.sender import Sender
from trackcenter.channels.sms.segments import measure
from trackcenter.channels.snapshot import Snapshot
from trackcenter.channels.texts import texts
from trackcenter.channels.wording import reworded

MAX_CHARACTERS = 2048
"""More than this Azure Communication Services refuses to take."""

# Amounts are typeset with spaces and apostrophes that GSM-7 lacks; one of them would halve the
# room for the whole text. Names are left as they are: a name is not ours to respell.
_TYPEWRITTEN = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2019": "'", "\u2212": "-"})


def render_sms(
    snapshot: Snapshot, *, sender: Sender, wording: Mapping[str, str] | None = None
) -> RenderedSms:
    """The bill of one unit as a short text, with encoding and segments.

    `wording` may have a `text`: a template of the building's own. Raises RenderError when the text
    cannot be made or is longer than a provider takes.
    """
    facts = short_facts(snapshot, sender)
    variables = facts.as_variables()
    filled = texts(facts.language, "sms").filled(variables)
    text = reworded("sms", filled, wording or {}, variables)["text"]
    if len(text.encode("utf-16-le")) // 2 > MAX_CHARACTERS:
        raise RenderError(f"the SMS has {len(text)} characters, more than {MAX_CHARACTERS}")
    encoding, segments = measure(text)
    return RenderedSms(text, encoding, segments)


def short_facts(snapshot: Snapshot, sender: Sender) -> Facts:
    """The facts of a bill as an SMS writes them: short, in characters of the GSM alphabet."""
    facts = facts_of(snapshot, sender, short=True)
    if facts.balance:
        facts = replace(facts, balance=facts.balance.translate(_TYPEWRITTEN))
    return facts
