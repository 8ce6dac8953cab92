"""What limits a verdict, as sentences.

Pure functions.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from backend.db.models import Run
from backend.verdict.schemas import ArmStateOut, Pair
from backend.verdict.tuned import budget_caveat, edge_caveats, range_caveats, searched
from backend.verdict.wording import count, listed, listed_arms, named
from contract.comparison.differences import BATCH_SETTINGS, Difference, differences
from contract.comparison.loss import ACTIVE_EPS, PluginLoss
from contract.comparison.replication import ReplicationKind, kind_of, replicate_noun
from contract.comparison.spec import ComparisonSpec
from contract.metrics.states import NOT_TRAINED
from contract.statistics import ALPHA, ENUMERATED_SEEDS, FEWEST, RANDOM_FLIPS, smallest_p

_EXACTLY_ZERO_LOSSES: Final = {"contrastive", "triplet"}
"""Losses that become exactly 0."""
SHORT_DIGEST: Final = 8
"""Digits of a digest that are shown."""
_VERSION_NAMES: Final = {"engine": "engines", "measures": "definitions of the measures"}
_UNKNOWN: Final = "0.5 or older"


@dataclass(frozen=True)
class Facts:
    """What a verdict rests on."""

    spec: ComparisonSpec
    """With the settings that the runs were trained by."""
    arms: Pair | None
    """The two arms that are judged, if there are two."""
    runs: Sequence[Run]
    """The runs of these two arms."""
    pairs: int
    """Number of seeds at which the runs of both arms have succeeded."""
    family: int
    """Number of claims that are judged together."""
    pull_shares: Mapping[str, float]
    """Arm -> measured share of the trained loss's weight that pulls, if the arms differ in it."""
    states: Sequence[ArmStateOut]
    """What the ended runs say about the training of the two arms."""
    dependent: bool = False
    """Whether the pairs are splits of one data set, which share items."""

    @property
    def kind(self) -> ReplicationKind:
        """What the pairs are replicates of."""
        return kind_of(self.spec.data, self.spec.replicate)

    @property
    def noun(self) -> str:
        """What one replicate is called."""
        return replicate_noun(self.kind)

    @property
    def arm_names(self) -> tuple[str, ...]:
        """Names of the two arms."""
        return (self.arms.a, self.arms.b) if self.arms else ()


def caveats(facts: Facts) -> list[str]:
    """Return what limits a verdict, as sentences, the most serious first; none without two arms."""
    if facts.arms is None:
        return []
    differs = differences(facts.spec, facts.arm_names)
    return [
        *_states(facts),
        *_missing_runs(facts.runs),
        *_mixed_versions(facts.runs),
        *_mixed_losses(facts.runs),
        *_different_batches(differs),
        *_differing_settings(
            [one for one in differs if one.setting not in searched(facts.spec, facts.arm_names)]
        ),
        *range_caveats(facts.spec, facts.arm_names),
        *edge_caveats(facts.spec, _with_runs(facts)),
        *_pull_shares(facts.pull_shares),
        *_replicates(facts),
        *_fixed_test_set(facts.kind),
        *_never_zero_losses(facts.spec, facts.arm_names),
        budget_caveat(facts.spec),
    ]


def _with_runs(facts: Facts) -> list[str]:
    """Return the names of the arms that have runs, and so have settings of their own."""
    known = {run.arm for run in facts.runs}
    return [name for name in facts.arm_names if name in known]


def _states(facts: Facts) -> list[str]:
    return [
        one.said
        if one.not_trained
        else f"{one.said} Those runs count like the others."
        if one.state in NOT_TRAINED and one.state != "overflow"
        else one.said
        for one in facts.states
    ]


def _missing_runs(runs: Iterable[Run]) -> list[str]:
    states = Counter(run.state for run in runs)
    total = states.total()
    lost = [f"{states[state]} {state}" for state in ("failed", "cancelled") if states[state]]
    sentences = []
    if open_ := states["queued"] + states["running"]:
        have = "has" if open_ == 1 else "have"
        sentences.append(
            f"{open_} of {total} runs {have} not finished: the verdict may still change."
        )
    if lost:
        sentences.append(
            f"Of {total} runs {' and '.join(lost)}: their seeds are left out of the comparison."
        )
    return sentences


