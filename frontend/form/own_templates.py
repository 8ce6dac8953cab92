"""A team's own templates in the form: all of them, saving one, and changing the open one."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import streamlit as st

from frontend.api.client import Api
from frontend.api.types import Template, TemplateDetail
from frontend.comparison.tables_html import format_time
from frontend.comparison.template import MAX_NAME, MAX_NOTE
from frontend.errors import ApiError, FieldProblem
from frontend.form.draft import Draft
from frontend.form.schema_fields import Problem, problems_from_api
from frontend.ui.session import role_refusal, signed_in_person
from frontend.ui.text import count_text, escape_markdown
from frontend.ui.widgets import copy_link_button

SOURCE: Final = "template"
"""Key of the address that fills the form from a template: `?template=<id>`."""
BUTTONS: Final = 8
"""Templates with a button of their own; more are chosen from a list."""
_SAVED_KEY: Final = "new_template_saved"
"""Where the session keeps what was just done with a template, to say it in the next run."""

Write = Callable[[], Mapping[str, Any]]
"""Returns the spec of the form; reruns the page, with its problems, if it cannot be written."""


def read_templates(client: Api) -> Sequence[Template]:
    """Read the team's templates; if the API does not give them, say why and return none."""
    try:
        return client.templates()
    except ApiError as error:
        st.caption(f":material/warning: Templates cannot be listed now: {error.message}")
        return []


def template_buttons(draft: Draft, templates: Sequence[Template]) -> None:
    """Draw a button for each template, or the first few and a list of all."""
    if not templates:
        st.caption("None yet. “Save as template” beside the Start button saves this form.")
        return
    for template in templates[:BUTTONS]:
        used = draft.source == f"{SOURCE}={template['id']}"
        st.button(
            escape_markdown(template["name"]),
            icon=":material/check:" if used else None,
            type="primary" if used else "secondary",
            help=escape_markdown(_origin(template, with_note=True)),
            key=f"new_template_{template['id']}",
            on_click=_use,
            args=(draft, template["id"]),
        )
    if len(templates) > BUTTONS:
        _template_list(draft, templates)


def _template_list(draft: Draft, templates: Sequence[Template]) -> None:
    titles = {one["id"]: f"{one['name']} · {one['created_by']}" for one in templates}
    key = "new_template_list"

    def chosen() -> None:
        if (template := st.session_state.get(key)) in titles:
            _use(draft, template)
        st.session_state[key] = None

    st.selectbox(
        "All templates",
        list(titles),
        index=None,
        format_func=lambda template: titles[template],
        placeholder=f"All {len(templates)} templates",
        label_visibility="collapsed",
        key=key,
        width=260,
        on_change=chosen,
    )


def fill_from_template(client: Api, draft: Draft, template: str) -> None:
    """Fill the form from a template; what is wrong with it by now is named at the fields.

    Raises:
        ApiError: the API does not give the template.
    """
    found = client.template(template)
    draft.fill(found["spec"], f"{SOURCE}={template}")
    told = {problem.path for problem in draft.problems}
    fields = [FieldProblem(one["path"], one["message"]) for one in found["problems"]]
    draft.problems += [one for one in problems_from_api(fields) if one.path not in told]
    if draft.problems:
        things = count_text(len(draft.problems), "setting")
        need = "needs" if len(draft.problems) == 1 else "need"
        draft.note = f"This template is no longer valid as it was saved: {things} {need} a change."


def open_template(client: Api, draft: Draft, templates: Sequence[Template], write: Write) -> None:
    """Say what the open template is, and let its owner change it."""
    own = next((one for one in templates if draft.source == f"{SOURCE}={one['id']}"), None)
    if said := st.session_state.pop(_SAVED_KEY, ""):
        st.toast(said)
    if own is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(escape_markdown(_origin(own, with_note=True)), width="content")
        copy_link_button()
        refusal = _change_refusal(own)
        with st.popover(
            "Edit template", icon=":material/edit:", disabled=bool(refusal), help=refusal
        ):
            _editor(client, draft, own, write)


