"""The fields of the form, read from the catalogue's JSON schemas, and problems at fields."""

import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from frontend.errors import FieldProblem
from frontend.form.tuning.settings import SearchSetting, read_settings

Json = Mapping[str, Any]
BOUNDS: Final = "practical"
"""Path of the field for all bounds that have no field of their own."""
BOUND_PATH: Final = f"{BOUNDS}."
"""Beginning of the path of one bound; the metric's key follows."""
Type = Literal["integer", "number", "boolean", "choice", "text"]


@dataclass(frozen=True)
class Field:
    """One setting."""

    name: str
    """Key of the setting in the spec's section."""
    title: str
    type: Type
    default: Any
    help: str = ""
    minimum: float | None = None
    """Smallest value that can be typed. If the schema excludes the bound of a real number itself,
    it can be typed too: the API refuses it, and its answer is shown at the field."""
    maximum: float | None = None
    excluded: tuple[float, ...] = ()
    """Those of the two bounds of a real number that are no values themselves."""
    options: tuple[Any, ...] = ()
    """Values of a choice; a choice with one value is not shown."""
    initial: Any = None
    """Value of the field in a new draft; a spec without the field means `default`."""
    optional: bool = False
    """Whether a number may be left empty: None."""
    shown_where: tuple[tuple[str, Any], ...] = ()
    """Settings of its section, each with the value under which the field has an effect."""
    shown_with_losses: tuple[str, ...] = ()
    """Kinds of loss for which the field has an effect; empty for a field that always has one."""

    @property
    def asked(self) -> bool:
        """Whether the form shows the field: there is something to choose."""
        return self.type != "choice" or len(self.options) > 1

    @property
    def step(self) -> int | float:
        """Change by one press of + or -: a tenth of the default's magnitude."""
        if self.type == "integer":
            return 1
        size = abs(float(self.default or 0))
        return float(f"{10.0 ** (math.floor(math.log10(size)) - 1):.0e}") if size else 0.01


@dataclass(frozen=True)
class Option:
    """One kind of a section, with the settings of this kind."""

    kind: str
    label: str
    idea: str = ""
    formula: str = ""
    """Formula in LaTeX."""
    paper: str = ""
    url: str = ""
    items: "tuple[Field | Choice, ...]" = ()
    holds: tuple[str, ...] = ()
    """For data: the type of its items, and of its visual items if it has two modalities."""
    takes: tuple[str, ...] = ()
    """For an encoder: the types of items that it can embed."""
    note: str = ""
    """For data: how workers get them."""
    replication: str = ""
    """For data: what a seed draws anew if the split varies too."""
    batch_classes: int | None = None
    """For data: the most classes that a ready-made search space puts into a batch; None where only
    the data themselves can say."""
    batch_classes_by: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """The same by the values of settings of the data on which it depends."""
    source: str = ""
    """For a loss: where it comes from."""
    shape: str = ""
    """For data that come as tuples: their shape, or the one to begin with."""
    shapes: tuple[str, ...] = ()
    """For a loss: the shapes of tuples on which it trains. For data: the shapes that their setting
    `shape` chooses from."""
    classes: bool = True
    """For a loss: whether it trains on class labels."""


@dataclass(frozen=True)
class Choice:
    """A section that has one of several kinds, named by `kind`."""

    name: str
    title: str
    options: tuple[Option, ...]

    def option(self, kind: object) -> Option:
        """Return the option of a kind; the first one if the kind is unknown."""
        return next((option for option in self.options if option.kind == kind), self.options[0])

    def taking(self, items: str) -> "Choice":
        """Return the choice among those encoders that can embed items of this type."""
        fitting = tuple(option for option in self.options if items in option.takes)
        return replace(self, options=fitting)

    def default_encoder(self, data: Option, items: str) -> Option:
        """Return the encoder to begin with: for large images the first backbone, else the encoder
        that can embed the fewest other types of items; where there are only backbones, the first
        one."""
        fitting = self.taking(items).options
        backbones = [option for option in fitting if _has_setting(option, "tuning")]
        others = [option for option in fitting if option not in backbones]
        if backbones and (not others or _has_setting(data, "image_size")):
            return backbones[0]
        return min(others, key=lambda option: len(option.takes))


def _has_setting(option: Option, name: str) -> bool:
    return any(item.name == name for item in option.items)


