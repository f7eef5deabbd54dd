"""SMS: one short text, its encoding and the segments it is billed as."""

from trackcenter.channels.errors import RenderError
from trackcenter.channels.rendered import RenderedSms
from trackcenter.channels.sms.render import render_sms
from trackcenter.channels.sms.segments import measure

__all__ = ["RenderError", "RenderedSms", "measure", "render_sms"]
