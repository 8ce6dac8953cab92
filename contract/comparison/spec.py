"""The comparison spec, which the form posts, the API stores and the worker runs."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Annotated, Any, Final, NamedTuple, TypeVar

from pydantic import AfterValidator, Field, StringConstraints, TypeAdapter, ValidationError

from contract.comparison.bounds import Shortened
from contract.comparison.checks import (
    augmentation_problems,
    batch_problems,
    duplicate_problems,
    encoder_problems,
    source_problems,
)
from contract.comparison.data import Data
from contract.comparison.encoder import Encoder
from contract.comparison.loss import Loss
from contract.comparison.problems import Problem, Section, SpecError, problems_of_validation
from contract.comparison.replication import (
    Replicate,
    ReplicationKind,
    kind_of,
    replication_problems,
)
from contract.comparison.training import Measure, Training, TrainingOverrides
from contract.comparison.tuning import Search, TrialRun, Tuning
from contract.comparison.tuple_checks import loss_problems, sampler_problems
from contract.names import ONE_LINE, has_control_character

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Tag = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=50)]


def _check_one_line(name: str) -> str:
    if has_control_character(name):
        raise ValueError(ONE_LINE)
    return name


NewName = Annotated[Name, AfterValidator(_check_one_line)]
"""A name that is given now: one line. Stored names may be of a version that allowed more."""
NewTag = Annotated[Tag, AfterValidator(_check_one_line)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]
MAX_SEEDS: Final = 100
"""Seeds of one comparison."""
MAX_ARMS: Final = 20
"""Arms of one comparison."""
MAX_ARM_NAME: Final = 80
"""Characters of an arm's name."""
MAX_PRACTICAL: Final = 50
"""Bounds of one spec; below the number of unknown keys that `shorten` keeps of an object."""
HalfWidth = Annotated[float, Field(gt=0, allow_inf_nan=False)]
T = TypeVar("T")


class Arm(Section):
    """One loss with its settings, and the training settings in which it differs."""

    name: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_ARM_NAME)
    ]
    loss: Loss
    training: TrainingOverrides = Field(default_factory=TrainingOverrides)
    search: Search = Field(default_factory=dict)
    """What its trials vary, where the comparison is tuned."""


class ComparisonSpec(Section):
    """Arms x seeds under identical conditions.

    For one seed every arm starts from the same initial weights and, where its batch size and
    sampler are the shared ones, sees the same batches in the same order.
    """

    name: Name
    tags: list[Tag] = Field(default_factory=list, max_length=20)
    notes: str = Field("", max_length=20_000)
    data: Data
    encoder: Encoder
    visual_encoder: Encoder | None = None
    """The encoder of the second modality, where the data have two; it maps into the same space."""
    training: Training = Field(default_factory=Training)
    measure: Measure = Field(default_factory=Measure)
    arms: list[Arm] = Field(min_length=1, max_length=MAX_ARMS)
    seeds: list[Seed] = Field(min_length=1, max_length=MAX_SEEDS)
    replicate: Replicate = "seed"
    """What differs between the runs of one arm: the seed alone, on one split of the data; or the
    split too, which the run of the i-th seed (from 0) draws with the data's seed + i."""
    practical: dict[str, HalfWidth] = Field(default_factory=dict, max_length=MAX_PRACTICAL)
    """Differences that do not matter: metric or beginning of its key, without `test.`, -> half the
    width of the interval around 0 within which two arms count as level. For metrics that are
    compared by their ratio, such as norms and variances, the largest ratio, above 1."""
    tuning: Tuning | None = None
    """The search before the final runs; None for none."""
    trial: TrialRun | None = None
    """Set in the spec that a trial's run is trained by; None in every submitted one."""

    def arm(self, name: str) -> Arm:
        """Return the arm of that name.

        Raises:
            KeyError: the spec has no such arm.
        """
        for arm in self.arms:
            if arm.name == name:
                return arm
        raise KeyError(name)

    @property
    def tests_last_epoch(self) -> bool:
        """Whether the test split is read at the last epoch only. Final runs of a search with folds
        stop at the median best epoch of the folds, and choose nothing by their validation split."""
        return self.tuning is not None and self.tuning.folds > 1

    def data_of(self, seed: int) -> Data:
        """Return the data of the runs of one of the seeds: the data section, whose own seed is
        counted up by the place of the run's seed if the split is replicated."""
        if self.replicate == "seed":
            return self.data
        own = self.data.seed + self.seeds.index(seed)
        return self.data.model_copy(update={"seed": own})

    def training_of(self, arm: Arm) -> Training:
        """Return the training settings of an arm: the shared ones with its overrides."""
        return arm.training.over(self.training)


