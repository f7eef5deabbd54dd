"""Hatchling hook: the web part is built while the package is."""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).resolve().parent))

from tools import web


class WebBuildHook(BuildHookInterface):
    """Fills `src/trackcenter/static/track/` before the wheel (or the editable one) is made."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the web part; a no-op when neither its lock nor its sources changed."""
        web.build()
