"""`trackcenter …`: the command line. Each command reads its settings, then hands over."""

from trackcenter.cli.commands import main

__all__ = ["main"]