def _origin(template: Template, *, with_note: bool) -> str:
    by = f"Saved by {template['created_by']}, {format_time(template['created_at'])}."
    return f"{template['note']} {by}".strip() if with_note else by


def _change_refusal(template: Template) -> str | None:
    """Return why the viewer may not change a template; None if they may."""
    if refusal := role_refusal("editor"):
        return refusal
    person = signed_in_person()
    if person is None or person.may("admin") or person.name == template["created_by"]:
        return None
    owner = escape_markdown(template["created_by"])
    return f"Only {owner} and admins change it; save one of your own instead."


def _editor(client: Api, draft: Draft, own: Template, write: Write) -> None:
    at = own["id"]
    name = st.text_input("Name", own["name"], max_chars=MAX_NAME, key=f"new_template_name_{at}")
    note = st.text_input("Note", own["note"], max_chars=MAX_NOTE, key=f"new_template_note_{at}")
    if st.button("Save name and note", icon=":material/check:", key="new_template_rename"):
        _try(draft, lambda: client.patch_template(at, name=name, note=note), "Template saved.")
    st.caption("Its settings stay as they were saved until you replace them.")
    if st.button(
        "Replace its settings by this form", icon=":material/save:", key="new_template_put"
    ):
        spec = write()
        what = f"“{own['name']}” has the settings of this form now."
        _try(draft, lambda: client.patch_template(at, spec=spec), what)
    sure = st.checkbox("Delete it for everyone", key=f"new_template_sure_{at}")
    if sure and st.button("Delete template", icon=":material/delete:", key="new_template_delete"):
        said = f"“{own['name']}” was deleted."
        _try(draft, lambda: client.delete_template(at), said, forget=True)


def save_as_template(client: Api, draft: Draft, write: Write) -> None:
    """Draw the popover that saves the form as a new template."""
    refusal = role_refusal("editor")
    with st.popover(
        "Save as template", icon=":material/bookmark_add:", disabled=bool(refusal), help=refusal
    ):
        name = st.text_input(
            "Template name",
            max_chars=MAX_NAME,
            key="new_template_name",
            placeholder="Products, 5 seeds",
        )
        note = st.text_input(
            "Note", max_chars=MAX_NOTE, key="new_template_note", placeholder="What it is for"
        )
        st.caption("Everyone on this board can start from it.")
        if not st.button("Save template", type="primary", key="new_template_save"):
            return
        if not name.strip():
            st.error("A template needs a name.")
            return
        spec = write()
        given = {**spec, "name": spec["name"].strip() or name}

        def save() -> TemplateDetail:
            return client.create_template(name, given, note=note)

        _try(draft, save, f"Template “{name.strip()}” saved.", open_it=True)


def _try(
    draft: Draft,
    change: Callable[[], TemplateDetail | None],
    said: str,
    *,
    open_it: bool = False,
    forget: bool = False,
) -> None:
    """Make a change and say so in the next run, or show what is wrong with it."""
    try:
        made = change()
    except ApiError as error:
        if of_spec := _spec_problems(error):
            draft.problems = of_spec
            need = "needs" if len(of_spec) == 1 else "need"
            things = count_text(len(of_spec), "setting")
            draft.note = f"The template was not saved: {things} {need} a change."
            st.rerun()
        for path, message in error.fields or (("", error.message),):
            st.error(escape_markdown(f"{path}: {message}" if path else message))
        return
    st.session_state[_SAVED_KEY] = escape_markdown(said)
    if open_it and made is not None:
        draft.source = f"{SOURCE}={made['id']}"
        st.query_params.from_dict({SOURCE: made["id"]})
    if forget:
        draft.source = "deleted template"
        st.query_params.clear()
    st.rerun()


def _spec_problems(error: ApiError) -> list[Problem]:
    """Return the problems of an answer that are of the spec, by the form's paths."""
    below = [
        FieldProblem(path.removeprefix("spec").lstrip("."), message)
        for path, message in error.fields
        if path == "spec" or path.startswith("spec.")
    ]
    return problems_from_api(below)


def _use(draft: Draft, template: str) -> None:
    """Have the form filled from a template, in a callback."""
    draft.source = ""
    st.query_params.from_dict({SOURCE: template})
