"""Specs written from the form's values, and arms added, copied and removed."""

from dataclasses import replace

import pytest

from contract.catalogue.presets import DEMO, PRESETS, Preset
from contract.comparison.spec import parse_spec
from frontend.form import to_spec
from frontend.form.from_spec import fit_value, read_spec
from frontend.form.schema_fields import Choice
from frontend.form.sections import spec_for_upload
from frontend.form.to_spec import arm_count, write_spec
from tests.support.form_fields import FORM, field, filled, named


class TestSpec:
    @pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.id)
    def test_a_preset_comes_out_as_it_went_in(self, preset: Preset) -> None:
        if preset.spec is None:
            return
        spec = preset.spec
        if preset.needs:
            spec = {**spec, "data": {**spec["data"], "dataset": "d1"}}
        written = write_spec(filled(spec), FORM)
        assert parse_spec(written) == parse_spec(spec)

    def test_settings_that_the_form_does_not_show_are_kept(self) -> None:
        spec = DEMO
        spec = {**spec, "measure": {"snapshot_every": 3, "snapshot_size": 50}}
        spec["arms"] = [{**spec["arms"][0], "training": {"epochs": 7, "batch_size": None}}]
        written = write_spec(filled(spec), FORM)
        assert written["measure"] == {
            "evaluate_every": 1,
            "snapshot_every": 3,
            "snapshot_size": 50,
        }
        assert written["arms"][0]["training"] == {"epochs": 7}
        parse_spec(written)

    def test_a_stored_spec_comes_out_as_it_is_stored(self) -> None:
        stored = parse_spec(PRESETS[2].spec)
        written = write_spec(filled(stored.model_dump(mode="json")), FORM)
        assert parse_spec(written) == stored

    def test_replication_and_bounds_come_out_as_they_went_in(self) -> None:
        bounds = {"retrieval.": 0.01, "retrieval.map_at_r": 0.0025, "geometry.intra": 1.1}
        spec = {**DEMO, "replicate": "split", "practical": bounds}
        written = write_spec(filled(spec), FORM)
        assert written["practical"] == bounds
        assert parse_spec(written) == parse_spec(spec)
        again = write_spec(filled(parse_spec(written).model_dump(mode="json")), FORM)
        assert again["replicate"] == "split"
        assert again["practical"] == bounds
        plain = write_spec(filled(DEMO), FORM)
        assert (plain["replicate"], plain["practical"]) == ("seed", {})

    def test_a_search_comes_out_as_it_went_in(self) -> None:
        search = {"loss.margin": {"low": 0.1, "high": 1.0, "log": True}}
        arms = [{**DEMO["arms"][0], "search": search}, DEMO["arms"][1]]
        spec = {**DEMO, "arms": arms, "tuning": {"trials": 5, "folds": 2}}
        written = write_spec(filled(spec), FORM)
        assert written["tuning"].items() >= spec["tuning"].items()
        assert parse_spec(written) == parse_spec(spec)
        again = write_spec(filled(parse_spec(written).model_dump(mode="json")), FORM)
        assert parse_spec(again) == parse_spec(spec)
        assert "tuning" not in write_spec(filled(DEMO), FORM)
        values, problems = read_spec({**DEMO, "tuning": [5], "trial": {}}, FORM)
        assert {problem.path for problem in problems} == {"tuning", "trial"}
        assert "tuning" not in write_spec(values, FORM)

    def test_what_is_no_replication_and_no_bound_is_reported(self) -> None:
        bounds = {"retrieval.": "wide", "geometry.": None, "detail.": 0.02}
        values, problems = read_spec({**DEMO, "replicate": "fold", "practical": bounds}, FORM)
        assert {problem.path for problem in problems} == {
            "replicate",
            "practical.retrieval.",
            "practical.geometry.",
        }
        written = write_spec(values, FORM)
        assert written["practical"] == {"detail.": 0.02}
        _, problems = read_spec({**DEMO, "practical": [0.1]}, FORM)
        assert [problem.path for problem in problems] == ["practical"]

    def test_a_spec_without_seeds_begins_with_ten(self) -> None:
        spec = {key: value for key, value in DEMO.items() if key != "seeds"}
        assert write_spec(filled(spec), FORM)["seeds"] == list(range(10))

    def test_forms_of_a_loss_and_its_learning_rate_come_out_as_they_went_in(self) -> None:
        pairs = {"reduction": "balanced", "pull_weight": 0.2, "positive_margin": 0.1}
        for loss_lr in (None, 0.5):
            spec = {
                **DEMO,
                "training": {"optimizer": {"kind": "adam", "loss_lr": loss_lr}},
                "arms": [
                    {"name": "c", "loss": {"kind": "contrastive", "hinge": "linear", **pairs}},
                    {"name": "n", "loss": {"kind": "n_pair", "scale": 16.0}},
                    {
                        "name": "a",
                        "loss": {"kind": "arcface"},
                        "training": {"optimizer": {"kind": "sgd", "loss_lr": 0.25}},
                    },
                ],
            }
            written = write_spec(filled(spec), FORM)
            assert parse_spec(written) == parse_spec(spec)
            assert written["training"]["optimizer"]["loss_lr"] == loss_lr

    def test_a_spec_without_later_settings_has_those_of_before(self) -> None:
        loss = write_spec(filled(), FORM)["arms"][0]["loss"]
        assert [loss[name] for name in ("reduction", "positive_margin", "hinge")] == [
            "mean",
            0.0,
            "squared",
        ]

    def test_a_kind_chosen_again_has_its_settings_again(self) -> None:
        values = filled()
        values |= {"training.sampler.kind": "m_per_class", "training.sampler.m": 8}
        values["training.sampler.kind"] = "shuffle"
        assert write_spec(values, FORM)["training"]["sampler"] == {"kind": "shuffle"}
        values["training.sampler.kind"] = "m_per_class"
        assert write_spec(values, FORM)["training"]["sampler"]["m"] == 8

    def test_reports_what_it_could_not_use(self) -> None:
        spec = {
            "name": 3,
            "colour": "red",
            "data": {"kind": "photos"},
            "training": {"epochs": 0, "batch_size": "many", "sampler": None},
            "arms": [{"name": "a", "loss": {"kind": "triplet", "margin": -5, "reduction": "max"}}],
            "seeds": "all",
        }
        values, problems = read_spec(spec, FORM)
        assert {problem.path for problem in problems} == {
            "name",
            "colour",
            "data.kind",
            "training.epochs",
            "training.batch_size",
            "arms.0.loss.margin",
            "arms.0.loss.reduction",
        }
        assert values["training.epochs"] == 1
        assert values["arms.0.loss.margin"] == 0.0
        assert values["seeds"] == "all"

    @pytest.mark.parametrize("raw", [[], "spec", {"arms": [3], "seeds": [True]}, {"arms": {}}])
    def test_makes_a_form_of_anything(self, raw: object) -> None:
        values, _ = read_spec(raw, FORM)
        values["seeds"] = "0"
        assert arm_count(values) >= 1
        write_spec(values, FORM)

    @pytest.mark.parametrize(
        ("raw", "kept"), [(float("nan"), 1.0), (float("inf"), 1.0), (10**400, 1000.0), (2, 2.0)]
    )
    def test_numbers_out_of_reach_are_brought_back(self, raw: float, kept: float) -> None:
        margin = field(FORM.loss.options[0].items, "margin")
        value, wrong = fit_value(margin, raw)
        assert (type(value), value) == (float, kept)
        assert bool(wrong) == (raw != 2)

    def test_a_number_that_may_be_empty(self) -> None:
        optimizer = named(FORM.training, "optimizer")
        assert isinstance(optimizer, Choice)
        own = field(optimizer.options[0].items, "loss_lr")
        assert fit_value(own, None) == (None, "")
        assert fit_value(own, 0.5) == (0.5, "")
        assert fit_value(own, "fast") == (None, "was 'fast', which is not a number; set to empty")
        assert fit_value(own, 1e9)[0] == 100.0
        assert fit_value(field(optimizer.options[0].items, "lr"), None)[0] == 0.001

    def test_a_flag_must_be_a_flag(self) -> None:
        normalize = field(FORM.encoder.options[0].items, "normalize")
        assert fit_value(normalize, False) == (False, "")
        assert fit_value(normalize, "no")[0] is True