def _mixed_versions(runs: Iterable[Run]) -> list[str]:
    """Name the versions of what trained and measured the runs, where they are not the same."""
    succeeded = [run.versions or {} for run in runs if run.state == "succeeded"]
    sentences = []
    for key, name in _VERSION_NAMES.items():
        found = sorted({str(versions.get(key, _UNKNOWN)) for versions in succeeded})
        if len(found) > 1:
            sentences.append(
                f"The runs are of different {name} ({', '.join(found)}): part of a difference may "
                "come from that. Retry the older runs to compare like with like."
            )
    return sentences


def _mixed_losses(runs: Iterable[Run]) -> list[str]:
    """Name the arms whose runs have a plug-in of several versions of its code."""
    found: dict[str, set[str]] = {}
    for run in runs:
        if run.state == "succeeded" and run.loss_digest:
            found.setdefault(run.arm, set()).add(run.loss_digest)
    return [
        f"The runs of {named(arm)} have {len(digests)} versions of its loss's code "
        f"({', '.join(sorted(one[:SHORT_DIGEST] for one in digests))}): part of a difference may "
        "come from that. Retry the older runs to compare like with like."
        for arm, digests in found.items()
        if len(digests) > 1
    ]


def _different_batches(differs: Sequence[Difference]) -> list[str]:
    if any(difference.setting in BATCH_SETTINGS for difference in differs):
        return ["The arms do not see the same batches: their batch size or sampler differs."]
    return []


def _differing_settings(differs: Sequence[Difference]) -> list[str]:
    if not differs:
        return []
    said = []
    for one in differs:
        values = ", ".join(f"{named(arm)}: {value}" for arm, value in one.values.items())
        said.append(f"{one.words} ({values})")
    return [f"The arms differ in more than their loss: {'; '.join(said)}."]


def _pull_shares(shares: Mapping[str, float]) -> list[str]:
    if not shares:
        return []
    said = listed([f"{share:.1%} in {named(arm)}" for arm, share in shares.items()])
    return [
        f"The share of the loss's weight that pulls differs: {said}. It follows from sampling and "
        "reduction, and decides results as much as the loss does; the reduction 'balanced' sets it."
    ]


def _replicates(facts: Facts) -> list[str]:
    n, k, noun = facts.pairs, facts.family, facts.noun
    if 0 < n < FEWEST:
        return [f"{count(n, noun)} cannot decide anything: at least {FEWEST} are needed."]
    if facts.dependent:
        return []
    sentences = []
    if n and k and 2 * k * 2.0**-n >= ALPHA:
        fewest = next(m for m in range(n, 100) if 2 * k * 2.0**-m < ALPHA)
        sentences.append(
            f"With {count(n, noun)} the exact test cannot reach {ALPHA} for {k} claims, with "
            f"{fewest} it could: the words rest on intervals, which assume that differences are "
            "roughly normal."
            + (f" No p below {smallest_p(n):g} is possible, so none is shown." if n < 6 else "")
        )
    if n > ENUMERATED_SEEDS:
        sentences.append(f"The p-values rest on {RANDOM_FLIPS:,} random sign flips, not on all.")
    return sentences


def _fixed_test_set(kind: ReplicationKind) -> list[str]:
    if kind == "fixed_test":
        return [
            "All runs have the same test items: what other test items would say is not part of "
            "the spread."
        ]
    return []


def _never_zero_losses(spec: ComparisonSpec, arms: Iterable[str]) -> list[str]:
    losses = {name: spec.arm(name).loss for name in arms}
    plugged = [name for name, loss in losses.items() if isinstance(loss, PluginLoss)]
    soft = [
        name
        for name, loss in losses.items()
        if name not in plugged and loss.kind not in _EXACTLY_ZERO_LOSSES
    ]
    said = []
    if plugged:
        said.append(
            f"The loss of {listed_arms(plugged)} is a plug-in, which says itself what its tuples "
            "are: active ratios and the numbers of tuples of two losses are not the same thing, "
            "and are not measured where it returns a number alone."
        )
    if not soft:
        return said
    return [
        *said,
        f"The loss of {listed_arms(soft)} is never exactly 0: there a tuple counts as active "
        f"above {ACTIVE_EPS:g}, so active ratios and gradients per active tuple of other losses "
        "are not quite the same thing.",
    ]
