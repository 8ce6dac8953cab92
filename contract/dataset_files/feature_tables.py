"""Tables of features with labels, of one modality or of pairs of two, read from any format."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Final

from contract.dataset_files.arrow_source import ArrowSource
from contract.dataset_files.column_question import column_question
from contract.dataset_files.columns import Column
from contract.dataset_files.csv_file import open_csv
from contract.dataset_files.formats import format_of, refuse_no_table
from contract.dataset_files.hdf5 import h5_columns, h5_names, h5_source, open_h5
from contract.dataset_files.layout import (
    LABELS,
    Layout,
    Matrices,
    TableSource,
    layout_by_alias,
    layout_of_answer,
    listed,
    usual_layout,
)
from contract.dataset_files.npz import npz_source
from contract.dataset_files.parquet import open_parquet
from contract.dataset_files.problems import DEFAULT_LIMITS, FeatureTable, Findings, Limits
from contract.dataset_files.questions import NO_ANSWERS, Answers, UnansweredError
from contract.dataset_files.regular_file import regular_file
from contract.dataset_files.table import build_table
from contract.dataset_files.text_columns import has_texts
from contract.dataset_files.zip_files import open_zip

FEATURE_MATRICES: Final = {"features": "f"}

PAIRED_MATRICES: Final = {"audio": "a", "visual": "v"}

MATLAB_READER: Final = "contract.dataset_files.matfile"
"""Imported at first use: scipy's reader takes as long to import as all others together, and the
check of an upload is a process of its own."""

MAX_UNUSED: Final = 5
"""Columns that are not used and are named in a warning each; more are named in one."""

AVE_FILES: Final = {
    "audio": "audio_feature.h5",
    "visual": "visual_feature.h5",
    "labels": "labels.h5",
}
"""The files of the AVE data set's features; each holds one array."""


def read_features(
    path: Path, limits: Limits = DEFAULT_LIMITS, answers: Answers = NO_ANSWERS, *, ask: bool = False
) -> FeatureTable:
    """Read and check a table of one modality.

    Args:
        path: an npz file with features [N, D] and labels [N]; or Parquet with columns f0, f1, ...
            or a column `features` of lists, and `label`. Both may have fine labels and ids.
        limits: bounds on the size of the data.
        answers: how to read what can be read in several ways.
        ask: whether a missing answer is an error; if not, features of more than two dimensions are
            averaged.

    Raises:
        IntakeError: with every problem found, row by row.
        UnansweredError: an answer is missing.
    """
    return _read(path, FEATURE_MATRICES, limits, answers, ask=ask, ask_dimensions=ask)


def read_paired(
    path: Path, limits: Limits = DEFAULT_LIMITS, answers: Answers = NO_ANSWERS, *, ask: bool = False
) -> FeatureTable:
    """Read and check a table of two modalities.

    Features for each second [N, T, D], or for each second and position in the image, are averaged
    unless the answers say otherwise. Labels may be numbers or words [N], marks [N, C], or marks for
    each second [N, T, C].

    Args:
        path: an npz, HDF5 or MATLAB file with audio, visual and labels; Parquet with columns a0,
            a1, ... and v0, v1, ... or columns of lists; or a folder with the files of AVE.
        limits: bounds on the size of the data.
        answers: how to read what can be read in several ways.
        ask: whether a missing answer is an error.

    Raises:
        IntakeError: with every problem found, row by row.
        UnansweredError: an answer is missing.
    """
    if path.is_dir():
        return _read_ave(path, limits, Findings())
    return _read(path, PAIRED_MATRICES, limits, answers, ask=ask)


def _read(
    path: Path,
    matrices: Matrices,
    limits: Limits,
    answers: Answers,
    *,
    ask: bool,
    ask_dimensions: bool = False,
) -> FeatureTable:
    findings = Findings()
    dimensions = answers.dimensions or (None if ask_dimensions else "mean")
    with open_source(path, limits, findings) as source:
        layout = choose_layout(source, matrices, answers, findings, ask=ask)
        warn_of_unused(source.names, layout.names, findings)
        columns = source.columns(layout, limits, findings)
        return build_table(columns, layout, limits, findings, dimensions=dimensions)


