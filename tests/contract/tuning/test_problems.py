"""Checks of a new spec's tuning: all problems at once, each naming its place."""

from typing import Any

import pytest

from contract.comparison.spec import parse_spec
from contract.tuning.problems import (
    budget_problems,
    most_trials_problem,
    runs_text,
    tuning_problems,
)
from tests.support.specs import small


def tuned(
    *searches: dict[str, Any],
    loss: dict[str, Any] | None = None,
    tuning: dict[str, Any] | None = None,
    **changes: Any,
) -> dict[str, Any]:
    """Return a small spec that is tuned, with an arm for each search."""
    loss = {"kind": "triplet"} if loss is None else loss
    arms = [
        {"name": f"arm {index}", "loss": loss, "search": search}
        for index, search in enumerate(searches)
    ]
    return small(**{"arms": arms, "tuning": tuning or {}, **changes})


def problems(raw: dict[str, Any]) -> dict[str, str]:
    return {path.removeprefix("arms[0].search."): text for path, text in tuning_problems(raw)}


def test_a_tuning_without_any_search_is_fine() -> None:
    assert not problems(tuned({}))
    assert not problems(small())


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (
            "loss.temperature",
            "is not a setting of the loss 'triplet', but of 'info_nce', 'sup_con'",
        ),
        ("loss.scale", "but of 'n_pair', 'arcface'"),
        ("loss.marginn", "did you mean loss.margin"),
        ("loss.kind", "give each loss an arm of its own"),
        ("training.optimizer.momentum", "setting of the optimiser 'sgd' only"),
        ("training.optimizer.loss_lr", "only 'arcface' and 'center_contrastive'"),
        ("training.sampler.m", "take the sampler 'm_per_class'"),
        ("training.sampler.kind", "choose it in the arm"),
        ("training.sampler", "set it in the training section"),
        ("training.augmentation", "set it in the training section"),
        ("encoder.embedding_dim", "the same for all arms"),
        ("x", "known are loss.distance"),
        ("", "known are loss.distance"),
        ("loss", "names no setting"),
        ("loss.margin.low", "did you mean loss.margin"),
        ("training.optimizer.kind.x", "names no setting"),
    ],
)
def test_a_path_that_cannot_be_searched_is_named(path: str, words: str) -> None:
    [(where, text)] = tuning_problems(tuned({path: {"low": 1, "high": 2}}))
    assert where == f"arms[0].search.{path}"
    assert words in text


def test_a_long_path_is_cut() -> None:
    [(where, text)] = tuning_problems(tuned({"x" * 5000: {"low": 1, "high": 2}}))
    assert len(where) < 90
    assert len(text) < 500


@pytest.mark.parametrize(
    ("path", "space", "where", "words"),
    [
        ("loss.margin", {"low": -1, "high": 2}, ".low", "greater than or equal to 0; got -1"),
        ("loss.margin", {"low": 1, "high": 2000}, ".high", "less than or equal to 1000; got 2000"),
        ("training.optimizer.lr", {"low": 0, "high": 1}, ".low", "greater than 0"),
        ("training.epochs", {"low": 1.5, "high": 3}, ".low", "must be a whole number; got 1.5"),
        ("training.epochs", {"choices": [1.5, 3]}, ".choices[0]", "must be a whole number"),
        ("training.epochs", {"choices": [3, 0]}, ".choices[1]", "greater than or equal to 1"),
        ("loss.margin", {"choices": [1, "wide"]}, ".choices[1]", "must be a number; got 'wide'"),
        ("loss.margin", {"choices": [1, "1"]}, ".choices[1]", "must be a number; got '1'"),
        ("loss.margin", {"choices": [1, 2, 1.0]}, ".choices[2]", "1.0 is used twice"),
        ("loss.reduction", {"low": 0, "high": 1}, "", "takes choices, not a range: 'mean', 'sum'"),
        ("loss.reduction", {"choices": ["balanced"]}, ".choices[0]", "must be one of 'mean'"),
        ("loss.reduction", {"choices": [1]}, ".choices[0]", "must be one of 'mean'"),
        ("training.optimizer.kind", {"choices": ["adam", "lion"]}, ".choices[1]", "one of 'adam'"),
        ("training.batch_size", {"choices": [64, 5000]}, "", "5000 is more than the 1074 training"),
        ("training.batch_size", {"low": 64, "high": 5000}, "", "5000 is more than the 1074"),
        ("training.batch_size", {"choices": [64, 2]}, "", "a triplet takes two items of one class"),
    ],
)
def test_a_space_outside_the_setting_s_bounds_is_named(
    path: str, space: dict[str, Any], where: str, words: str
) -> None:
    found = problems(tuned({path: space}))
    assert list(found) == [f"{path}{where}"]
    assert words in found[f"{path}{where}"]