def replication(spec: ComparisonSpec) -> ReplicationKind:
    """Return what the runs of an arm replicate, on which their statistics depend."""
    return kind_of(spec.data, spec.replicate)


def parse_spec(raw: object) -> ComparisonSpec:
    """Turn posted JSON into a spec.

    Raises:
        SpecError: with every problem of every section, found in one pass; of very many the first.
    """
    shortened = shorten(raw)
    raw = shortened.value
    problems: list[Problem] = []
    spec: ComparisonSpec | None = None
    try:
        spec = ComparisonSpec.model_validate(raw)
    except ValidationError as error:
        problems += problems_of_validation(error)
    if isinstance(raw, Mapping):
        problems += _problems_between_sections(raw)
    if problems or spec is None:
        raise SpecError(problems, len(problems) + shortened.left_out)
    return spec


def shorten(raw: object) -> Shortened:
    """Return posted JSON without what no valid spec has, such as its millionth arm."""
    return Shortened(raw, _known_keys())


@cache
def _known_keys() -> frozenset[str]:
    """Return the names of all fields of all sections."""
    schema = ComparisonSpec.model_json_schema()
    sections = (schema, *schema["$defs"].values())
    return frozenset(name for section in sections for name in section.get("properties", ()))


def _problems_between_sections(raw: Mapping[str, Any]) -> list[Problem]:
    """Return problems between sections, checked on the valid ones, so that one invalid section does
    not hide problems between others."""
    data, training, arms = valid_sections(raw)
    encoder = _valid_or_none(_ENCODER, raw.get("encoder"))
    raw_visual = raw.get("visual_encoder")
    visual = None if raw_visual is None else _valid_or_none(_ENCODER, raw_visual)

    problems: list[Problem] = []
    if data:
        problems += source_problems(data)
    if data and encoder and (visual or raw_visual is None):
        problems += encoder_problems(data, encoder, visual)
        problems += augmentation_problems(data, encoder, visual, training) if training else []
    if data and training:
        problems += _batch_problems(data, training, "training")
    for index, arm in enumerate(arms):
        if data and arm:
            problems += loss_problems(data, arm.loss, f"arms[{index}]")
        if data and training and arm and arm.training != TrainingOverrides():
            own = arm.training.over(training)
            problems += _batch_problems(data, own, f"arms[{index}].training")
    problems += duplicate_problems([arm.name if arm else None for arm in arms], "arms", ".name")
    seeds = raw.get("seeds")
    replicate = _valid_or_none(_REPLICATE, raw.get("replicate", "seed"))
    if data and replicate:
        count = len(seeds) if isinstance(seeds, list) else 1
        problems += replication_problems(data, replicate, min(count, MAX_SEEDS))
    if isinstance(seeds, list):
        problems += duplicate_problems(valid_seeds(seeds), "seeds")
    return problems


def _batch_problems(data: Data, training: Training, path: str) -> list[Problem]:
    return [*batch_problems(data, training, path), *sampler_problems(data, training, path)]


class ValidSections(NamedTuple):
    """The sections of a posted spec that say what is trained on; None for one that is not valid."""

    data: Data | None
    training: Training | None
    arms: list[Arm | None]


def valid_sections(raw: Mapping[str, Any]) -> ValidSections:
    """Return those of these sections that are valid, whatever is wrong with the others."""
    arms = raw.get("arms")
    return ValidSections(
        _valid_or_none(_DATA, raw.get("data")),
        _valid_or_none(_TRAINING, raw.get("training", {})),
        [_valid_or_none(_ARM, arm) for arm in arms] if isinstance(arms, list) else [],
    )


def valid_seeds(raw: Sequence[object]) -> list[int | None]:
    """Return seeds as a spec reads them, "7" and 7.0 as 7, and None in the places of others."""
    return [_valid_or_none(_SEED, seed) for seed in raw]


_SEED: TypeAdapter[int] = TypeAdapter(Seed)
_DATA: TypeAdapter[Data] = TypeAdapter(Data)
_ENCODER: TypeAdapter[Encoder] = TypeAdapter(Encoder)
_TRAINING = TypeAdapter(Training)
_ARM = TypeAdapter(Arm)
_REPLICATE: TypeAdapter[Replicate] = TypeAdapter(Replicate)


def _valid_or_none(adapter: TypeAdapter[T], raw: object) -> T | None:
    try:
        return adapter.validate_python(raw)
    except ValidationError:
        return None  # reported by the validation of the whole spec