Items = tuple[Field | Choice, ...]


@dataclass(frozen=True)
class Bound:
    """A family of metrics, with the difference that does not matter by default."""

    key: str
    """Beginning of the metrics' keys."""
    label: str
    half_width: float


@dataclass(frozen=True)
class Form:
    """All fields of the form, section by section."""

    data: Choice
    encoder: Choice
    visual_encoder: Choice
    training: Items
    measure: Items
    loss: Choice
    arm_training: Items = ()
    """The settings of `training` that an arm may have of its own."""
    max_arms: int = 1
    """Most arms of a comparison."""
    max_arm_name: int = 1
    """Most characters of an arm's name."""
    bounds: tuple[Bound, ...] = ()
    ratio_bound: float = 1.0
    """The ratio that does not matter by default, of metrics that are compared by it."""
    tuning: tuple[Field, ...] = ()
    """The settings of a search, except the seeds of its trials."""
    trial_seeds: tuple[int, ...] = ()
    """Seeds of the trials of a spec that names none."""
    objective_labels: Mapping[str, str] = field(default_factory=dict)
    """Key of a metric that can be the objective of a search -> its label."""
    searches: Mapping[str, tuple[SearchSetting, ...]] = field(default_factory=dict)
    """Kind of loss -> what a search of an arm with it can vary."""


def read_form(catalogue: Json) -> Form:
    """Read the form that a catalogue (GET /catalogue) describes."""
    texts = [*catalogue["samplers"], *catalogue["optimizers"]]
    search = catalogue["tuning"]
    labels = {row["key"]: row["label"] for row in catalogue["metrics"]}
    training = read_items(catalogue["training"], texts)
    return Form(
        data=_choice("data", "Data", catalogue["data"]),
        encoder=_choice("encoder", "Encoder", catalogue["encoders"]),
        visual_encoder=_choice("visual_encoder", "Visual encoder", catalogue["encoders"]),
        training=training,
        measure=read_items(catalogue["measure"]),
        loss=_choice("loss", "Loss", catalogue["losses"]),
        arm_training=tuple(item for item in training if item.name in catalogue["arm_training"]),
        max_arms=catalogue["limits"]["arms"],
        max_arm_name=catalogue["limits"]["arm_name"],
        bounds=tuple(Bound(**row) for row in catalogue["practical"]),
        ratio_bound=catalogue["practical_ratio"],
        tuning=_tuning_fields(search),
        trial_seeds=tuple(search["schema"]["properties"]["trial_seeds"]["default"]),
        objective_labels={key: labels[key] for key in search["objectives"]},
        searches={kind: read_settings(rows) for kind, rows in search["settings"].items()},
    )


def _tuning_fields(search: Json) -> tuple[Field, ...]:
    """Return the settings of a search; how many trials TPE proposes together has no effect with
    random draws."""
    found = []
    for item in read_items(search["schema"]):
        if isinstance(item, Field) and item.name != "trial_seeds":
            more: dict[str, Any] = {}
            if item.name == "objective":
                more = {"type": "choice", "options": tuple(search["objectives"])}
            elif item.name == "round":
                more = {"shown_where": (("sampler", "tpe"),)}
            found.append(replace(item, **more))
    return tuple(found)


def read_items(schema: Json, texts: Sequence[Json] = ()) -> Items:
    """Read the settings of one section.

    Args:
        schema: a JSON schema of type object, with its $defs.
        texts: catalogue rows that describe the kinds of unions in the schema.
    """
    definitions = schema.get("$defs", {})
    return tuple(
        _union(name, part, definitions, texts) if "oneOf" in part else _field(name, part)
        for name, part in schema["properties"].items()
        if name != "kind"
    )


def _choice(name: str, title: str, rows: Sequence[Json]) -> Choice:
    return Choice(name, title, tuple(_option(row, read_items(row["schema"])) for row in rows))


def _option(row: Json, items: Items) -> Option:
    return Option(
        kind=row["kind"],
        label=row["label"],
        idea=row.get("idea", ""),
        formula=row.get("formula", ""),
        paper=row.get("paper", ""),
        url=row.get("url", ""),
        items=items,
        holds=tuple(filter(None, (row.get("items"), row.get("visual")))),
        takes=tuple(row.get("takes", ())),
        note=_SOURCE_NOTES.get(row.get("source", ""), "").format(**row),
        replication=row.get("replication", ""),
        batch_classes=row.get("batch_classes"),
        batch_classes_by=row.get("batch_classes_by", {}),
        source=row.get("source", ""),
        shape=row.get("shape") or "",
        shapes=tuple(row.get("shapes", ())),
        classes=row.get("classes", True),
    )