@pytest.mark.parametrize(
    ("space", "where", "words"),
    [
        ({"low": 2, "high": 1}, "", "low 2 is not below high 1"),
        ({"low": 1, "high": 1}, "", "low 1 is not below high 1"),
        ({"low": 0, "high": 1, "log": True}, "", "low must be above 0"),
        ({"choices": []}, ".choices", "at least 1 item"),
        ({"choices": [1, True]}, ".choices[1]", "must be a number or the name of a choice"),
        ({"choices": [[1], 2]}, ".choices[0]", "must be a number or the name of a choice"),
        ({"choices": [10**400, 2]}, ".choices[0]", "must be a number or the name of a choice"),
        ({"choices": [float("nan")]}, ".choices[0]", "must be a number or the name of a choice"),
        ({"choices": ["x" * 200]}, ".choices[0]", "must be a number or the name of a choice"),
        ({"low": 1, "high": 10**400}, ".high", "valid number"),
        ({"low": 1, "high": float("inf")}, ".high", "finite number"),
        ({"low": 1}, ".high", "required, but missing"),
        ({"low": 1, "high": 2, "step": 1}, ".step", "unknown key"),
        ({"low": "a", "high": 2}, ".low", "got 'a'"),
        (5, "", "got 5"),
    ],
)
def test_the_spec_s_own_validation_names_the_setting_and_not_the_kind_of_space(
    space: Any, where: str, words: str
) -> None:
    with pytest.raises(ValueError, match=r"loss\.margin") as error:
        parse_spec(tuned({"loss.margin": space}))
    [(path, text)] = error.value.problems  # type: ignore[attr-defined]
    assert path == f"arms[0].search.loss.margin{where}"
    assert words in text


def test_all_problems_of_all_arms_are_told_at_once() -> None:
    raw = tuned(
        {"loss.margin": {"low": 2, "high": 1}, "loss.scale": {"low": 1, "high": 2}, "y": 3},
        {"loss.margin": {"low": -1, "high": 5000}, "training.epochs": {"choices": [0, "x"]}},
        tuning={"objective": "x", "trial_seeds": [0, 1000, 1000]},
        trial={"objective": "retrieval.map_at_r"},
    )
    assert {path for path, _ in tuning_problems(raw)} == {
        "trial",
        "tuning.objective",
        "tuning.trial_seeds[0]",
        "tuning.trial_seeds[2]",
        "arms[0].search.loss.scale",
        "arms[0].search.y",
        "arms[1].search.loss.margin.low",
        "arms[1].search.loss.margin.high",
        "arms[1].search.training.epochs.choices[0]",
        "arms[1].search.training.epochs.choices[1]",
    }


@pytest.mark.parametrize("seed", [1000, "1000", 1000.0])
def test_a_trial_and_a_final_run_never_share_a_seed_however_it_is_written(seed: object) -> None:
    raw = tuned({}, seeds=[0, seed])
    assert parse_spec(raw).seeds == [0, 1000]
    assert [path for path, _ in tuning_problems(raw)] == ["tuning.trial_seeds[0]"]


def test_a_search_without_tuning_is_refused() -> None:
    raw = small(**{**tuned({"loss.margin": {"low": 1, "high": 2}}), "tuning": None})
    assert "add 'tuning'" in problems(raw)["arms[0].search".removeprefix("arms[0].search.")]


@pytest.mark.parametrize("nonsense", [None, 3, [], "x", {"a": None}, [[1]]])
def test_nonsense_is_left_to_the_validation_of_the_spec(nonsense: Any) -> None:
    for raw in (
        small(tuning={}, arms=nonsense),
        small(tuning=nonsense),
        small(tuning={}, seeds=nonsense),
        small(tuning={}, data=nonsense),
        small(tuning={"trial_seeds": nonsense}),
        tuned(nonsense),
        tuned({"loss.margin": nonsense}),
    ):
        tuning_problems(raw)
        budget_problems(raw, 1)


CONTRASTIVE = {"kind": "contrastive"}


