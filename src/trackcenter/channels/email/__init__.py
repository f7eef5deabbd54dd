"""E-mail: HTML that survives Outlook and dark mode, and plain text that reads well."""

from trackcenter.channels.email.pictures import for_mailboxes
from trackcenter.channels.email.render import render_email
from trackcenter.channels.errors import RenderError
from trackcenter.channels.rendered import RenderedAttachment, RenderedEmail

__all__ = ["RenderError", "RenderedAttachment", "RenderedEmail", "for_mailboxes", "render_email"]
