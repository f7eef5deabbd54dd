"""Each code that the server refuses with has a text on the screen, in each of its languages."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = ROOT / "src" / "trackcenter"
TEXTS = ROOT / "web" / "src" / "i18n"

# Kinds of pydantic's that a form of the screen can meet; the others speak English there.
OF_SHAPES = {
    "stringTooLong": {"maxLength"},
    "stringTooShort": {"minLength"},
    "stringPatternMismatch": {"pattern"},
    "missing": set[str](),
    "datetimeFromDateParsing": {"error"},
    "beforeYear": {"year"},
}


class Raised(NamedTuple):
    code: str
    values: set[str]
    place: str


def sentences(path: Path) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Sentence":
            yield node


def raised() -> list[Raised]:
    found = [Raised(code, values, "kit/wire.py") for code, values in OF_SHAPES.items()]
    for path in SOURCES.rglob("*.py"):
        place = str(path.relative_to(SOURCES))
        for call in sentences(path):
            code = call.args[1]
            if place == "kit/wire.py":
                continue  # the code is pydantic's
            assert isinstance(code, ast.Constant), f"{place}:{call.lineno}: a code stands there"
            values = {str(keyword.arg) for keyword in call.keywords}
            found.append(Raised(code.value, values, f"{place}:{call.lineno}"))
    return found


def texts(language: str) -> dict[str, set[str]]:
    """Each code the screen has a text of, with the names of the values it quotes."""
    source = (TEXTS / f"problems.{language}.ts").read_text()
    written = re.findall(r"^  (\w+): \((?:\{([^}]*)\})?\) =>", source, re.MULTILINE)
    return {code: set(re.findall(r"(\w+)(?:: \w+)?(?:,|\s|$)", names)) for code, names in written}


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_code_has_a_text_that_quotes_what_the_server_gives(language: str) -> None:
    known = texts(language)
    for code, values, place in raised():
        assert code in known, f"{place}: problems.{language}.ts has no text of {code}"
        assert known[code] <= values, f"{place}: {code} does not come with what its text quotes"


@pytest.mark.parametrize("language", ["en", "de"])
def test_no_text_waits_for_a_code_that_nobody_raises(language: str) -> None:
    assert texts(language).keys() - {code for code, _, _ in raised()} == set()