@pytest.mark.parametrize(
    ("loss", "search", "where"),
    [
        ({}, {"loss.positive_margin": {"low": 0, "high": 1}}, "loss.positive_margin"),
        ({}, {"loss.positive_margin": {"choices": [0, 1]}}, "loss.positive_margin"),
        ({"positive_margin": 0.5}, {"loss.margin": {"low": 0.5, "high": 1}}, "loss.margin"),
        (
            {},
            {
                "loss.margin": {"low": 0.1, "high": 1},
                "loss.positive_margin": {"low": 0.095, "high": 1},
            },
            "loss.positive_margin",
        ),
        (
            {},
            {
                "loss.margin": {"choices": [0.1, 1]},
                "loss.positive_margin": {"choices": [0, 0.1]},
            },
            "loss.positive_margin",
        ),
    ],
)
def test_spaces_that_can_draw_a_positive_margin_above_the_margin_are_refused(
    loss: dict[str, Any], search: dict[str, Any], where: str
) -> None:
    assert list(problems(tuned(search, loss={**CONTRASTIVE, **loss}))) == [where]


def test_a_setting_without_effect_is_refused() -> None:
    pull = {"loss.pull_weight": {"low": 0.1, "high": 0.9}}
    assert (
        "only with the reduction 'balanced'"
        in problems(tuned(pull, loss=CONTRASTIVE))["loss.pull_weight"]
    )
    assert not problems(tuned(pull, loss={**CONTRASTIVE, "reduction": "balanced"}))
    both = {**pull, "loss.reduction": {"choices": ["mean", "balanced"]}}
    assert not problems(tuned(both, loss=CONTRASTIVE))


def test_momentum_goes_with_optimisers_that_have_it() -> None:
    momentum = {"training.optimizer.momentum": {"low": 0.5, "high": 0.99}}
    kinds = {"training.optimizer.kind": {"choices": ["sgd", "adam"]}}
    only = {"training.optimizer.kind": {"choices": ["sgd"]}}
    assert list(problems(tuned({**momentum, **kinds}))) == ["training.optimizer.momentum"]
    assert not problems(tuned({**momentum, **only}))
    sgd = {"epochs": 2, "batch_size": 64, "optimizer": {"kind": "sgd"}}
    assert not problems(tuned(momentum, training=sgd))


def m_per_class(size: int, m: int) -> dict[str, Any]:
    return {"epochs": 2, "batch_size": size, "sampler": {"kind": "m_per_class", "m": m}}


@pytest.mark.parametrize(
    ("search", "where", "words"),
    [
        ({"training.sampler.m": {"choices": [8, 2]}}, "training.sampler.m", "32 classes a batch"),
        ({"training.sampler.m": {"low": 8, "high": 16}}, "training.sampler.m", "not divisible"),
        ({"training.sampler.m": {"choices": [8, 64]}}, "training.sampler.m", "one class a batch"),
        ({"training.batch_size": {"choices": [64, 60]}}, "training.batch_size", "m = 8"),
        ({"training.batch_size": {"low": 16, "high": 64}}, "training.batch_size", "m = 8"),
    ],
)
def test_m_must_go_with_the_batch_size_and_the_classes(
    search: dict[str, Any], where: str, words: str
) -> None:
    found = problems(tuned(search, training=m_per_class(64, 8)))
    assert list(found) == [where]
    assert words in found[where]


@pytest.mark.parametrize(
    ("search", "words"),
    [
        ({"training.sampler.m": {"choices": [2, 4, 8, 16]}}, "; of its values 8, 16 fit"),
        ({"training.sampler.m": {"choices": [2, 8, 4]}}, "; of its values 8 fits"),
        ({"training.sampler.m": {"low": 2, "high": 20}}, "; of its values 8, 16 fit"),
        ({"training.sampler.m": {"choices": [2, 3]}}, "; none of its values fits"),
        ({"training.batch_size": {"choices": [16, 60, 72]}}, "; of its values 16, 72 fit"),
        (
            {
                "training.batch_size": {"choices": [16, 32]},
                "training.sampler.m": {"choices": [2, 8]},
            },
            "; of its values 16 fits",
        ),
    ],
)
def test_the_problem_of_a_batch_names_the_values_that_fit(
    search: dict[str, Any], words: str
) -> None:
    [(_, text)] = tuning_problems(tuned(search, training=m_per_class(64, 8)))
    assert text.endswith(words)


def test_only_values_that_were_tried_are_said_to_fit() -> None:
    ends = {"training.batch_size": {"low": 16, "high": 6400}}
    [(_, text)] = tuning_problems(tuned(ends))
    assert text == "6400 is more than the 1074 training items of 'digits'"
    many = {"training.batch_size": {"low": 100, "high": 1000}}
    many |= {"training.sampler.m": {"low": 2, "high": 50}}
    [(_, text)] = tuning_problems(tuned(many, training=m_per_class(64, 8)))
    assert "fit" not in text


