"""The page of a new comparison, against the real API."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from contract.catalogue.presets import DEMO
from contract.comparison.spec import parse_spec
from frontend.api.client import Api
from tests.support.form_page import PAGE, opened, post, press, run, said, stored
from tests.support.ports import free_ports
from tests.support.specs import small


@contextmanager
def away() -> Iterator[httpx.Client]:
    """A client of an address where nothing listens."""
    [port] = free_ports(1)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        yield client


def test_opens_with_the_first_preset(http: httpx.Client) -> None:
    at = opened(http)
    assert at.text_input(key="new.name").value == "digits: contrastive vs triplet"
    assert at.selectbox(key="new.encoder.kind").value == "convnet"
    assert at.number_input(key="new.training.optimizer.lr").value == 0.001
    assert at.number_input(key="new.arms.1.loss.margin").value == 1.0
    assert at.text_input(key="new.seeds").value == "0-2"
    assert "2 arms × 3 seeds = 6 runs" in said(at)
    assert "Besides the loss nothing differs" in said(at)
    keys = {widget.key for widget in [*at.number_input, *at.selectbox]}
    assert "new.arms.0.loss.selection" in keys
    assert "new.measure.snapshot_every" not in keys


def test_fills_from_a_preset_by_address_and_by_press(http: httpx.Client) -> None:
    at = opened(http, preset="z25-synthetic")
    assert at.number_input(key="new.training.epochs").value == 100
    assert at.number_input(key="new.data.classes").value == 10
    assert at.text_input(key="new.seeds").value == "0-9"
    press(at, "new_preset_digits")
    assert at.number_input(key="new.training.epochs").value == 20
    assert at.query_params["preset"] == "digits"


def test_says_that_a_preset_or_comparison_is_missing(http: httpx.Client) -> None:
    assert "There is no preset “z99”" in said(opened(http, preset="z99"))
    at = opened(http, **{"from": "c0123456789"})
    assert "Comparison c0123456789 could not be read" in said(at)
    assert at.text_input(key="new.name").value == DEMO["name"]


def test_settings_are_shown_where_they_have_an_effect(http: httpx.Client) -> None:
    at = opened(http)
    pull, own_lr = "new.arms.0.loss.pull_weight", "new.training.optimizer.loss_lr"
    assert not {pull, own_lr} & {field.key for field in at.number_input}
    at.selectbox(key="new.arms.0.loss.reduction").set_value("balanced")
    at.selectbox(key="new.arms.1.loss.kind").set_value("arcface")
    run(at)
    assert at.number_input(key=own_lr).value is None
    at.number_input(key=pull).set_value(0.3)
    at.number_input(key=own_lr).set_value(0.25)
    at.number_input(key="new.arms.0.loss.positive_margin").set_value(1.5)
    run(at)
    press(at, "new_start")
    assert "must be below the margin 1, " in said(at)
    at.number_input(key="new.arms.0.loss.positive_margin").set_value(0.5)
    run(at)
    press(at, "new_start")
    [spec] = stored(http)
    assert spec["training"]["optimizer"]["loss_lr"] == 0.25
    assert spec["arms"][0]["loss"] == {
        "kind": "contrastive",
        "margin": 1.0,
        "distance": "euclidean",
        "selection": "all",
        "reduction": "balanced",
        "pull_weight": 0.3,
        "positive_margin": 0.5,
        "hinge": "squared",
    }


def test_the_submitted_spec_is_the_one_shown(http: httpx.Client) -> None:
    at = opened(http)
    at.text_input(key="new.name").set_value("mine")
    at.text_input(key="new.tags").set_value("a, b")
    at.text_area(key="new.notes").set_value("why")
    at.selectbox(key="new.encoder.kind").set_value("mlp")
    at.selectbox(key="new.training.sampler.kind").set_value("m_per_class")
    at.selectbox(key="new.training.optimizer.kind").set_value("sgd")
    run(at)
    at.number_input(key="new.training.sampler.m").set_value(8)
    at.number_input(key="new.training.optimizer.lr").set_value(0.0003)
    at.number_input(key="new.training.optimizer.momentum").set_value(0.5)
    at.number_input(key="new.measure.evaluate_every").set_value(4)
    at.toggle(key="new.encoder.normalize").set_value(False)
    at.number_input(key="new.arms.0.loss.margin").set_value(0.25)
    at.selectbox(key="new.arms.1.loss.reduction").set_value("mean_active")
    at.text_input(key="new.seeds").set_value("3, 7")
    run(at)
    assert "2 arms × 2 seeds = 4 runs" in said(at)
    assert "the arms differ in margin and reduction" in said(at)
    press(at, "new_start")

    [spec] = stored(http)
    expected = {
        "name": "mine",
        "tags": ["a", "b"],
        "notes": "why",
        "data": {"kind": "digits"},
        "encoder": {"kind": "mlp", "normalize": False},
        "training": {
            "epochs": 20,
            "batch_size": 64,
            "sampler": {"kind": "m_per_class", "m": 8},
            "optimizer": {"kind": "sgd", "lr": 0.0003, "momentum": 0.5},
        },
        "measure": {"evaluate_every": 4},
        "arms": [
            {"name": "contrastive", "loss": {"kind": "contrastive", "margin": 0.25}},
            {"name": "triplet", "loss": {"kind": "triplet", "reduction": "mean_active"}},
        ],
        "seeds": [3, 7],
    }
    assert parse_spec(spec) == parse_spec(expected)
    assert at.query_params["id"] == http.get("/api/v1/comparisons").json()["comparisons"][0]["id"]


def test_marks_every_refused_field_and_loses_nothing(http: httpx.Client) -> None:
    at = opened(http)
    at.text_input(key="new.name").set_value(" ")
    at.number_input(key="new.training.optimizer.lr").set_value(0.0)
    at.number_input(key="new.training.batch_size").set_value(8000)
    at.text_input(key="new.arms.1.name").set_value("contrastive")
    at.number_input(key="new.arms.0.loss.margin").set_value(0.125)
    press(at, "new_start")

    assert stored(http) == []
    text = said(at)
    assert "Not started: 3 settings need a change" in text or "Not started: 4 settings" in text
    for title in ("Name", "Learning rate", "Arm 2, Name"):
        assert f"<b>{title}</b>" in text
    for key in ("new-name", "new-training-optimizer-lr", "new-arms-1-name"):
        assert f".st-key-{key} " in text
    assert at.number_input(key="new.arms.0.loss.margin").value == 0.125
    assert at.text_input(key="new.arms.1.name").value == "contrastive"

    at.number_input(key="new.training.optimizer.lr").set_value(0.01)
    run(at)
    assert ".st-key-new-training-optimizer-lr " not in said(at)
    assert ".st-key-new-name " in said(at)


def test_problems_that_only_the_api_finds_are_marked(http: httpx.Client) -> None:
    at = opened(http)
    at.selectbox(key="new.training.sampler.kind").set_value("m_per_class")
    at.number_input(key="new.training.batch_size").set_value(63)
    press(at, "new_start")
    assert "63 is not divisible by the sampler&#x27;s m = 4" in said(at)
    assert ".st-key-new-training-batch_size " in said(at)


def test_splits_and_bounds_are_submitted_and_kept_by_a_duplicate(http: httpx.Client) -> None:
    at = opened(http)
    assert "on one split of the data" in said(at)
    assert "that takes nine" in said(at)
    at.selectbox(key="new.replicate").set_value("split")
    at.number_input(key="new.practical.retrieval.").set_value(0.02)
    at.text_area(key="new.practical").set_value("geometry.mean_norm = 1.1")
    at.text_input(key="new.seeds").set_value("0-9")
    run(at)
    assert "makes a new split of the data" in said(at)
    assert "that takes nine" not in said(at)
    for kind, drawn in (
        ("synthetic", "draws new data"),
        ("digits", "makes a new split of the data"),
    ):
        at.selectbox(key="new.data.kind").set_value(kind)
        run(at)
        assert at.selectbox(key="new.replicate").value == "split", "kept while the data change"
        assert drawn in said(at)
    press(at, "new_start")
    [spec] = stored(http)
    assert spec["replicate"] == "split"
    assert spec["practical"] == {"retrieval.": 0.02, "geometry.mean_norm": 1.1}

    made = http.get("/api/v1/comparisons").json()["comparisons"][0]["id"]
    at = opened(http, **{"from": made})
    assert at.selectbox(key="new.replicate").value == "split"
    assert at.number_input(key="new.practical.retrieval.").value == 0.02
    assert at.number_input(key="new.practical.detail.").value is None
    assert at.text_area(key="new.practical").value == "geometry.mean_norm = 1.1"


def test_bounds_that_are_refused_are_marked_where_they_stand(http: httpx.Client) -> None:
    at = opened(http)
    at.number_input(key="new.practical.retrieval.").set_value(-0.02)
    at.text_area(key="new.practical").set_value("geometri.mean_norm = 1.1")
    press(at, "new_start")
    assert stored(http) == []
    assert ".st-key-new-practical-retrieval- " in said(at)
    assert "did you mean geometry.mean_norm" in said(at)
    at.text_area(key="new.practical").set_value("geometry.mean_norm")
    run(at)
    assert "“geometry.mean_norm” is not a bound" in said(at)
    assert "2 arms × 3 seeds = 6 runs" in said(at)
    press(at, "new_start")
    assert "Not started: 1 setting needs a change" in said(at)
    assert stored(http) == []


def test_reads_the_seeds_as_they_are_typed(http: httpx.Client) -> None:
    at = opened(http)
    at.text_input(key="new.seeds").set_value("0,0")
    run(at)
    assert "seed 0 is listed twice" in said(at)
    press(at, "new_start")
    assert "Not started: 1 setting needs a change." in said(at)
    assert said(at).count("seed 0 is listed twice; each seed is one run per arm</p>") == 1
    assert stored(http) == []


def test_duplicates_a_comparison(http: httpx.Client) -> None:
    spec = small(name="origin", measure={"snapshot_every": 3})
    optimizer = {"kind": "adam", "lr": 0.002, "weight_decay": 0.01, "loss_lr": None}
    own = {"batch_size": 32, "optimizer": optimizer}
    spec["arms"].append({"name": "longer", "loss": {"kind": "triplet"}, "training": own})
    at = opened(http, **{"from": post(http, spec)})
    assert at.text_input(key="new.name").value == "origin"
    assert at.number_input(key="new.encoder.hidden").value == 64
    own_training = "new.arms.1.training"
    assert at.number_input(key=f"{own_training}.batch_size").value == 32
    assert at.number_input(key=f"{own_training}.optimizer.weight_decay").value == 0.01
    assert f"{own_training}.epochs" not in {field.key for field in at.number_input}
    at.text_input(key="new.name").set_value("copy")
    press(at, "new_start")
    newest = next(found for found in stored(http) if found["name"] == "copy")
    assert parse_spec(newest) == parse_spec({**spec, "name": "copy"})


def test_a_duplicate_has_the_texts_of_now_and_everything_else(http: httpx.Client) -> None:
    search = {"loss.margin": {"choices": [0.1234567, 0.5]}, "loss.reduction": {"choices": ["sum"]}}
    spec = small(
        name="first",
        tags=["one, two"],
        arms=[
            {"name": "a", "loss": {"kind": "triplet", "margin": 0.25}, "search": search},
            {
                "name": "b",
                "loss": {"kind": "n_pair", "scale": 2.5},
                "training": {"epochs": 3, "sampler": {"kind": "m_per_class", "m": 8}},
                "search": {"training.optimizer.lr": {"low": 0.001, "high": 0.1, "log": True}},
            },
        ],
        tuning={"trials": 3, "sampler": "tpe", "round": 2, "trial_seeds": [7, 9], "seed": 5},
        measure={"evaluate_every": 2, "snapshot_every": 3, "snapshot_size": 50},
        seeds=[4, 5, 6, 11],
        data={"kind": "mnist", "train_items": 5000},
        replicate="split",
        practical={"retrieval.": 0.02, "geometry.mean_norm": 1.1},
    )
    own = post(http, spec)
    changes = {"name": "second", "notes": "why, *exactly*", "tags": ["one, two", 'a "b"']}
    assert http.patch(f"/api/v1/comparisons/{own}", json=changes).status_code == 200
    at = opened(http, **{"from": own})
    assert at.text_input(key="new.tags").value == '"one, two", "a ""b"""'
    press(at, "new_start")
    copies = stored(http)
    assert len(copies) == 2
    newest = next(found for found in copies if found["name"] == "second")
    assert parse_spec(newest) == parse_spec({**spec, **changes})


