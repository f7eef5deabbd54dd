"""A building's own texts, read before they are saved: what is wrong is said now, not at sending.

A text may show facts and decide between words, and nothing else: no calls, no arithmetic, no
loops but over the lines of a bill, so no text can keep a worker busy. Then it is filled for every
sort of bill there is (to pay, a credit, settled, without due date, without account …): what it
shows must be on every bill it shows it for.
"""

import difflib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any, Final

from jinja2 import TemplateError, TemplateSyntaxError, meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from trackcenter.channels.bill import Facts, facts_of
from trackcenter.channels.sender import Sender
from trackcenter.channels.sms.render import short_facts
from trackcenter.channels.sms.segments import measure
from trackcenter.channels.snapshot import Snapshot
from trackcenter.channels.templating import text_environment

MAX_SOURCE: Final = {
    "subject": 500,
    "greeting": 1000,
    "intro": 4000,
    "closing": 1000,
    "sms_text": 3000,
}
"""Every text that can be changed → how many characters its template may have."""
MAX_FILLED: Final = {"subject": 200, "greeting": 300, "intro": 2000, "closing": 300}
"""How many characters a text may have once it is filled for a sample bill."""
MAX_SEGMENTS: Final = 10

VARIABLES: Final = Facts.__slots__
"""What a text may show, by name."""
LISTS: Final = frozenset({"costs", "sender_address"})
FILTERS: Final = frozenset({"capitalize", "default", "first", "join", "last", "length", "lower",
                            "title", "trim", "upper"})  # fmt: skip
TESTS: Final = frozenset({"defined", "none"})

_ALLOWED = (
    nodes.And, nodes.Compare, nodes.Concat, nodes.CondExpr, nodes.Const, nodes.Filter, nodes.For,
    nodes.Getattr, nodes.If, nodes.Name, nodes.Not, nodes.Operand, nodes.Or, nodes.Output,
    nodes.Template, nodes.TemplateData, nodes.Test, nodes.Tuple,
)  # fmt: skip
_LOOP = frozenset({"first", "last", "index"})
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_SINGLE_BRACES = re.compile(r"(?<!\{)\{\s*(?P<name>\w+)\s*\}(?!\})")


@dataclass(frozen=True, slots=True)
class Variable:
    """Something a text may show: its value on a sample bill, and whether every bill has it."""

    name: str
    example: str
    always: bool
    is_list: bool


class _Absent(Exception):
    """A text shows what this bill does not have."""


def proofread(field: str, source: str, language: str) -> list[str]:
    """What is wrong with a text (one of `MAX_SOURCE`), a sentence each; nothing when it is fine.

    `language` is one of `texts.LANGUAGES`: the one its sample bills are written in.
    """
    if len(source) > MAX_SOURCE[field]:
        return [f"has {len(source)} characters; {MAX_SOURCE[field]} is the most"]
    if _CONTROL.search(source):
        return ["has a control character in it"]
    if (braces := _SINGLE_BRACES.search(source)) and braces["name"] in VARIABLES:
        return [f"write {{{{ {braces['name']} }}}} with two braces on each side"]
    try:
        template = text_environment().parse(source)
    except TemplateSyntaxError as error:
        return [f"line {error.lineno}: {error.message}"]
    except RecursionError:
        return ["is nested too deep"]
    if strange := list(dict.fromkeys(_strange(template))):
        return strange
    # Only now: Jinja works out constant expressions while it looks for names.
    names = meta.find_undeclared_variables(template) | _itself(template)
    if unknown := sorted(names - set(VARIABLES)):
        return [_unknown(name) for name in unknown]
    return _filled(field, source, language, [name for name in VARIABLES if name in names])


@lru_cache
def variables(language: str) -> tuple[Variable, ...]:
    """What a text in one of `texts.LANGUAGES` may show, with examples."""
    samples = _samples(language, short=False)
    return tuple(
        Variable(
            name=name,
            example=_example(getattr(samples[0], name)),
            always=all(getattr(facts, name) for facts in samples),
            is_list=name in LISTS,
        )
        for name in VARIABLES
    )


def _example(value: Any) -> str:
    if isinstance(value, tuple):
        return "; ".join(_example(one) for one in value)
    return str(value)


def _itself(template: nodes.Template) -> set[str]:
    """`self`, which Jinja declares: it is the template, not a fact."""
    return {"self"} & {node.name for node in template.find_all(nodes.Name)}


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name, VARIABLES, n=1)
    hint = f"; did you mean {near[0]}?" if near else "."
    return f"there is no {{{{ {name} }}}}{hint} Known are {', '.join(VARIABLES)}"


def _strange(node: nodes.Node, *, inside_loop: bool = False) -> Iterator[str]:
    """What no text needs. Jinja's own names for it, with the line."""
    for child in node.iter_child_nodes():
        where = f"line {child.lineno}: "
        looping = inside_loop
        if not isinstance(child, _ALLOWED):
            yield where + f"{type(child).__name__.lower()} is not for texts"
            continue
        if isinstance(child, nodes.Filter) and child.name not in FILTERS:
            yield where + f"there is no filter {child.name}; there are {', '.join(sorted(FILTERS))}"
        if isinstance(child, nodes.Filter) and not _plain_arguments(child):
            yield where + f"|{child.name} takes no such arguments"
        if isinstance(child, nodes.Operand) and child.op not in ("eq", "ne"):
            yield where + "words are compared with == and != only"
        if isinstance(child, nodes.Test) and child.name not in TESTS:
            yield where + f"there is no test {child.name}"
        if isinstance(child, nodes.Getattr) and not _of_loop(child):
            yield where + f".{child.attr} is not for texts; there are filters, such as |upper"
        if isinstance(child, nodes.For):
            over = child.iter
            if inside_loop or not (isinstance(over, nodes.Name) and over.name in LISTS):
                yield where + f"a loop runs over {' or '.join(sorted(LISTS))}, and in no other loop"
            looping = True
        yield from _strange(child, inside_loop=looping)