class TestArms:
    def test_a_new_arm_gets_a_free_name_and_loss(self) -> None:
        of_classes = tuple(one for one in FORM.loss.options if one.classes)
        offered = replace(FORM.loss, options=of_classes)
        values = to_spec.add_arm(filled(), offered)
        assert arm_count(values) == 3
        assert values["arms.2.name"] == values["arms.2.loss.kind"] == "n_pair"
        assert write_spec(values, FORM)["arms"][2]["loss"] == {
            "kind": "n_pair",
            "scale": 1.0,
            "reduction": "mean",
        }
        for _ in range(4):
            values = to_spec.add_arm(values, offered)
        assert len({values[f"arms.{index}.loss.kind"] for index in range(7)}) == 7
        assert to_spec.add_arm(values, offered)["arms.7.name"] == "contrastive 2"

    def test_a_copy_is_last_and_has_the_same_settings(self) -> None:
        values = filled() | {"arms.0.loss.margin": 0.3}
        values = to_spec.copy_arm(values, 0)
        assert values["arms.2.loss.margin"] == 0.3
        assert values["arms.2.name"] == "contrastive 2"
        assert values["arms.1.name"] == "triplet"

    def test_arms_after_a_removed_one_move_up(self) -> None:
        values = to_spec.remove_arm(filled() | {"arms.1.loss.margin": 0.7}, 0)
        assert arm_count(values) == 1
        assert to_spec.arm_values(values, 0)["name"] == "triplet"
        assert values["arms.0.loss.margin"] == 0.7

    def test_finds_arms_that_repeat_another(self) -> None:
        values = to_spec.copy_arm(filled(), 1)
        assert to_spec.identical_arms(write_spec(values, FORM)["arms"]) == [(2, 3)]
        assert to_spec.identical_arms(write_spec(filled(), FORM)["arms"]) == []


