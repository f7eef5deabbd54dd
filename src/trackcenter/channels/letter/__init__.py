"""Post: the letter of a bill, labels, the lodgement slip, and the check before it leaves."""

from trackcenter.channels.letter.guard import ContentMismatch, check_document
from trackcenter.channels.letter.labels import SHEETS, Label, Sheet, render_labels
from trackcenter.channels.letter.logo import read_logo
from trackcenter.channels.letter.render import (
    RenderedLetter,
    render_letter,
    render_statement,
)
from trackcenter.channels.letter.slip import SlipItem, render_slip

__all__ = [
    "SHEETS",
    "ContentMismatch",
    "Label",
    "RenderedLetter",
    "Sheet",
    "SlipItem",
    "check_document",
    "read_logo",
    "render_labels",
    "render_letter",
    "render_slip",
    "render_statement",
]