def test_fills_from_a_pasted_spec(http: httpx.Client) -> None:
    at = opened(http)
    at.text_area(key="new_json").set_value("{")
    press(at, "new_fill")
    assert "Not valid JSON" in said(at)
    at.text_area(key="new_json").set_value('{"name": "a", "name": "b"}')
    press(at, "new_fill")
    assert "name: the key is given more than once" in said(at)
    assert at.text_input(key="new.name").value == "digits: contrastive vs triplet"
    at.text_area(key="new_json").set_value(
        '{"name": "pasted", "arms": [{"name": "a", "loss": {"kind": "triplet", "margin": -1}}]}'
    )
    press(at, "new_fill")
    assert at.text_input(key="new.name").value == "pasted"
    assert at.number_input(key="new.arms.0.loss.margin").value == 0.0
    assert "was -1; set to 0, the nearest that is allowed" in said(at)


def test_arms_keep_their_values_when_others_come_and_go(http: httpx.Client) -> None:
    at = opened(http)
    at.number_input(key="new.arms.1.loss.margin").set_value(0.5)
    at.text_input(key="new.arms.1.name").set_value("half")
    press(at, "new_copy_arm_1")
    assert at.text_input(key="new.arms.2.name").value == "half 2"
    assert at.number_input(key="new.arms.2.loss.margin").value == 0.5
    press(at, "new_add_arm")
    assert at.selectbox(key="new.arms.3.loss.kind").value == "n_pair"
    assert "4 arms × 3 seeds = 12 runs" in said(at)
    press(at, "new_remove_arm_0")
    names = [at.text_input(key=f"new.arms.{index}.name").value for index in range(3)]
    assert names[:2] == ["half", "half 2"]
    assert at.number_input(key="new.arms.0.loss.margin").value == 0.5
    press(at, "new_remove_arm_2")
    press(at, "new_remove_arm_1")
    assert at.button(key="new_remove_arm_0").disabled