class TestData:
    def test_only_encoders_that_can_take_the_items_are_offered(self) -> None:
        vectors = [option.kind for option in FORM.encoder.taking("vectors").options]
        assert vectors == ["mlp"]
        sounds = {option.kind for option in FORM.encoder.taking("spectrograms").options}
        assert sounds == {"mlp", "convnet", "audio_convnet"}

    @pytest.mark.parametrize(
        ("data", "first", "second"),
        [
            ("digits", "convnet", ""),
            ("features", "mlp", ""),
            ("cub200", "resnet18", ""),
            ("image_folder", "resnet18", ""),
            ("spoken_digits", "audio_convnet", "convnet"),
            ("paired_features", "mlp", "mlp"),
        ],
    )
    def test_each_modality_begins_with_an_encoder_made_for_it(
        self, data: str, first: str, second: str
    ) -> None:
        values, problems = read_spec({"data": {"kind": data}}, FORM)
        assert problems == []
        spec = write_spec(values, FORM)
        assert spec["encoder"]["kind"] == first
        assert spec.get("visual_encoder", {}).get("kind", "") == second

    def test_the_visual_encoder_follows_the_first_one_into_its_space(self) -> None:
        values = filled({"data": {"kind": "spoken_digits"}})
        values |= {"encoder.embedding_dim": 32, "encoder.normalize": False}
        spec = write_spec({**values, "name": "x"}, FORM)
        assert spec["visual_encoder"]["embedding_dim"] == 32
        assert spec["visual_encoder"]["normalize"] is False
        parse_spec(spec)

    def test_fields_that_are_no_longer_shown_do_not_count(self) -> None:
        values = filled({"data": {"kind": "image_folder", "dataset": "d1"}})
        values |= {"data.folder": "/typed/before", "encoder.weights_file": "/typed/before.pt"}
        spec = write_spec({**values, "name": "x"}, FORM)
        assert (spec["data"]["dataset"], spec["data"]["folder"]) == ("d1", "")
        assert spec["encoder"]["weights_file"] == ""
        parse_spec(spec)
        values |= {"data.kind": "features", "encoder.kind": "mlp"}
        values["training.augmentation"] = "flip"
        assert write_spec(values, FORM)["training"]["augmentation"] == "none"

    def test_data_that_are_not_there_yet_say_how_to_get_them(self) -> None:
        notes = {option.kind: option.note for option in FORM.data.options}
        assert notes["cifar10"] == "Downloaded when a run first needs it: 171 MB."
        assert "worker.data list" in notes["cars196"]
        assert notes["digits"] == notes["image_folder"] == ""

    @pytest.mark.parametrize("kind", ["image_folder", "features", "paired_features"])
    @pytest.mark.parametrize(("items", "classes"), [(24, 2), (600, 5), (5000, 50)])
    def test_an_upload_of_any_size_makes_a_sound_spec(
        self, kind: str, items: int, classes: int
    ) -> None:
        upload = {"id": "d1", "name": "n" * 200, "kind": kind, "items": items, "classes": classes}
        spec = write_spec(filled(spec_for_upload(upload)), FORM)
        assert parse_spec(spec).training.batch_size <= items // 3
        by_class = kind == "image_folder" and classes == 50
        assert spec["data"]["split"] == ("class" if by_class else "item")

    def test_new_images_lie_on_white_and_stored_specs_stay_as_they_were(self) -> None:
        stored = {"data": {"kind": "image_folder", "dataset": "d1"}, "name": "x"}
        assert write_spec(filled(stored), FORM)["data"]["background"] == "none"
        upload = {"id": "d1", "name": "x", "kind": "image_folder", "items": 24, "classes": 2}
        spec = write_spec(filled(spec_for_upload(upload)), FORM)
        assert spec["data"]["background"] == "white"
        chosen = {**filled({"name": "x"}), "data.kind": "image_folder", "data.dataset": "d1"}
        assert write_spec(chosen, FORM)["data"]["background"] == "white"

    def test_an_upload_with_a_split_of_its_own_is_split_by_it(self) -> None:
        upload = {"id": "d1", "name": "x", "kind": "image_folder", "items": 24, "classes": 2}
        spec = write_spec(filled(spec_for_upload({**upload, "answers": {"split": "keep"}})), FORM)
        assert parse_spec(spec).data.split == "given"  # type: ignore[union-attr]
        spec = write_spec(filled(spec_for_upload({**upload, "answers": {"split": "merge"}})), FORM)
        assert spec["data"]["split"] == "item"
