import re
from pathlib import Path

import pytest

from trackcenter.channels.email import compile as layouts
from trackcenter.channels.errors import RenderError


def test_the_committed_templates_are_current() -> None:
    assert layouts.main(["--check"]) == 0


def test_check_says_what_is_out_of_date_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(layouts, "TEMPLATES", tmp_path)
    (tmp_path / "note.mjml").write_text("<mjml><mj-body></mj-body></mjml>")
    assert layouts.main(["--check"]) == 1
    assert "note.html" in capsys.readouterr().out
    assert not (tmp_path / "note.html").exists()
    assert layouts.main([]) == 0
    assert layouts.main(["--check"]) == 0


def test_mjml_that_is_not_understood_is_an_error(tmp_path: Path) -> None:
    broken = tmp_path / "broken.mjml"
    broken.write_text("<mjml><mj-body><mj-text></mj-body></mjml>")
    with pytest.raises(RenderError, match=r"broken\.mjml"):
        layouts.compile_layout(broken)


def test_statements_stay_where_they_stand_in_a_table(tmp_path: Path) -> None:
    source = tmp_path / "table.mjml"
    source.write_text(
        "<mjml><mj-body><mj-section><mj-column><mj-table><tbody>"
        "<!--{% for x in xs %}--><tr><td>{{ x }}</td></tr><!--{% endfor %}-->"
        "</tbody></mj-table></mj-column></mj-section></mj-body></mjml>"
    )
    html = layouts.compile_layout(source)
    assert "<tbody>{% for x in xs %}<tr><td>{{ x }}</td></tr>{% endfor %}</tbody>" in html


def test_opening_a_bill_tells_nobody_else() -> None:
    for template in layouts.TEMPLATES.glob("*.html"):
        text = template.read_text(encoding="utf-8")
        addresses = set(re.findall(r"(?:https?:)?//[\w.-]+\.\w+", text))
        assert addresses <= {"http://www.w3.org"}, f"{template.name} fetches something"