def test_an_arm_named_after_its_loss_follows_it(http: httpx.Client) -> None:
    at = opened(http)
    at.number_input(key="new.arms.0.loss.margin").set_value(0.5)
    at.selectbox(key="new.arms.0.loss.kind").set_value("triplet")
    run(at)
    assert at.text_input(key="new.arms.0.name").value == "triplet 2"
    assert at.number_input(key="new.arms.0.loss.margin").value == 0.5
    at.text_input(key="new.arms.1.name").set_value("own name")
    at.selectbox(key="new.arms.1.loss.kind").set_value("contrastive")
    run(at)
    assert at.text_input(key="new.arms.1.name").value == "own name"


def test_typed_values_stay_after_a_visit_of_another_page(http: httpx.Client) -> None:
    at = opened(http)
    at.number_input(key="new.training.epochs").set_value(33)
    run(at)
    at.switch_page("app_pages/method.py")
    run(at)
    at.switch_page(PAGE)
    run(at)
    assert at.number_input(key="new.training.epochs").value == 33


def test_says_that_the_api_is_away(http: httpx.Client) -> None:
    with away() as nothing:
        at = opened(nothing)
        assert "The form cannot be shown now" in said(at)
        assert "does not answer" in said(at)
        at.session_state["api"] = Api(http)
        press(at, "new_again")
        assert at.text_input(key="new.seeds").value == "0-2"


