"""The sign-in page: one file, no scripts, nothing from elsewhere."""

import base64
import hashlib
from functools import cache
from html import escape
from pathlib import Path
from string import Template
from typing import Final

from starlette.responses import HTMLResponse

HERE: Final = Path(__file__).parent


def page(next_path: str, *, problem: str = "", status: int = 200) -> HTMLResponse:
    """The page as an answer.

    Args:
        next_path: where to go on to once signed in.
        problem: why one is not, for people.
        status: of the answer.
    """
    template, style, logo, policy = _parts()
    shown = f'<p class="problem" id="problem" role="alert">{escape(problem)}</p>' if problem else ""
    text = template.substitute(
        style=style,
        logo=logo,
        next=escape(next_path),
        problem=shown,
        described="problem hint" if problem else "hint",
        invalid="true" if problem else "false",
    )
    headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store"}
    return HTMLResponse(text, status_code=status, headers=headers)


@cache
def _parts() -> tuple[Template, str, str, str]:
    """Template, style, logo, and a policy by which the page can be nothing else."""
    style = (HERE / "signin.css").read_text(encoding="utf-8")
    template = Template((HERE / "signin.html").read_text(encoding="utf-8"))
    logo = (HERE.parent / "mark.svg").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )
    return template, style, logo, policy