def choose_layout(
    source: TableSource, matrices: Matrices, answers: Answers, findings: Findings, *, ask: bool
) -> Layout:
    """Return which columns are what: as somebody said, by their documented names, or by other names
    that leave no doubt.

    Raises:
        IntakeError: the table lacks columns.
        UnansweredError: the columns have other names, and it may ask.
    """
    if answers.columns:
        return layout_of_answer(answers.columns, source, matrices, findings)
    usual = usual_layout(source, matrices)
    if usual.is_complete:
        return usual
    _refuse_other_kind(source, matrices, findings)
    seen = source.look()
    if found := layout_by_alias(usual, seen, findings):
        return found
    if ask and (question := column_question(seen, matrices)):
        raise UnansweredError([question])
    if sum(one.holds == "words" for one in seen) > 1 and not any(
        one.holds in ("matrix", "numbers") for one in seen
    ):
        findings.add("kind", "holds words alone; if they are texts, upload it as 'text'")
    held = listed(source.names)
    advice = "" if ask else "; rename them, or upload it and say there which is what"
    if any(one.type.startswith("struct<bytes:") for one in seen):
        advice = "; images in a table are not read: upload them as 'image_folder', a zip of folders"
    for role, names in (*usual.matrices.items(), (LABELS[0], (usual.labels,))):
        if not any(names):
            findings.add(role, f"is missing; the file holds {held}{advice}")
    return replace(usual, matrices={role: names for role, names in usual.matrices.items() if names})


def _refuse_other_kind(source: TableSource, matrices: Matrices, findings: Findings) -> None:
    other, kind = (
        (PAIRED_MATRICES, "paired_features")
        if matrices == FEATURE_MATRICES
        else (FEATURE_MATRICES, "features")
    )
    if usual_layout(source, other).is_complete:
        raise findings.refuse("kind", f"holds {', '.join(other)} and labels; upload it as '{kind}'")
    if has_texts(source.names):
        raise findings.refuse("kind", "holds texts and labels; upload it as 'text'")


def holds_features(source: TableSource) -> bool:
    """Return whether a table has features and labels under their documented names."""
    return usual_layout(source, FEATURE_MATRICES).is_complete


def warn_of_unused(all_names: Sequence[str], used: Collection[str], findings: Findings) -> None:
    """Warn of columns that are not used."""
    names = [name for name in all_names if name not in used]
    if len(names) > MAX_UNUSED:
        findings.warn("", f"columns are not used: {listed(names)}")
        return
    for name in names:
        findings.warn(name or "the column without a name", "is not used")


def _read_ave(folder: Path, limits: Limits, findings: Findings) -> FeatureTable:
    """Read the folder of AVE's features; the last of its 29 classes is background."""
    for file in AVE_FILES.values():
        if not (folder / file).exists():
            findings.add(file, f"is not in {folder}; AVE's features are three files")
    findings.raise_if_any()
    columns: dict[str, Column] = {}
    with ExitStack() as stack:
        for name, file in AVE_FILES.items():
            path = stack.enter_context(_regular(folder / file, findings))
            opened = stack.enter_context(open_h5(path, file, findings))
            found = list(h5_columns(opened, h5_names(opened, findings), findings).values())
            if len(found) == 1:
                columns[name] = found[0]
            else:
                findings.add(file, f"holds {len(found)} arrays; needs one")
        findings.raise_if_any()
        layout = Layout({role: (role,) for role in PAIRED_MATRICES}, LABELS[0])
        return build_table(columns, layout, limits, findings, background=True)


@contextmanager
def open_source(path: Path, limits: Limits, findings: Findings) -> Iterator[TableSource]:
    """Open a table's file, recognised by its content; it can be read inside the block.

    Raises:
        IntakeError: the file has another format, or is damaged.
    """
    with _regular(path, findings) as opened, _source(opened, path.name, limits, findings) as source:
        yield source


@contextmanager
def _source(path: Path, name: str, limits: Limits, findings: Findings) -> Iterator[TableSource]:
    try:
        found = format_of(path)
    except OSError as error:
        raise findings.refuse(name, f"cannot be read: {error.strerror or error}") from error
    match found:
        case "npz":
            with open_zip(path, findings) as opened:
                yield npz_source(opened)
        case "parquet":
            yield ArrowSource(open_parquet(path, name, findings))
        case "csv":
            yield ArrowSource(open_csv(path, limits, findings))
        case "h5":
            with open_h5(path, name, findings) as h5:
                yield h5_source(h5, findings)
        case "mat":
            yield import_module(MATLAB_READER).mat_source(path, limits, findings)
        case _:
            raise refuse_no_table(found, findings)


@contextmanager
def _regular(path: Path, findings: Findings) -> Iterator[Path]:
    """Hold a file open and yield a path for its readers.

    Raises:
        IntakeError: it is no regular file, or cannot be opened.
    """
    with ExitStack() as stack:
        try:
            opened = stack.enter_context(regular_file(path))
        except OSError as error:
            raise findings.refuse(
                str(path), f"cannot be read: {error.strerror or error}"
            ) from error
        yield opened
