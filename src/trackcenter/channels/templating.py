"""Sandboxed templates: a text may show facts and decide between words, and nothing else."""

from collections.abc import Mapping
from functools import lru_cache

from jinja2 import StrictUndefined, Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from trackcenter.channels.errors import RenderError


@lru_cache
def html_environment() -> ImmutableSandboxedEnvironment:
    """For HTML: every value is escaped; an unknown variable is an error, never a blank."""
    return ImmutableSandboxedEnvironment(autoescape=True, undefined=StrictUndefined)


@lru_cache
def text_environment() -> ImmutableSandboxedEnvironment:
    """For plain text: nothing is escaped; an unknown variable is an error, never a blank."""
    return ImmutableSandboxedEnvironment(
        autoescape=False, undefined=StrictUndefined, trim_blocks=True, keep_trailing_newline=True
    )


def fill(template: Template, values: Mapping[str, object]) -> str:
    """The filled template. Values are data: braces in them stay braces. Raises RenderError."""
    try:
        return template.render(values)
    except TemplateError as error:
        raise RenderError(f"the template cannot be filled: {error}") from error
