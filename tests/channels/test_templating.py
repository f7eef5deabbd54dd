import pytest

from trackcenter.channels.errors import RenderError
from trackcenter.channels.templating import fill, html_environment, text_environment


def test_an_unknown_variable_is_an_error_and_never_a_blank() -> None:
    with pytest.raises(RenderError, match="nobody"):
        fill(text_environment().from_string("Dear {{ nobody }}"), {})


@pytest.mark.parametrize(
    "escape",
    ["{{ ''.__class__.__mro__ }}", "{{ costs.append(1) }}", "{{ fill.__globals__ }}"],
)
def test_a_template_cannot_leave_its_sandbox(escape: str) -> None:
    with pytest.raises(RenderError):
        fill(text_environment().from_string(escape), {"costs": [], "fill": fill})


def test_html_escapes_every_value() -> None:
    template = html_environment().from_string('<a title="{{ name }}">{{ name }}</a>')
    assert (
        fill(template, {"name": '"><b>'}) == '<a title="&#34;&gt;&lt;b&gt;">&#34;&gt;&lt;b&gt;</a>'
    )
