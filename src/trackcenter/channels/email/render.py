"""A billing snapshot as an e-mail, in the recipient's language.

The layout is compiled from MJML beforehand (`compile.py`) and only then filled: the other way
round a recipient's name could become markup.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.resources import files

from jinja2 import Template

from trackcenter.channels.bill import Facts, facts_of
from trackcenter.channels.email.pictures import picture_of
from trackcenter.channels.errors import RenderError
from trackcenter.channels.rendered import RenderedAttachment, RenderedEmail
from trackcenter.channels.sender import Sender
from trackcenter.channels.snapshot import Snapshot
from trackcenter.channels.templating import fill, html_environment, text_environment
from trackcenter.channels.texts import texts
from trackcenter.channels.wording import reworded

_TEXT_WIDTH = 64


@lru_cache
def _layout(name: str) -> Template:
    source = files(__package__).joinpath("templates", name).read_text(encoding="utf-8")
    environment = html_environment() if name.endswith(".html") else text_environment()
    return environment.from_string(source)


def render_email(
    snapshot: Snapshot,
    *,
    sender: Sender,
    communication_url: str | None = None,
    wording: Mapping[str, str] | None = None,
    logo: bytes | None = None,
    attachments: Sequence[RenderedAttachment] = (),
) -> RenderedEmail:
    """The bill of one unit as HTML, plain text and subject.

    `communication_url` (http or https) becomes a link for reading the message in a browser; None
    leaves it out. `wording` replaces `subject`, `greeting`, `intro` and `closing` by templates of
    the building's own. `logo` is a PNG, JPEG or SVG. `attachments` go with the message, which says
    that its statement is there. Raises RenderError when the message cannot be made; trying again
    never helps.
    """
    if communication_url is not None and not communication_url.startswith(("https://", "http://")):
        raise RenderError(f"{communication_url!r} is no web address")
    facts = facts_of(snapshot, sender)
    variables = facts.as_variables()
    filled = texts(facts.language, "email").filled(variables)
    text = reworded("email", filled, wording or {}, variables)
    statement = next((file.file_name for file in attachments if file.kind == "STATEMENT"), None)
    variables |= {f"text_{name}": sentence for name, sentence in text.items()}
    variables |= {
        "communication_url": communication_url,
        "statement": statement,
        "logo": picture_of(logo) if logo else None,
        "table": _text_table(facts, text),
    }
    return RenderedEmail(
        subject=text["subject"],
        html=fill(_layout("bill.html"), variables),
        text=fill(_layout("bill.txt"), variables),
        attachments=tuple(attachments),
    )


def _text_table(facts: Facts, text: dict[str, str]) -> list[str]:
    """The cost table for plain text: labels to the left, amounts flush right, a rule for sums."""
    lines = [_text_row(label, amount) for label, amount in facts.costs]
    sums = ((text["total"], facts.total), (text["prepaid"], facts.prepaid))
    below = [_text_row(label, amount) for label, amount in sums if amount]
    if lines and below:
        lines.append("-" * _TEXT_WIDTH)
    lines += below
    if facts.balance:
        lines += ["=" * _TEXT_WIDTH, _text_row(text["balance_name"], facts.balance)]
    return lines


def _text_row(label: str, amount: str) -> str:
    room = _TEXT_WIDTH - len(amount) - 2
    if len(label) > room:
        return f"{label}\n{amount:>{_TEXT_WIDTH}}"
    return f"{label:<{room}}  {amount}"
