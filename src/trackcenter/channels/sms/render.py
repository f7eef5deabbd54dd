"""A billing snapshot as an SMS text, in the recipient's language."""

from dataclasses import replace

from trackcenter.channels.bill import facts_of
from trackcenter.channels.errors import RenderError
from trackcenter.channels.rendered import RenderedSms
from trackcenter.channels.sender import Sender
from trackcenter.channels.sms.segments import measure
from trackcenter.channels.snapshot import Snapshot
from trackcenter.channels.texts import texts

MAX_CHARACTERS = 2048
"""More than this Azure Communication Services refuses to take."""

# Amounts are typeset with spaces and apostrophes that GSM-7 lacks; one of them would halve the
# room for the whole text. Names are left as they are: a name is not ours to respell.
_TYPEWRITTEN = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2019": "'", "\u2212": "-"})


def render_sms(snapshot: Snapshot, *, sender: Sender) -> RenderedSms:
    """The bill of one unit as a short text, with encoding and segments.

    Raises RenderError when the text cannot be made or is longer than a provider takes.
    """
    facts = facts_of(snapshot, sender, short=True)
    if facts.balance:
        facts = replace(facts, balance=facts.balance.translate(_TYPEWRITTEN))
    text = texts(facts.language, "sms").filled(facts.as_variables())["text"]
    if len(text.encode("utf-16-le")) // 2 > MAX_CHARACTERS:
        raise RenderError(f"the SMS has {len(text)} characters, more than {MAX_CHARACTERS}")
    encoding, segments = measure(text)
    return RenderedSms(text, encoding, segments)
