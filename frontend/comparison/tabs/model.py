"""The tab Model: the trained encoder to take along, its script, its card and its embeddings."""

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote

import streamlit as st

from frontend.api.transport import PREFIX
from frontend.api.types import KeptModel, KeptPart, Model, Models
from frontend.comparison.tabs.view import AFTER_SEARCH, View, read_or_say
from frontend.ui.address import own_address
from frontend.ui.text import OPEN_STATES, STATE_TEXTS, bytes_text, escape_markdown

OLDER: Final = (
    "Not kept: models are not kept for runs of older versions. Duplicate this comparison and start "
    "it again to have them."
)
PARTS: Final = {
    "weights": "The weights",
    "embeddings": "The embeddings of the test split",
    "confusion": "The confusion of classes",
}


def show_model(view: View) -> None:
    """Draw the choice of a model, its download, its script and its card; or why there is none."""
    found = read_or_say("models", lambda: view.client.models(view.id), key="models_again")
    if found is None:
        return
    suggested = found["suggested"]
    if suggested is None:
        _show_nothing(view)
        return
    with st.container(key="model-suggested"):
        st.markdown(
            f"**{escape_markdown(suggested['arm'])}, seed {suggested['seed']}** is suggested. "
            + escape_markdown(f"{suggested['why_arm']} {suggested['why_seed']}")
        )
    chosen = _choose(view, found)
    _show_parts(view, chosen)


def _show_nothing(view: View) -> None:
    """Say why there is no model yet."""
    if view.is_searching and view.is_open:
        st.info(AFTER_SEARCH, icon=":material/tune:")
    elif view.is_open:
        st.info(
            "A model is kept when its run succeeds; the first one shows here by itself.",
            icon=":material/hourglass_empty:",
        )
    else:
        st.info(
            "No run of this comparison has succeeded, so there is no model to take. Set-up & logs "
            "has the reasons; Retry above starts these runs again.",
            icon=":material/deployed_code_alert:",
        )


def _choose(view: View, found: Models) -> KeptModel:
    """Let the viewer choose an arm and a seed. Returns the chosen model."""
    suggested = found["suggested"]
    assert suggested is not None
    having = [arm for arm in view.arms if any(run["arm"] == arm for run in found["runs"])]
    level = suggested["level"]

    def arm_text(arm: str) -> str:
        if arm == suggested["arm"]:
            return f"{arm} (suggested)"
        return f"{arm} (as good a choice)" if arm in level else arm

    with st.container(horizontal=True, gap="medium"):
        arm = st.selectbox(
            "Arm",
            having,
            index=having.index(suggested["arm"]),
            format_func=arm_text,
            key=f"model_arm_{view.id}",
            width=300,
        )
        runs = {run["seed"]: run for run in found["runs"] if run["arm"] == arm}
        best = _best_seed(list(runs.values()))
        seed = st.selectbox(
            "Seed",
            list(runs),
            index=list(runs).index(best),
            format_func=lambda seed: _seed_text(runs[seed], best, view.objective),
            key=f"model_seed_{view.id}_{arm}",
            width=300,
        )
    return runs[best if seed is None else seed]


def _best_seed(runs: Sequence[KeptModel]) -> int:
    """Return the seed with the best validation score, of equal ones the first; of those that have
    succeeded, if any have."""

    def place(run: KeptModel) -> tuple[bool, float, int]:
        score = run["score"]
        own = float("-inf") if score is None else score
        return run["state"] == "succeeded", own, -run["seed"]

    return max(runs, key=place)["seed"]


def _seed_text(run: KeptModel, best: int, objective: str) -> str:
    if run["state"] != "succeeded":
        return f"{run['seed']} ({STATE_TEXTS[run['state']]})"
    score = "" if run["score"] is None else f" (validation {objective} {run['score']:.3f}"
    if not score:
        return str(run["seed"])
    return f"{run['seed']}{score}{', the best' if run['seed'] == best else ''})"


