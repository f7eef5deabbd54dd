import time

import pytest

from trackcenter.channels.proofreading import MAX_SOURCE, VARIABLES, proofread
from trackcenter.channels.texts import LANGUAGES


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@pytest.mark.parametrize(
    ("field", "source"),
    [
        ("subject", "Abrechnung {{ year }} – {{ place }}"),
        ("greeting", "Hallo {{ recipient }},"),
        ("intro", "{% if due_date %}Fällig am {{ due_date }}.{% endif %}"),
        ("intro", "{% if iban %}{{ payee }}: {{ iban }}{% else %}Bar zahlen.{% endif %}"),
        ("intro", "{% if balance_kind == 'credit' %}Guthaben {{ balance }}{% endif %}"),
        ("intro", "{% for label, amount in costs %}{{ label }}: {{ amount }}; {% endfor %}"),
        ("closing", "{{ sender_name | upper }} {{ sender_address | join(', ') }}"),
        ("closing", "{{ sender_phone or 'kein Telefon' }}"),
        ("closing", "{name} und {% raw %}{{ x }}{% endraw %} sind keine Variablen"),
        ("sms_text", "{{ sender_name }}: {{ place }}\n{{ year }}"),
    ],
)
def test_a_good_text_passes(field: str, source: str, language: str) -> None:
    assert proofread(field, source, language) == []


def test_an_unknown_variable_is_named_with_the_known_ones() -> None:
    (complaint,) = proofread("subject", "{{ recipent }} {{ year }}", "de")
    assert complaint.startswith("there is no {{ recipent }}; did you mean recipient?")
    assert all(name in complaint for name in VARIABLES)


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("{{ year", "line 1: unexpected end of template"),
        ("one\n{% if year %}", "line 2: Unexpected end of template"),
        ("{year} is over", "write {{ year }} with two braces"),
        ("Due {{ due_date }}", "not every bill has {{ due_date }}"),
        ("{% if balance %}{{ iban }}{% endif %}", "not every bill has {{ iban }}"),
        ("{{ costs }}", "costs is a list"),
        ("{{ recipient.upper() }}", "call is not for texts"),
        ("{{ ''.__class__.__mro__ }}", ".__class__ is not for texts"),
        ("{{ self }}", "there is no {{ self }}"),
        ("{% include '/etc/passwd' %}", "include is not for texts"),
        ("{% set x = 1 %}", "assign is not for texts"),
        ("{{ year | replace('', 'aa') }}", "there is no filter replace"),
        ("{% if year > 5 %}x{% endif %}", "compared with == and != only"),
        ("a\x00b", "control character"),
        ("x" * 4001, "4000 is the most"),
        ("x" * 3000, "2000 is the most"),
        ("{{ " + "(" * 500 + "year" + ")" * 500 + " }}", "nested too deep"),
    ],
)
def test_a_faulty_text_is_told_what_is_wrong(source: str, complaint: str) -> None:
    assert any(complaint in one for one in proofread("intro", source, "en"))


@pytest.mark.parametrize(
    "source",
    [
        "{{ 'x' * 1000000000 }}",
        "{{ 9 ** 9 ** 9 }}",
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{% for a, b in costs %}{% for c, d in costs %}{% endfor %}{% endfor %}",
    ],
)
def test_a_text_that_would_keep_a_worker_busy_is_refused_at_once(source: str) -> None:
    begun = time.perf_counter()
    assert proofread("intro", source, "de")
    assert time.perf_counter() - begun < 1


@pytest.mark.parametrize("field", ["subject", "sms_text"])
def test_a_message_needs_words_on_every_bill(field: str) -> None:
    source = "{% if balance_kind == 'pay' %}Please pay{% endif %}"
    assert proofread(field, source, "en") == ["would be empty on some bills"]


def test_an_sms_that_is_too_long_is_told_how_long() -> None:
    (complaint,) = proofread("sms_text", "{{ place }} " + "ж" * 700, "de")
    assert complaint.startswith("would take 11 text messages (7")
    assert "UCS-2" in complaint


def test_every_text_has_a_limit() -> None:
    for field, most in MAX_SOURCE.items():
        (complaint,) = proofread(field, "x" * (most + 1), "de")
        assert str(most) in complaint
