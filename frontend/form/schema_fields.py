"""What the form can ask for, read from the catalogue's JSON schemas; pure functions.

Problems of a spec and the fields they belong to; pure functions.
"""

import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from frontend.errors import FieldProblem

Json = Mapping[str, Any]
Type = Literal["integer", "number", "boolean", "choice", "text"]


@dataclass(frozen=True)
class Field:
    """One setting."""

    name: str
    """Its key in the spec's section."""
    title: str
    type: Type
    default: Any
    help: str = ""
    minimum: float | None = None
    """Smallest value that can be typed. Where the schema excludes a real-numbered bound itself,
    only the API can tell, and its answer is shown at the field."""
    maximum: float | None = None
    options: tuple[Any, ...] = ()
    """Of a choice; a single one is not worth a question."""

    @property
    def asked(self) -> bool:
        """Whether there is anything to choose."""
        return self.type != "choice" or len(self.options) > 1

    @property
    def step(self) -> int | float:
        """What one press of + adds: a tenth of the default's magnitude."""
        if self.type == "integer":
            return 1
        size = abs(float(self.default or 0))
        return float(f"{10.0 ** (math.floor(math.log10(size)) - 1):.0e}") if size else 0.01


@dataclass(frozen=True)
class Option:
    """One kind of a section with its own settings."""

    kind: str
    label: str
    idea: str = ""
    formula: str = ""
    """LaTeX."""
    paper: str = ""
    url: str = ""
    items: "tuple[Field | Choice, ...]" = ()
    holds: tuple[str, ...] = ()
    """Of data: what its items are, and its visual items where it has two modalities."""
    takes: tuple[str, ...] = ()
    """Of an encoder: items it can embed."""
    note: str = ""
    """Of data: what it takes to get them."""


@dataclass(frozen=True)
class Choice:
    """A section of several kinds, told apart by `kind`."""

    name: str
    title: str
    options: tuple[Option, ...]

    def option(self, kind: object) -> Option:
        """The option of that kind; the first if there is none of it."""
        return next((option for option in self.options if option.kind == kind), self.options[0])

    def taking(self, items: str) -> "Choice":
        """The same choice among the encoders that can embed such items."""
        fitting = tuple(option for option in self.options if items in option.takes)
        return replace(self, options=fitting)

    def natural(self, data: Option, items: str) -> Option:
        """The encoder to begin with: for large images the first known backbone, else the one that
        is made for such items most of all."""
        fitting = self.taking(items).options
        known = [option for option in fitting if _asks(option, "tuning")]
        if known and _asks(data, "image_size"):
            return known[0]
        return min(
            (option for option in fitting if option not in known), key=lambda one: len(one.takes)
        )


def _asks(option: Option, name: str) -> bool:
    return any(item.name == name for item in option.items)


Items = tuple[Field | Choice, ...]


@dataclass(frozen=True)
class Form:
    """Everything that can be asked, section by section."""

    data: Choice
    encoder: Choice
    visual_encoder: Choice
    training: Items
    measure: Items
    loss: Choice


def read_form(catalogue: Json) -> Form:
    """The form that a catalogue (GET /catalogue) describes."""
    texts = [*catalogue["samplers"], *catalogue["optimizers"]]
    return Form(
        data=_choice_of("data", "Data", catalogue["data"]),
        encoder=_choice_of("encoder", "Encoder", catalogue["encoders"]),
        visual_encoder=_choice_of("visual_encoder", "Visual encoder", catalogue["encoders"]),
        training=read_items(catalogue["training"], texts),
        measure=read_items(catalogue["measure"]),
        loss=_choice_of("loss", "Loss", catalogue["losses"]),
    )


def read_items(schema: Json, texts: Sequence[Json] = ()) -> Items:
    """The settings of one section.

    Args:
        schema: a JSON schema of type object, with its $defs.
        texts: catalogue rows that name the kinds of unions inside it.
    """
    definitions = schema.get("$defs", {})
    return tuple(
        _union(name, part, definitions, texts) if "oneOf" in part else _field(name, part)
        for name, part in schema["properties"].items()
        if name != "kind"
    )


def _choice_of(name: str, title: str, rows: Sequence[Json]) -> Choice:
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
        note=_NOTES.get(row.get("source", ""), "").format(**row),
    )


_NOTES: Final = {
    "fetched": "Downloaded when a run first needs it: {size}.",
    "placed": "`python -m worker.data list` says which files go where: {size}.",
}
"""By where data sets come from."""


def _union(name: str, part: Json, definitions: Json, texts: Sequence[Json]) -> Choice:
    options = []
    for branch in part["oneOf"]:
        schema = definitions[branch["$ref"].rpartition("/")[2]]
        kind = schema["properties"]["kind"]["const"]
        row = next((row for row in texts if row["kind"] == kind), {"kind": kind, "label": kind})
        options.append(_option(row, read_items({**schema, "$defs": definitions}, texts)))
    return Choice(name, part.get("title", _spaced(name)), tuple(options))


def _field(name: str, part: Json) -> Field:
    options = tuple(part["enum"]) if "enum" in part else ()
    if "const" in part:
        options = (part["const"],)
    types: dict[str, Type] = {"integer": "integer", "number": "number", "boolean": "boolean"}
    kind = "choice" if options else types.get(part.get("type", ""), "text")
    minimum, maximum = part.get("minimum"), part.get("maximum")
    beyond = 1 if kind == "integer" else 0
    if "exclusiveMinimum" in part:
        minimum = part["exclusiveMinimum"] + beyond
    if "exclusiveMaximum" in part:
        maximum = part["exclusiveMaximum"] - beyond
    nothing = {"choice": options[0] if options else None, "boolean": False, "text": ""}
    default = part.get("default", nothing.get(kind, minimum or 0))
    return Field(
        name=name,
        title=part.get("title", _spaced(name)),
        type=kind,
        default=float(default) if kind == "number" else default,
        help=part.get("description", ""),
        minimum=minimum,
        maximum=maximum,
        options=options,
    )


def _spaced(name: str) -> str:
    return name.replace("_", " ").capitalize()


@dataclass(frozen=True)
class Problem:
    """One thing to change."""

    path: str
    """As in the form, arms.0.loss.margin; empty where it concerns the whole."""
    message: str


def from_api(fields: Iterable[FieldProblem]) -> list[Problem]:
    """The problems that an API error carries."""
    return [Problem(form_path(path), message) for path, message in fields]


def form_path(path: str) -> str:
    """The API's arms[0].loss.margin as the form's arms.0.loss.margin."""
    return re.sub(r"\[(\d+)\]", r".\1", path)


def place(problem: Problem, shown: Collection[str]) -> str | None:
    """The shown field at which a problem is marked; None where there is none.

    A problem of one item of a list (seeds.1) belongs to the list's field.
    """
    path = problem.path
    while path and path not in shown:
        head, _, last = path.rpartition(".")
        if not last.isdigit():
            return None
        path = head
    return path or None


def in_words(path: str, titles: Mapping[str, str]) -> str:
    """Where a problem is, for people: "Arm 1, Margin"."""
    arm = re.match(r"arms\.(\d+)\.", path)
    before = f"Arm {int(arm[1]) + 1}, " if arm else ""
    name = path.rpartition(".")[2].replace("_", " ")
    return f"{before}{titles.get(path, name)}"