@pytest.mark.parametrize(
    ("objective", "data", "words"),
    [
        ("test.retrieval.map_at_r", {"kind": "digits"}, "take 'retrieval.map_at_r'"),
        ("test.last.retrieval.map_at_r", {"kind": "digits"}, "take 'retrieval.map_at_r'"),
        ("retrieval.map", {"kind": "digits"}, "did you mean retrieval.map_at_r"),
        ("dynamics.loss", {"kind": "digits"}, "not measured on the validation split"),
        ("run.elapsed_s", {"kind": "digits"}, "not measured on the validation split"),
        ("dynamics.auc", {"kind": "digits"}, "not measured on the validation split"),
        ("geometry.uniformity", {"kind": "digits"}, "neither high nor low"),
        ("retrieval.audio_to_visual.map", {"kind": "digits"}, "has one modality"),
        ("visual.geometry.variance_ratio", {"kind": "digits"}, "has one modality"),
        ("detail.recall_at_1", {"kind": "digits"}, "needs fine labels"),
        ("classification.linear_probe_accuracy", {"kind": "cub200"}, "under a split by class"),
    ],
)
def test_an_objective_that_the_data_cannot_have_is_refused(
    objective: str, data: dict[str, Any], words: str
) -> None:
    found = problems(tuned({}, data=data, tuning={"objective": objective}))
    assert words in found["tuning.objective"]


@pytest.mark.parametrize(
    ("objective", "data"),
    [
        ("classification.knn_accuracy_1", {"kind": "cub200"}),
        ("classification.linear_probe_accuracy", {"kind": "cub200", "split": "item"}),
        ("geometry.variance_ratio", {"kind": "digits"}),
        ("detail.recall_at_1", {"kind": "synthetic"}),
        ("detail.recall_at_1", {"kind": "features", "dataset": "x"}),
        ("retrieval.audio_to_visual.map", {"kind": "spoken_digits"}),
    ],
)
def test_an_objective_that_the_data_have_is_taken(objective: str, data: dict[str, Any]) -> None:
    assert not problems(tuned({}, data=data, tuning={"objective": objective}))


def test_splits_are_replicated_only_where_the_test_part_is_fixed() -> None:
    assert "replicate by 'seed'" in problems(tuned({}, replicate="split"))["replicate"]
    synthetic = tuned({}, replicate="split", data={"kind": "synthetic"})
    assert "replicate" in problems(synthetic)
    assert not problems(tuned({}, replicate="split", data={"kind": "mnist"}))


@pytest.mark.parametrize(
    ("data", "folds", "words"),
    [
        ({"kind": "synthetic", "per_class": 10}, 5, "need 10 items or more in a class"),
        ({"kind": "cifar100", "train_items": 100}, 4, "the largest has 5"),
    ],
)
def test_more_folds_than_the_items_allow_are_refused(
    data: dict[str, Any], folds: int, words: str
) -> None:
    raw = tuned({}, data=data, tuning={"folds": folds}, training={"batch_size": 16})
    assert words in problems(raw)["tuning.folds"]
    assert not problems(tuned({}, tuning={"folds": 20}))


def test_a_batch_must_fit_into_a_fold() -> None:
    data = {"kind": "synthetic", "per_class": 10, "classes": 10}
    raw = tuned({}, {}, data=data, tuning={"folds": 2}, training={"batch_size": 60})
    assert tuning_problems(raw) == [
        ("training.batch_size", "60 is more than the 40 items that train in one of 2 folds")
    ]


def test_the_guard_says_how_the_number_of_runs_comes_about() -> None:
    tuning = {"trials": 24, "folds": 4}
    spec = parse_spec(tuned({}, {}, tuning=tuning, seeds=list(range(10))))
    assert most_trials_problem(spec, 212) is None
    problem = most_trials_problem(spec, 211)
    assert problem is not None
    assert problem.path == "tuning.trials"
    assert "2 arms x 24 trials x 4 folds + 2 x 10 seeds = 212 runs" in problem.message
    seeds = {"trials": 1, "trial_seeds": [1, 2]}
    one = parse_spec(tuned({}, tuning=seeds))
    assert runs_text(one) == "1 arm x 1 trial x 2 trial seeds + 1 x 1 seed = 3 runs"
    assert most_trials_problem(parse_spec(small(seeds=list(range(100)))), 1) is None