def test_an_api_that_goes_away_loses_no_typed_values(http: httpx.Client) -> None:
    at = opened(http)
    with away() as nothing:
        at.session_state["api"] = Api(nothing)
        at.number_input(key="new.training.epochs").set_value(33)
        press(at, "new_start")
        assert "Not started: The API at" in said(at)
        assert at.number_input(key="new.training.epochs").value == 33
    at.session_state["api"] = Api(http)
    press(at, "new_start")
    [spec] = stored(http)
    assert spec["training"]["epochs"] == 33


def test_an_arm_can_share_the_training_again(http: httpx.Client) -> None:
    spec = small(name="origin")
    spec["arms"][0]["training"] = {"optimizer": {"kind": "sgd", "lr": 0.1}}
    at = opened(http, **{"from": post(http, spec)})
    assert at.selectbox(key="new.arms.0.training.optimizer.kind").value == "sgd"
    press(at, "new_share_arms.0.training.optimizer")
    assert "Own training settings" not in said(at)
    press(at, "new_start")
    assert stored(http)[0]["arms"][0].get("training", {}) == {
        "epochs": None,
        "batch_size": None,
        "sampler": None,
        "optimizer": None,
    }


def test_says_that_two_arms_are_the_same(http: httpx.Client) -> None:
    at = press(opened(http), "new_copy_arm_0")
    assert "Arms 1 and 3 differ only in name." in said(at)


def test_two_modalities_have_an_encoder_each(http: httpx.Client) -> None:
    at = opened(http, preset="spoken-digits")
    assert at.selectbox(key="new.encoder.kind").value == "audio_convnet"
    assert at.selectbox(key="new.visual_encoder.kind").value == "convnet"
    assert "ResNet-18" not in at.selectbox(key="new.encoder.kind").options
    assert "ResNet-18" in at.selectbox(key="new.visual_encoder.kind").options
    at.number_input(key="new.encoder.embedding_dim").set_value(32)
    at.number_input(key="new.visual_encoder.channels").set_value(8)
    press(at, "new_start")
    [spec] = stored(http)
    visual = spec["visual_encoder"]
    assert (visual["kind"], visual["channels"], visual["embedding_dim"]) == ("convnet", 8, 32)
    press(opened(http), "new_start")
    assert stored(http)[0]["visual_encoder"] is None


def test_the_preview_follows_the_form(http: httpx.Client) -> None:
    at = opened(http)
    assert "1,074 items" in said(at)
    assert "320<small>16 an epoch · batch 64, 20 epochs" in said(at)
    at.number_input(key="new.training.epochs").set_value(2)
    run(at)
    assert "32<small>16 an epoch · batch 64, 2 epochs" in said(at)
    assert "fewer than 100 hardly train: train 7 epochs or more" in said(at)
    at.text_input(key="new.name").set_value("")
    run(at)
    assert "The preview shows once the form is complete" in said(at)
    at.selectbox(key="new.data.kind").set_value("features")
    at.text_input(key="new.name").set_value("ours")
    run(at)
    at.text_input(key="new.data.file").set_value("/data/ours.npz")
    run(at)
    assert "known once the data are read" in said(at)
    assert stored(http) == []
