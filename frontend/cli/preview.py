"""The preview of a spec as lines of text."""

from collections.abc import Iterator

from frontend.api.types import Preview
from frontend.form.preview_text import facts
from frontend.ui.text import count_text


def preview_lines(preview: Preview) -> Iterator[str]:
    """Yield the figures of a preview line by line, then its warnings."""
    runs = preview["runs"]
    said = count_text(runs["final_runs"], "run")
    if runs["trials"]:
        said = f"{count_text(runs['trial_runs'], 'run')} of trials, then {said}"
    yield f"{'Runs':18} {said}"
    for fact in facts(preview):
        for at, figure in enumerate(fact.figures):
            more = f" ({figure.more})" if figure.more else ""
            yield f"{'' if at else fact.title:18} {figure.main}{more}"
    for warning in preview["warnings"]:
        yield f"{'Warning':18} {warning['message']}"