def _show_parts(view: View, chosen: KeptModel) -> None:
    """Draw what the chosen run has kept."""
    if chosen["state"] != "succeeded":
        _show_unfinished(chosen)
        return
    parts: dict[str, KeptPart] = {part["kind"]: part for part in chosen["parts"]}
    if not parts:
        st.info(OLDER, icon=":material/history:")
        return
    for kind, part in parts.items():
        if not part["kept"]:
            verb = "is" if kind == "confusion" else "are"
            reason = escape_markdown(part["problem"])
            st.warning(f"{PARTS[kind]} {verb} not kept: {reason}.", icon=":material/cloud_off:")
    weights = parts.get("weights")
    if weights and weights["kept"]:
        model = read_or_say("model", lambda: view.client.model(chosen["run"]), key="model_again")
        if model is not None:
            _show_download(model)
    embeddings = parts.get("embeddings")
    if embeddings and embeddings["kept"]:
        _show_embeddings(chosen["run"], embeddings["size"])


def _show_unfinished(chosen: KeptModel) -> None:
    state = chosen["state"]
    if state in OPEN_STATES:
        said = f"This run is {state}: its model is kept when it succeeds."
        st.info(said, icon=":material/hourglass_empty:")
    else:
        st.info(
            f"This run is {state}, so it has no model. Choose another seed, or retry it under "
            "Set-up & logs.",
            icon=":material/deployed_code_alert:",
        )


def _show_download(model: Model) -> None:
    st.header("Download", anchor="download")
    size = bytes_text(sum(file["size"] for file in model["files"]))
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.link_button(
            f"Download the model (zip, {size})",
            run_url(model["run"], "model.zip"),
            icon=":material/download:",
            type="primary",
            key="model_zip",
        )
        st.caption("The weights that the values of the test split were measured with.")
    st.dataframe(
        [
            {"File": file["name"], "Size": bytes_text(file["size"]), "What it is": file["what"]}
            for file in model["files"]
        ],
        hide_index=True,
        width="stretch",
        key=f"model_files_{model['run']}",
        alt="Files of the download",
        column_config={
            "File": st.column_config.TextColumn(width=180),
            "Size": st.column_config.TextColumn(width=90),
            "What it is": st.column_config.TextColumn(width="large"),
        },
    )
    st.header("Use it", anchor="use")
    st.caption(
        "In the unpacked folder. The script needs PyTorch and no Lossboard; INPUT is a folder or a "
        "file of new items, which are prepared as in training."
    )
    st.code(
        f"pip install {' '.join(model['needs'])}\npython embed.py INPUT embeddings.npz",
        language="sh",
    )
    with st.expander("The script, embed.py"):
        st.code(model["script"], language="python", wrap_lines=True)
    with st.expander("The model card, README.md", expanded=True, key="model-card"):
        st.markdown(card_text(model["card"]))
    with st.expander("How the network is built, model.json"):
        st.json(_without_measures(model["description"]), expanded=2)


def _show_embeddings(run: str, size: int) -> None:
    st.header("Embeddings of the test split", anchor="embeddings")
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.link_button(
            "Parquet",
            run_url(run, "embeddings.parquet"),
            icon=":material/download:",
            key="model_parquet",
        )
        st.caption(
            f"A row for each item with its class, its nearest neighbour and its vector "
            f"({bytes_text(size)} unpacked), for pandas, DuckDB and embedding-atlas:"
        )
    st.code("embedding-atlas embeddings.parquet --vector embedding", language="sh")
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        for file in ("vectors.tsv", "metadata.tsv"):
            st.link_button(
                file,
                run_url(run, f"projector/{file}"),
                icon=":material/download:",
                key=f"model_{file}",
            )
        st.caption(
            "For the TensorBoard projector, which cannot open Parquet: load both under *Load* at "
            "projector.tensorflow\\.org, the vectors as step 1, the metadata as step 2."
        )


def run_url(run: str, file: str) -> str:
    """Return the URL path of a file of a run, on the same address as the page."""
    return own_address(f"{PREFIX}/runs/{quote(run, safe='')}/{file}")


def card_text(card: str) -> str:
    """Return a card without its front matter, with smaller headings, as Markdown of the page."""
    body = card.split("---\n", 2)[-1] if card.startswith("---\n") else card
    lines = body.strip().splitlines()
    return "\n".join(f"##{line}" if line.startswith("#") else line for line in lines)


def _without_measures(description: dict[str, Any]) -> dict[str, Any]:
    """Return a description without what the card shows better."""
    return {name: value for name, value in description.items() if name != "measured"}