def _plain_arguments(node: nodes.Filter) -> bool:
    """Whether a filter is told nothing but, where it needs one, a text."""
    if node.kwargs or node.dyn_args or node.dyn_kwargs:
        return False
    if node.name not in ("default", "join"):
        return not node.args
    return all(isinstance(one, nodes.Const) and isinstance(one.value, str) for one in node.args)


def _of_loop(node: nodes.Getattr) -> bool:
    return isinstance(node.node, nodes.Name) and node.node.name == "loop" and node.attr in _LOOP


def _filled(field: str, source: str, language: str, names: list[str]) -> list[str]:
    """The first thing wrong with the text on some sample bill."""
    template = _environment().from_string(source)
    for facts in _samples(language, short=field == "sms_text"):
        try:
            words = template.render(facts.as_variables())
        except _Absent:
            absent = [name for name in names if not getattr(facts, name) or name in LISTS]
            return [_guarded(name) for name in absent] or ["shows what is no text"]
        except (TemplateError, TypeError, ValueError) as error:
            return [f"cannot be filled: {error}"]
        if complaint := _wrong(field, words):
            return [complaint]
    return []


def _guarded(name: str) -> str:
    if name in LISTS:
        return f"{name} is a list: use {{% for … in {name} %}}"
    return (
        f"not every bill has {{{{ {name} }}}}: "
        f"write {{% if {name} %}}…{{% endif %}} around what shows it"
    )


def _wrong(field: str, words: str) -> str | None:
    if field in ("subject", "sms_text") and not words.strip():
        return "would be empty on some bills"
    if field != "sms_text":
        most = MAX_FILLED[field]
        return (
            f"would have {len(words)} characters; {most} is the most" if len(words) > most else None
        )
    encoding, segments = measure(words)
    if segments > MAX_SEGMENTS:
        return (
            f"would take {segments} text messages ({len(words)} characters, {encoding}); "
            f"{MAX_SEGMENTS} is the most"
        )
    return None


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise _Absent


@lru_cache
def _environment() -> ImmutableSandboxedEnvironment:
    environment = text_environment().overlay(finalize=_shown)
    if not isinstance(environment, ImmutableSandboxedEnvironment):
        raise TypeError("an overlay of a sandbox is a sandbox")
    return environment


@lru_cache
def _samples(language: str, *, short: bool) -> tuple[Facts, ...]:
    """The facts of every sort of bill, the usual one first."""
    make: Callable[[Snapshot, Sender], Facts] = short_facts if short else facts_of
    return tuple(
        make(Snapshot.from_row(row), sender) for row, sender in product(_rows(language), _SENDERS)
    )


_SENDERS = (
    Sender("Hausverwaltung Nord GmbH", "Lindenallee 4\n20095 Hamburg", "post@nord.example",
           "+49 40 123456"),
    Sender("Hausverwaltung Nord GmbH", phone="+49 40 123456"),
    Sender("Hausverwaltung Nord GmbH", "Lindenallee 4\n20095 Hamburg", "post@nord.example"),
    Sender("Hausverwaltung Nord GmbH"),
)  # fmt: skip


def sample_row(language: str) -> dict[str, Any]:
    """A bill of nobody's in that language, with everything that a bill can have."""
    return {
        "buildingCode": "LIN12",
        "buildingName": "Lindenstraße 12",
        "buildingAddress": "Lindenstraße 12, 10969 Berlin",
        "year": 2025,
        "unit": "12",
        "recipient": "Maximiliane Musterfrau-Schönbächler",
        "email": "m.musterfrau@example.org",
        "phone": "+4917640690000",
        "street": "Lindenstraße 12",
        "postcode": "10969",
        "city": "Berlin",
        "country": "DE",
        "language": language,
        "channels": ["EMAIL", "SMS", "LETTER"],
        "currency": "EUR",
        "costs": [
            {"label": "Heizung und Warmwasser", "amount": "1034.50"},
            {"label": "Müllabfuhr", "amount": "409.20"},
        ],
        "total": "1443.70",
        "prepaid": "1200.00",
        "balance": "243.70",
        "dueDate": "2026-11-30",
        "iban": "DE89370400440532013000",
        "payee": "Nord Treuhand KG",
        "timeZone": "Europe/Berlin",
    }


def _rows(language: str) -> Iterator[dict[str, Any]]:
    row = sample_row(language)
    no_costs: dict[str, Any] = {"costs": []}
    no_sums = {**no_costs, "total": None, "prepaid": None}
    for amounts in ({}, no_costs, {**no_costs, "prepaid": None}, no_sums):
        for balance in ("243.70", "-56.30", "0.00"):
            yield {**row, **amounts, "balance": balance}
        for missing in ("dueDate", "iban"):
            yield {**row, **amounts, missing: None}
        yield {**row, **amounts, "dueDate": None, "iban": None, "payee": None}
    yield {**row, "prepaid": None, "balance": None}
    yield {**row, **no_sums, "balance": None, "buildingAddress": None, "buildingName": None}
