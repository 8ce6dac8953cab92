"""A search as a careful user writes it with Optuna and pytorch-metric-learning: an objective that
trains one setting, logs every step and measures retrieval on the validation split after every
epoch, and a study in memory."""

from collections.abc import Mapping, Sequence
from typing import Final

import optuna
import torch

from benchmarks.comparison_peer import PeerTraining, embedded, loss_of, retrieval_of
from contract.comparison.spec import ComparisonSpec
from contract.comparison.tuning import Range, Value
from worker import encoders
from worker.data import Dataset
from worker.torch_utils import stream_seed

SEED: Final = 1000
"""Of every trial."""


def search(
    spec: ComparisonSpec, arm: str, settings: Sequence[Mapping[str, Value]], data: Dataset
) -> float:
    """Run a trial of each setting; return the best value.

    Args:
        spec: the comparison.
        arm: whose space is searched.
        settings: of the trials, in their order; the first may be empty, for the arm as written.
        data: that the trials train on.
    """
    space = spec.arm(arm).search

    def objective(trial: optuna.Trial) -> float:
        given = {
            path: trial.suggest_float(path, one.low, one.high, log=one.log)
            for path, one in space.items()
            if isinstance(one, Range)
        }
        return _train(spec, arm, given, data)

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=0))
    for one in settings:
        study.enqueue_trial(dict(one))
    study.optimize(objective, n_trials=len(settings))
    return study.best_value


def _train(spec: ComparisonSpec, arm: str, params: Mapping[str, float], data: Dataset) -> float:
    torch.manual_seed(stream_seed(SEED, "encoder"))
    network = encoders.build(spec.encoder, data.item_shape)
    loss = loss_of(
        spec.arm(arm).loss.kind,
        params["loss.margin"],
        params.get("loss.positive_margin", 0.0),
    )
    optimizer = torch.optim.Adam(
        network.parameters(),
        lr=params["training.optimizer.lr"],
        weight_decay=params["training.optimizer.weight_decay"],
    )
    training = PeerTraining(network, loss, optimizer, data.train, spec.training.batch_size)
    best = 0.0
    for _ in range(spec.training.epochs):
        training.train_epoch()
        values = retrieval_of(*embedded(network, data.validation))
        training.log(values)
        best = max(best, values["mean_average_precision_at_r"])
    return best