_SOURCE_NOTES: Final = {
    "fetched": "Downloaded when a run first needs it: {size}.",
    "placed": "`python -m worker.data list` says which files go where: {size}.",
}
"""Source of a data set -> note on how workers get it."""


def _union(name: str, part: Json, definitions: Json, texts: Sequence[Json]) -> Choice:
    options = []
    for branch in part["oneOf"]:
        schema = definitions[branch["$ref"].rpartition("/")[2]]
        kind = schema["properties"]["kind"]["const"]
        row = next((row for row in texts if row["kind"] == kind), {"kind": kind, "label": kind})
        options.append(_option(row, read_items({**schema, "$defs": definitions}, texts)))
    return Choice(name, part.get("title", _title_from_name(name)), tuple(options))


def _field(name: str, part: Json) -> Field:
    kinds = [branch for branch in part.get("anyOf", ()) if branch.get("type") != "null"]
    optional = len(part.get("anyOf", ())) > len(kinds) == 1
    part = {**kinds[0], **part} if optional else part
    options = tuple(part["enum"]) if "enum" in part else ()
    if "const" in part:
        options = (part["const"],)
    types: dict[str, Type] = {"integer": "integer", "number": "number", "boolean": "boolean"}
    kind = "choice" if options else types.get(part.get("type", ""), "text")
    minimum, maximum = part.get("minimum"), part.get("maximum")
    beyond = 1 if kind == "integer" else 0
    open_ends = [part[end] for end in ("exclusiveMinimum", "exclusiveMaximum") if end in part]
    if "exclusiveMinimum" in part:
        minimum = part["exclusiveMinimum"] + beyond
    if "exclusiveMaximum" in part:
        maximum = part["exclusiveMaximum"] - beyond
    nothing = {"choice": options[0] if options else None, "boolean": False, "text": ""}
    default = part.get("default", nothing.get(kind, minimum or 0))
    default = float(default) if kind == "number" and default is not None else default
    return Field(
        name=name,
        title=part.get("title", _title_from_name(name)),
        type=kind,
        default=default,
        help=part.get("description", ""),
        minimum=minimum,
        maximum=maximum,
        excluded=() if beyond else tuple(map(float, open_ends)),
        options=options,
        initial=part.get("x-initial", default),
        optional=optional,
        shown_where=tuple(part.get("x-shown-where", {}).items()),
        shown_with_losses=tuple(part.get("x-shown-with-losses", ())),
    )


def _title_from_name(name: str) -> str:
    return name.replace("_", " ").capitalize()


@dataclass(frozen=True)
class Problem:
    """One problem of a spec."""

    path: str
    """Path of the field in the form, as arms.0.loss.margin; empty for the whole spec."""
    message: str


def problems_from_api(fields: Iterable[FieldProblem]) -> list[Problem]:
    """Return the problems of an API error."""
    return [Problem(form_path(path), message) for path, message in fields]


def form_path(path: str) -> str:
    """Return the API's path arms[0].loss.margin as the form's arms.0.loss.margin."""
    return re.sub(r"\[(\d+)\]", r".\1", path)


def problem_field(problem: Problem, shown: Collection[str]) -> str | None:
    """Return the shown field to which a problem belongs; None if there is none.

    A problem of one item of a list (seeds.1) belongs to the field of the list, and one of a bound
    without a field of its own to the field of the other bounds.
    """
    path = problem.path
    if path.startswith(BOUND_PATH) and path not in shown:
        path = BOUNDS
    while path and path not in shown:
        head, _, last = path.rpartition(".")
        if not last.isdigit():
            return None
        path = head
    return path or None


def path_text(path: str, titles: Mapping[str, str]) -> str:
    """Return a path in words: "Arm 1, Margin"."""
    arm = re.match(r"arms\.(\d+)\.", path)
    before = f"Arm {int(arm[1]) + 1}, " if arm else ""
    name = path.rpartition(".")[2].replace("_", " ")
    return f"{before}{titles.get(path, name)}"
