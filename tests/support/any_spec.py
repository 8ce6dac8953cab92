"""Any valid spec, as a strategy of hypothesis, from the JSON schemas of the contract."""

from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from contract.catalogue.catalogue import catalogue
from contract.catalogue.practical import practical_problems
from contract.comparison.problems import SpecError
from contract.comparison.spec import parse_spec
from contract.metrics import METRICS

CATALOGUE = catalogue()
TEXT = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=12
).filter(str.strip)
"""One line."""
TAGS = ("one, two", 'say "no"', '"', ",", "a; b")
PARTS = {"batch_size": st.sampled_from([8, 16, 32]), "m": st.sampled_from([2, 4])}
"""Values of settings that must fit one another."""
FIXED = {"dataset", "folder", "file", "weights_file"}
"""Settings that name a place, of which exactly one goes with the others."""


def section(schema: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Any values of some of a section's settings; the others have their defaults."""
    definitions = schema.get("$defs", {})
    optional = {
        name: PARTS.get(name, value(part, definitions))
        for name, part in schema["properties"].items()
        if name != "kind" and name not in FIXED
    }
    fixed = {
        name: st.just(part["const"])
        for name, part in schema["properties"].items()
        if name == "kind" and "const" in part
    }
    return st.fixed_dictionaries(fixed, optional=optional)


def value(  # noqa: PLR0911
    part: dict[str, Any], definitions: dict[str, Any]
) -> st.SearchStrategy[Any]:
    """Any value of one setting."""
    if "$ref" in part:
        target = definitions[part["$ref"].rpartition("/")[2]]
        return section({**target, "$defs": definitions})
    if branches := part.get("oneOf") or part.get("anyOf"):
        return st.one_of(*(value(branch, definitions) for branch in branches))
    if "enum" in part:
        return st.sampled_from(part["enum"])
    if part["type"] == "boolean":
        return st.booleans()
    if part["type"] == "null":
        return st.none()
    if part["type"] == "string":  # the name of a model for texts
        return st.sampled_from(["", "minilm", "team/potion-base.8M"])
    low = part["minimum"] if "minimum" in part else part["exclusiveMinimum"]
    high = part["maximum"] if "maximum" in part else part["exclusiveMaximum"]
    if part["type"] == "integer":
        most = high if "maximum" in part else high - 1
        return st.integers(low, most)
    return st.floats(
        low,
        high,
        exclude_min="exclusiveMinimum" in part,
        exclude_max="exclusiveMaximum" in part,
    )


def space(setting: dict[str, Any], draw: st.DrawFn) -> dict[str, Any]:
    """Any space of a setting of a search."""
    if setting["choices"]:
        return {"choices": draw(st.lists(st.sampled_from(setting["choices"]), min_size=1))}
    numbers: Any = st.integers(1, 900)
    if setting["type"] == "number":
        numbers = st.floats(1e-9, 900.0)
    if draw(st.booleans()):
        return {"choices": draw(st.lists(numbers, min_size=1, max_size=5, unique=True))}
    low, high = sorted(draw(st.lists(numbers, min_size=2, max_size=2, unique=True)))
    return {"low": low, "high": high, "log": draw(st.booleans())}


@st.composite
def any_spec(draw: st.DrawFn) -> dict[str, Any]:
    """Any valid spec that people can submit."""
    data_row = draw(st.sampled_from(CATALOGUE["data"]))
    data = draw(section(data_row["schema"]))
    places = FIXED & set(data_row["schema"]["properties"])
    if places:
        data[draw(st.sampled_from(sorted(places)))] = draw(st.sampled_from(["/a/b c", "d0123"]))
    encoder = draw(_encoder(data_row["items"]))
    visual = None
    if data_row["visual"] is not None:
        shared = {"embedding_dim": encoder.get("embedding_dim", 64)}
        shared["normalize"] = encoder.get("normalize", True)
        visual = {**draw(_encoder(data_row["visual"])), **shared}
    training = draw(section(CATALOGUE["training"]))
    if "images" not in (data_row["items"], data_row["visual"]):
        training.pop("augmentation", None)
    tuned = draw(st.booleans())
    names = draw(st.lists(TEXT, min_size=1, max_size=4, unique_by=str.strip))
    arms = [draw(_arm(name, tuned=tuned)) for name in names]
    raw: dict[str, Any] = {
        "name": draw(TEXT),
        "tags": draw(st.lists(TEXT | st.sampled_from(TAGS), max_size=4)),
        "notes": draw(st.text(st.characters(exclude_categories=["Cs"]), max_size=30)),
        "data": data,
        "encoder": encoder,
        "visual_encoder": visual,
        "training": training,
        "measure": draw(section(CATALOGUE["measure"])),
        "arms": arms,
        "seeds": draw(st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=9, unique=True)),
        "replicate": draw(st.sampled_from(["seed", "split"])),
        "practical": draw(_practical()),
        "tuning": draw(_tuning()) if tuned else None,
    }
    assume(not practical_problems(raw["practical"]))
    try:
        parse_spec(raw)
    except SpecError:
        assume(False)
    return raw


def _encoder(items: str) -> st.SearchStrategy[dict[str, Any]]:
    rows = [row for row in CATALOGUE["encoders"] if items in row["takes"]]
    return st.sampled_from(rows).flatmap(lambda row: section(row["schema"])).map(_with_weights)


def _with_weights(encoder: dict[str, Any]) -> dict[str, Any]:
    file = {"weights_file": "/weights.pt"} if encoder.get("weights") == "file" else {}
    return {**encoder, **file}


@st.composite
def _arm(draw: st.DrawFn, name: str, *, tuned: bool) -> dict[str, Any]:
    row = draw(st.sampled_from(CATALOGUE["losses"]))
    arm: dict[str, Any] = {"name": name, "loss": draw(section(row["schema"]))}
    own = draw(section(CATALOGUE["training"]))
    arm["training"] = {key: own[key] for key in own if key in CATALOGUE["arm_training"]}
    if tuned:
        settings = {one["path"]: one for one in CATALOGUE["tuning"]["settings"][row["kind"]]}
        chosen = draw(st.lists(st.sampled_from(sorted(settings)), max_size=3, unique=True))
        arm["search"] = {path: space(settings[path], draw) for path in chosen}
    return arm


def _practical() -> st.SearchStrategy[dict[str, float]]:
    keys = st.sampled_from([*METRICS, *(row["key"] for row in CATALOGUE["practical"])])
    return st.dictionaries(keys, st.floats(1e-9, 0.5) | st.floats(1.0001, 1e12), max_size=3)


def _tuning() -> st.SearchStrategy[dict[str, Any]]:
    schema = dict(CATALOGUE["tuning"]["schema"])
    properties = dict(schema["properties"])
    seeds = st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=5, unique=True)
    del properties["objective"], properties["trial_seeds"]
    others = section({**schema, "properties": properties})
    objective = st.sampled_from(CATALOGUE["tuning"]["objectives"])
    return st.tuples(
        others, st.fixed_dictionaries({}, optional={"objective": objective, "trial_seeds": seeds})
    ).map(lambda both: {**both[0], **both[1]})
