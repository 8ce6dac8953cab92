from typing import Any

from contract.catalogue import catalogue
from contract.presets import DEMO
from contract.spec import parse_spec
from frontend.comparison_facts import difference, facts, settings

CATALOGUE = catalogue()


def spec(**changes: Any) -> dict[str, Any]:
    parsed = parse_spec({**DEMO, **changes})
    return parsed.model_dump(mode="json")


def arm(name: str, *, training: dict[str, Any] | None = None, **loss: Any) -> dict[str, Any]:
    return {"name": name, "loss": {"kind": name, **loss}, "training": training or {}}


def test_facts_read_as_sentences_of_the_catalogue() -> None:
    said = {fact.name: fact.value for fact in facts(spec(), CATALOGUE)}
    assert said == {
        "Data": "Digits",
        "Encoder": "Small convnet, 64 dimensions, L2-normalised",
        "Optimiser": "Adam, lr 0.001",
        "Batch": "64, Shuffle",
        "Epochs": "20",
        "Seeds": "0, 1, 2",
    }


def test_many_seeds_are_counted() -> None:
    said = {fact.name: fact.value for fact in facts(spec(seeds=list(range(9))), CATALOGUE)}
    assert said["Seeds"] == "9 (0 … 8)"


def test_a_fair_comparison_says_that_nothing_else_differs() -> None:
    rows = settings(spec(), CATALOGUE)
    assert [row.name for row in rows] == ["Loss", "Margin", "Distance", "Tuples", "Reduction"]
    assert rows[0].values == ("Contrastive", "Triplet")
    assert difference(rows).startswith("Besides the loss nothing differs")


def test_what_differs_besides_the_loss_is_named() -> None:
    arms = [
        arm("contrastive", margin=1.0, reduction="mean"),
        arm(
            "triplet",
            margin=0.2,
            reduction="mean_active",
            training={"batch_size": 32, "optimizer": {"kind": "sgd", "lr": 0.1}},
        ),
    ]
    rows = settings(spec(arms=arms), CATALOGUE)
    values = {row.name: row.values for row in rows}
    assert values["Margin"] == ("1", "0.2")
    assert values["Reduction"] == ("mean", "mean active")
    assert values["Batch size"] == ("64", "32")
    assert values["Optimiser"] == ("Adam, lr 0.001", "SGD, lr 0.1, momentum 0.9")
    assert difference(rows) == (
        "Besides the loss, the arms differ in margin, reduction, batch size and optimiser."
    )


def test_kinds_that_the_catalogue_does_not_know_keep_their_name() -> None:
    said = {fact.name: fact.value for fact in facts(spec(), {})}
    assert said["Data"] == "digits"
