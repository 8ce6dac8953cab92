"""What the templates promise: escaped values, and an error for a value that is not given."""

from pathlib import Path

import pytest
from jinja2 import UndefinedError
from markupsafe import Markup

from frontend.templates import templates


def test_values_are_escaped_unless_they_are_marked_as_html(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text('<p title="{{ name }}">{{ name }}{{ ours }}</p>\n')
    page = templates(tmp_path).get_template("a.html")
    text = page.render(name="<b>\"'&", ours=Markup("<b>ours</b>"))
    evil = "&lt;b&gt;&#34;&#39;&amp;"
    assert text == f'<p title="{evil}">{evil}<b>ours</b></p>\n'


def test_a_value_that_is_not_given_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("{{ name }}")
    with pytest.raises(UndefinedError, match="name"):
        templates(tmp_path).get_template("a.html").render()
