"""The likely cause of a loss that is no number any more, and what to do about it."""

from contract.comparison.encoder import Encoder
from contract.comparison.loss import Loss
from contract.comparison.training import Training as TrainingSpec


def likely_cause(training: TrainingSpec, encoder: Encoder, loss: Loss) -> str:
    """Advice for people, most likely cause first, with this run's own values."""
    lr = training.optimizer.lr
    advice = [
        f"The learning rate {lr:g} of {training.optimizer.kind} is probably too high; "
        f"try {lr / 10:g}."
    ]
    if not encoder.normalize:
        advice.append(
            "The embeddings are not L2-normalised, so that nothing bounds their distances; "
            "switch L2-normalise on."
        )
    if loss.kind in {"contrastive", "triplet"} and loss.margin > 10:
        advice.append(f"The margin {loss.margin:g} is large; try 1.")
    if loss.reduction == "sum":
        advice.append(
            "The loss is summed over all tuples, which makes its gradient grow with the batch; "
            "try the reduction mean."
        )
    return " ".join(advice)
