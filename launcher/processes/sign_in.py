"""Whether the API asks for a sign-in; before others may reach it, it must."""

import subprocess
import sys
from collections.abc import Mapping

from launcher.console import OptionsError
from launcher.options import Options, is_loopback, names_tokens
from launcher.processes.plan import ROOT


def require_sign_in(options: Options, environ: Mapping[str, str]) -> None:
    """Refuse an address that others can reach if there are no tokens.

    Raises:
        OptionsError: others could reach the dashboard without a sign-in and without `--insecure`,
            or it cannot be found out whether they could.
    """
    if is_loopback(options.host) or options.insecure or names_tokens(environ):
        return
    if not has_stored_tokens(options, environ):
        raise OptionsError(
            f"refusing to listen on {options.host}: there are no tokens and so no sign-in, and "
            "whoever reaches that address could run and delete everything; `python -m launcher "
            f"token add NAME admin --data-dir {options.data_dir}` adds the first one; or add "
            "--insecure if the network is yours alone"
        )


def has_stored_tokens(options: Options, environ: Mapping[str, str]) -> bool:
    """Ask the backend's command line whether the database has, or ever had, tokens; blocks.

    Raises:
        OptionsError: it cannot be found out; the message says why.
    """
    command = [sys.executable, "-m", "backend.admin", "token", "is-closed"]
    ended = subprocess.run(
        [*command, "--data-dir", str(options.data_dir)],
        cwd=ROOT,
        env=dict(environ),
        capture_output=True,
        text=True,
        check=False,
    )
    answer = ended.stdout.strip()
    if ended.returncode or answer not in {"closed", "open"}:
        reason = ended.stderr.strip() or f"exit status {ended.returncode}"
        raise OptionsError(f"it cannot be found out whether there are tokens: {reason}")
    return answer == "closed"
