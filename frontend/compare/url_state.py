"""What the viewer chose stands in the page's address, so that a link opens the same view.

The address is what holds: the browser's way back changes it and not the inputs. An input is set
only where it differs from the address, for setting one takes away what is half typed in it.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

import streamlit as st

MAX_ARMS: Final = 40
"""As many as the API compares at once."""

_ARM: Final = "arm"


def chosen_arms() -> list[str]:
    """The arms that the address names, in its order; more than MOST_ARMS are left out."""
    return list(dict.fromkeys(st.query_params.get_all(_ARM)))[:MAX_ARMS]


def too_many() -> bool:
    """Whether the address names more arms than can be compared."""
    return len(set(st.query_params.get_all(_ARM))) > MAX_ARMS


def choose_arms(arms: Sequence[str]) -> None:
    """Put these arms into the address."""
    if arms:
        st.query_params[_ARM] = list(dict.fromkeys(arms))
    else:
        st.query_params.pop(_ARM, None)


def widget_key(name: str) -> str:
    """The key of the input for a part of the address."""
    return f"compare_{name}"


def text_value(name: str) -> str:
    """A text of the address; its input shows it."""
    return str(_set_widget(name, st.query_params.get(name, "")))


def one_value(name: str, options: Sequence[str], default: str | None) -> str | None:
    """One of the options; the default where the address names none of them. Its input shows it."""
    asked = st.query_params.get(name, "")
    found = asked if asked in options else default
    _set_widget(name, found)
    return found


def several_values(name: str, options: Sequence[str], default: Sequence[str]) -> list[str]:
    """Those of the options that the address names; the default where it names none."""
    found = [one for one in dict.fromkeys(st.query_params.get_all(name)) if one in options]
    found = found or list(default)
    _set_widget(name, found)
    return found


def bool_value(name: str, *, default: bool = False) -> bool:
    """Whether something is on; its input shows it."""
    found = {"1": True, "0": False}.get(st.query_params.get(name, ""), default)
    return bool(_set_widget(name, found))


def store_value(name: str, default: Any = None) -> None:
    """Take an input's value over into the address, or out of it where it is the default."""
    value = st.session_state.get(widget_key(name))
    if value == default or value in (None, "", []):
        st.query_params.pop(name, None)
    elif isinstance(value, bool):
        st.query_params[name] = str(int(value))
    else:
        st.query_params[name] = value


def store_filter(name: str, default: Any = None) -> None:
    """As `keep`, for what changes the list: it starts at its first page again."""
    store_value(name, default)
    st.query_params.pop("page", None)


def widget_arguments(name: str, default: Any = None) -> dict[str, Any]:
    """What ties an input to its part of the address, as keyword arguments of the input."""
    return {"key": widget_key(name), "on_change": partial(store_value, name, default)}


def choice_values(
    options: Mapping[str, Sequence[str]], default: Mapping[str, str]
) -> dict[str, str]:
    """Of each list of options the one that the address names, or the default; inputs show them."""
    return {
        name: one_value(name, own, default[name]) or default[name] for name, own in options.items()
    }


def _set_widget(name: str, value: Any) -> Any:
    key = widget_key(name)
    if (st.session_state.get(key) or None) != (value or None) or key not in st.session_state:
        st.session_state[key] = value
    return value
