"""Compile the MJML layouts to the HTML templates that are committed beside them.

    python -m trackcenter.channels.email.compile [--check]

MJML's parser moves loose text out of tables, so Jinja statements inside one stand in comments,
`<!--{% for … %}-->`, and are laid bare after compiling.
"""

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import mrml

from trackcenter.channels.errors import RenderError

TEMPLATES = Path(__file__).parent / "templates"
_STATEMENT = re.compile(r"<!--\s*(\{%.*?%\})\s*-->", re.DOTALL)
_NOTE = "{{# Compiled from {name} by trackcenter.channels.email.compile: change that one. -#}}\n"


def compile_layout(source: Path) -> str:
    """The HTML template of one MJML file. Raises RenderError when MJML does not understand it."""
    try:
        # No web fonts: opening a bill must not tell anybody else about it.
        options = mrml.RenderOptions(fonts={})
        output = mrml.to_html(source.read_text(encoding="utf-8"), None, options)
    except OSError as error:
        raise RenderError(f"{source.name}: {error}") from error
    if output.warnings:
        kinds = ", ".join(warning.kind for warning in output.warnings)
        raise RenderError(f"{source.name}: {kinds}")
    html = _STATEMENT.sub(r"\1", output.content)
    return _NOTE.format(name=source.name) + html + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write every template, or with `--check` only say which are not current (exit status 1)."""
    parser = argparse.ArgumentParser(prog="python -m trackcenter.channels.email.compile")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if out of date")
    check: bool = parser.parse_args(arguments).check
    stale = []
    for source in sorted(TEMPLATES.glob("*.mjml")):
        target = source.with_suffix(".html")
        html = compile_layout(source)
        if not target.exists() or target.read_text(encoding="utf-8") != html:
            stale.append(target.name)
            if not check:
                target.write_text(html, encoding="utf-8")
    for name in stale:
        sys.stdout.write(f"{name} {'is out of date' if check else 'written'}\n")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
