"""The viewer's choices in the page's address, so that a link opens the same view.

The address decides: the browser's Back button changes it but not the inputs. An input is set only
where it differs from the address, because setting it removes a text that is being typed.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

import streamlit as st

MAX_ARMS: Final = 40
"""The API's limit on arms that are compared at once."""

_ARM: Final = "arm"


def chosen_arms() -> list[str]:
    """Return the arms in the address, in its order, at most MAX_ARMS."""
    return list(dict.fromkeys(st.query_params.get_all(_ARM)))[:MAX_ARMS]


def too_many() -> bool:
    """Return whether the address names more arms than can be compared."""
    return len(set(st.query_params.get_all(_ARM))) > MAX_ARMS


def choose_arms(arms: Sequence[str]) -> None:
    """Put these arms into the address."""
    if arms:
        st.query_params[_ARM] = list(dict.fromkeys(arms))
    else:
        st.query_params.pop(_ARM, None)


def widget_key(name: str) -> str:
    """Return the key of the input for a parameter of the address."""
    return f"compare_{name}"


def text_value(name: str) -> str:
    """Return a text parameter of the address, and set its input to it."""
    return str(_set_widget(name, st.query_params.get(name, "")))


def one_value(name: str, options: Sequence[str], default: str | None) -> str | None:
    """Return the option in the address, else the default, and set its input to it."""
    asked = st.query_params.get(name, "")
    found = asked if asked in options else default
    _set_widget(name, found)
    return found


def several_values(name: str, options: Sequence[str], default: Sequence[str]) -> list[str]:
    """Return the options in the address, else the default, and set their input to them."""
    found = [one for one in dict.fromkeys(st.query_params.get_all(name)) if one in options]
    found = found or list(default)
    _set_widget(name, found)
    return found


def bool_value(name: str, *, default: bool = False) -> bool:
    """Return the switch in the address, else the default, and set its input to it."""
    found = {"1": True, "0": False}.get(st.query_params.get(name, ""), default)
    return bool(_set_widget(name, found))


def store_value(name: str, default: Any = None) -> None:
    """Put an input's value into the address; remove it there if it is the default."""
    value = st.session_state.get(widget_key(name))
    if value == default or value in (None, "", []):
        st.query_params.pop(name, None)
    elif isinstance(value, bool):
        st.query_params[name] = str(int(value))
    else:
        st.query_params[name] = value


def store_filter(name: str, default: Any = None) -> None:
    """Put a filter's value into the address as `store_value` does; back to the first page."""
    store_value(name, default)
    st.query_params.pop("page", None)


def widget_arguments(name: str, default: Any = None) -> dict[str, Any]:
    """Return the arguments that connect an input to its parameter of the address."""
    return {"key": widget_key(name), "on_change": partial(store_value, name, default)}


def choice_values(
    options: Mapping[str, Sequence[str]], default: Mapping[str, str]
) -> dict[str, str]:
    """Return for each parameter its option in the address, else the default; set the inputs."""
    return {
        name: one_value(name, own, default[name]) or default[name] for name, own in options.items()
    }


def _set_widget(name: str, value: Any) -> Any:
    key = widget_key(name)
    if (st.session_state.get(key) or None) != (value or None) or key not in st.session_state:
        st.session_state[key] = value
    return value
