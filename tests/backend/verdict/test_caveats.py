"""What limits a verdict, as sentences."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from backend.db.models import Run
from backend.verdict.caveats import Facts, caveats
from backend.verdict.schemas import ArmStateOut, Pair
from contract.comparison.spec import parse_spec
from tests.support.specs import small

NOT_TUNED = (
    "Margins and other settings were given, not tuned: with others a verdict may turn out "
    "otherwise."
)
SPEC_ARMS = [
    {"name": "c", "loss": {"kind": "contrastive"}},
    {"name": "t", "loss": {"kind": "triplet"}},
    {
        "name": "wide",
        "loss": {"kind": "triplet", "margin": 2.0},
        "training": {"batch_size": 32, "optimizer": {"kind": "adam", "lr": 0.1}},
    },
    {"name": "soft", "loss": {"kind": "info_nce"}},
]


def run(state: str = "succeeded", versions: dict[str, str] | None = None) -> Run:
    return Run(
        id="",
        comparison_id="",
        position=0,
        arm="",
        seed=0,
        created_at=0.0,
        state=state,
        versions=versions,
    )


def caveats_of(
    a: str = "c",
    b: str = "t",
    *,
    pairs: int = 12,
    family: int = 9,
    runs: Sequence[Run] = (),
    pull_shares: Mapping[str, float] | None = None,
    states: Sequence[ArmStateOut] = (),
    dependent: bool = False,
    **changes: Any,
) -> list[str]:
    spec = parse_spec(small(arms=SPEC_ARMS, **changes))
    arms = Pair(a=a, b=b)
    return caveats(Facts(spec, arms, runs, pairs, family, pull_shares or {}, states, dependent))


def test_runs_with_two_versions_of_a_plugins_code_are_told() -> None:
    runs = [
        Run(**{**run().model_dump(), "arm": arm, "loss_digest": digest})
        for arm, digest in (("c", ""), ("t", "a" * 16), ("t", "b" * 16))
    ]
    [said] = [one for one in caveats_of(runs=runs) if "versions of its loss's code" in one]
    assert said.startswith("The runs of t have 2 versions of its loss's code (aaaaaaaa, bbbbbbbb)")
    same = [Run(**{**one.model_dump(), "loss_digest": "a" * 16}) for one in runs]
    assert not [one for one in caveats_of(runs=same) if "versions of its loss's code" in one]


def test_a_plugin_counts_its_tuples_itself() -> None:
    plugged = {"name": "p", "loss": {"kind": "plugin", "name": "siglip"}}
    spec = parse_spec(small(arms=[*SPEC_ARMS, plugged]))
    said = caveats(Facts(spec, Pair(a="t", b="p"), (), 12, 9, {}, ()))
    assert [one for one in said if one.startswith("The loss of p is a plug-in")]
    assert not [one for one in said if "never exactly 0" in one]


def test_the_caveat_that_every_verdict_has() -> None:
    assert caveats_of() == [NOT_TUNED]


@pytest.mark.parametrize(
    ("pairs", "sentence"),
    [
        (1, "1 seed cannot decide anything: at least 3 are needed."),
        (2, "2 seeds cannot decide anything: at least 3 are needed."),
        (
            5,
            "With 5 seeds the exact test cannot reach 0.05 for 9 claims, with 9 it could: the "
            "words rest on intervals, which assume that differences are roughly normal. No p below "
            "0.0625 is possible, so none is shown.",
        ),
        (
            8,
            "With 8 seeds the exact test cannot reach 0.05 for 9 claims, with 9 it could: the "
            "words rest on intervals, which assume that differences are roughly normal.",
        ),
        (13, "The p-values rest on 20,000 random sign flips, not on all."),
    ],
)
def test_caveats_of_few_and_many_seeds(pairs: int, sentence: str) -> None:
    assert caveats_of(pairs=pairs) == [sentence, NOT_TUNED]


@pytest.mark.parametrize("pairs", [0, 9, 12])
def test_no_caveat_with_enough_seeds(pairs: int) -> None:
    assert caveats_of(pairs=pairs) == [NOT_TUNED]


def test_splits_of_one_data_set_have_no_exact_test_but_official_test_items() -> None:
    digits = caveats_of(pairs=5, replicate="split", data={"kind": "digits"}, dependent=True)
    assert digits == [NOT_TUNED]
    official = caveats_of(
        replicate="split", data={"kind": "mnist"}, encoder={"kind": "convnet"}, dependent=True
    )
    assert official[0].startswith("All runs have the same test items: ")
    drawn = caveats_of(pairs=5, replicate="split", data={"kind": "synthetic"})
    assert drawn[0].startswith("With 5 draws the exact test cannot reach 0.05 for 9 claims")


def test_caveats_of_other_settings_and_other_batches() -> None:
    found = caveats_of("c", "wide")
    assert found[0] == "The arms do not see the same batches: their batch size or sampler differs."
    assert found[1] == (
        "The arms differ in more than their loss: margin (c: 1.0, wide: 2.0); "
        "batch size (c: 64, wide: 32); learning rate (c: 0.001, wide: 0.1)."
    )


def test_caveat_of_the_share_that_pulls() -> None:
    found = caveats_of(pull_shares={"c": 0.012, "t": 0.5})
    assert found[0].startswith(
        "The share of the loss's weight that pulls differs: 1.2% in c and 50.0% in t. "
    )


def test_caveat_of_losses_that_are_never_zero() -> None:
    [sentence, _] = caveats_of("soft", "t")
    assert sentence.startswith("The loss of soft is never exactly 0")
    assert "above 0.001" in sentence


def test_caveats_of_missing_runs() -> None:
    states = ["succeeded", "running", "queued", "failed", "failed", "cancelled"]
    found = caveats_of(runs=[run(state) for state in states])
    assert found[0] == "2 of 6 runs have not finished: the verdict may still change."
    assert found[1] == (
        "Of 6 runs 2 failed and 1 cancelled: their seeds are left out of the comparison."
    )
    one_open = caveats_of(runs=[run(), run("running")])
    assert one_open[0].startswith("1 of 2 runs has not finished")


def test_caveat_of_runs_of_different_versions() -> None:
    new = {"engine": "0.6.0", "measures": "2"}
    newer = {"engine": "0.7.0", "measures": "2"}
    assert caveats_of(runs=[run(versions=new), run(versions=new)]) == [NOT_TUNED]
    assert caveats_of(runs=[run(), run()]) == [NOT_TUNED]
    assert len(caveats_of(runs=[run(versions=new), run("failed", newer)])) == 2
    mixed = caveats_of(runs=[run(versions=new), run(versions=newer)])
    assert mixed[0].startswith("The runs are of different engines (0.6.0, 0.7.0): ")
    assert len(mixed) == 2
    old = caveats_of(runs=[run(versions=new), run()])
    assert [sentence.split(":")[0] for sentence in old[:2]] == [
        "The runs are of different engines (0.5 or older, 0.6.0)",
        "The runs are of different definitions of the measures (0.5 or older, 2)",
    ]


def test_caveats_of_states() -> None:
    def state(name: Any, *, not_trained: bool) -> ArmStateOut:
        return ArmStateOut(
            arm="t", state=name, runs=1, of=4, not_trained=not_trained, said=f"t {name}."
        )

    found = caveats_of(
        states=[
            state("no_valid_tuple", not_trained=True),
            state("collapsed", not_trained=False),
            state("overflow", not_trained=False),
            state("below_backbone", not_trained=False),
        ]
    )
    assert found == [
        "t no_valid_tuple.",
        "t collapsed. Those runs count like the others.",
        "t overflow.",
        "t below_backbone.",
        NOT_TUNED,
    ]
