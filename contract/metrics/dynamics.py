"""Metrics of the dynamics of training: of every step, and summaries over all steps of a run."""

from typing import Any, Final

from contract.comparison.loss import ACTIVE_EPS
from contract.metrics.metric import SHARE, Bounds, Metric


def _dynamics(
    key: str, label: str, formula: str, meaning: str, bounds: Bounds = (0, None)
) -> Metric:
    return Metric(f"dynamics.{key}", label, formula, meaning, per_step=True, bounds=bounds)


def _whole_run(
    key: str, label: str, formula: str, meaning: str, bounds: Bounds = (0, None), **facts: Any
) -> Metric:
    return Metric(
        f"dynamics.{key}", label, formula, meaning, summary_only=True, bounds=bounds, **facts
    )


_OF_PLUGIN: Final = (
    f"Share of a plug-in's {{}} with a loss: above 0 for a hinge, else above {ACTIVE_EPS:g}."
)

DYNAMICS: Final = (
    _dynamics(
        "loss",
        "Loss",
        r"\frac{1}{|V|}\sum_{t \in V} \ell_t",
        "Mean over all valid tuples of the batch, whatever reduction is trained. Each loss has its "
        "own scale: compare how it falls, not its value.",
    ),
    _dynamics(
        "loss_trained",
        "Trained loss",
        r"\mathcal{L}",
        "The value that is backpropagated, in the reduction the arm trains with.",
    ),
    _dynamics(
        "loss.positive",
        "Pull",
        r"\frac{1}{|V|}\sum_{P} \max(0, d_{xy} - m_p)^2",
        "The share of the loss that pulls positive pairs together.",
    ),
    _dynamics(
        "loss.negative",
        "Push",
        r"\frac{1}{|V|}\sum_{N} \max(0, m - d_{xy})^2",
        "The share of the loss that pushes negative pairs apart; not squared with a linear hinge.",
    ),
    _dynamics(
        "loss.triplet",
        "Triplet hinge",
        r"\frac{1}{|V|}\sum \max(0, s_{ap} - s_{an} + m)",
        "The triplet loss's only part.",
    ),
    _dynamics(
        "loss.softmax",
        "Cross-entropy",
        r"\frac{1}{|V|}\sum -\log\operatorname{softmax}(\cdot)",
        "The part of a softmax loss (N-pair, InfoNCE, SupCon, ArcFace, centre contrastive) that "
        "asks a similarity to win over its competitors.",
    ),
    _dynamics(
        "loss.pair",
        "Loss of pairs",
        r"\frac{1}{|V|}\sum_{(x,y)} \ell_{xy}",
        "Of a plug-in that gives a loss for each pair and does not say on which side it is.",
    ),
    _dynamics(
        "loss.per_anchor",
        "Loss per anchor",
        r"\frac{1}{|V|}\sum_{a} \ell_a",
        "Of a plug-in that gives one loss for each item of the batch.",
    ),
    _dynamics(
        "loss.per_proxy",
        "Loss per proxy",
        r"\frac{1}{|V|}\sum_{c} \ell_c",
        "Of a plug-in that gives one loss for each trainable vector of a class.",
    ),
    _dynamics(
        "loss.comparison",
        "Loss of comparisons",
        r"\frac{1}{|V|}\sum \log(1 + e^{s (\cos_l - \cos_k)})",
        "CoSENT's only part: two pairs of different scores, each comparison taken by itself.",
    ),
    _dynamics(
        "active_ratio",
        "Active ratio",
        r"\frac{|\{t \in V : \ell_t > 0\}|}{|V|}",
        "Share of the valid tuples that still have a loss, and so a gradient. The loss of a "
        f"softmax is never 0; there a tuple is active above {ACTIVE_EPS:g}.",
        SHARE,
    ),
    _dynamics(
        "active_ratio.selected",
        "Active among the selected",
        r"\frac{|\{t \in S : \ell_t > 0\}|}{|S|}",
        "The same over the tuples that the arm's selection picked. A selection that takes only "
        "violated tuples makes this 1 by construction: compare arms by the plain active ratio.",
        SHARE,
    ),
    _dynamics(
        "active_ratio.positive",
        "Active positives",
        r"\frac{|\{P : \ell > 0\}|}{|P|}",
        "Share of positive pairs with a loss. A positive pair pulls at any distance, so this "
        "stays near 1.",
        SHARE,
    ),
    _dynamics(
        "active_ratio.negative",
        "Active negatives",
        r"\frac{|\{N : \ell > 0\}|}{|N|}",
        "Share of negative pairs that are still nearer than the margin.",
        SHARE,
    ),
    _dynamics(
        "active_ratio.triplet",
        "Active triplets",
        r"\frac{|\{(a,p,n) : \ell > 0\}|}{|V|}",
        "Share of valid triplets that still violate the margin.",
        SHARE,
    ),
    _dynamics(
        "active_ratio.softmax",
        "Active cross-entropies",
        rf"\frac{{|\{{t : \ell_t > {ACTIVE_EPS:g}\}}|}}{{|V|}}",
        f"Share of the softmax's tuples with a loss above {ACTIVE_EPS:g}: those not yet won with "
        "probability 0.999.",
        SHARE,
    ),
    _dynamics(
        "active_ratio.comparison",
        "Active comparisons",
        rf"\frac{{|\{{t : \ell_t > {ACTIVE_EPS:g}\}}|}}{{|V|}}",
        f"Share of the comparisons of two scored pairs with a loss above {ACTIVE_EPS:g}.",
        SHARE,
    ),
    _dynamics(
        "active_ratio.pair",
        "Active pairs",
        r"\frac{|\{(x,y) : \ell > 0\}|}{|V|}",
        _OF_PLUGIN.format("pairs"),
        SHARE,
    ),
    _dynamics(
        "active_ratio.per_anchor",
        "Active losses of anchors",
        r"\frac{|\{a : \ell_a > 0\}|}{|V|}",
        _OF_PLUGIN.format("anchors"),
        SHARE,
    ),
    _dynamics(
        "active_ratio.per_proxy",
        "Active proxies",
        r"\frac{|\{c : \ell_c > 0\}|}{|V|}",
        _OF_PLUGIN.format("proxies"),
        SHARE,
    ),
    _dynamics(
        "active_ratio.anchors",
        "Active anchors",
        r"\frac{|\{a : \exists t \ni a,\ \ell_t > 0\}|}{|\{a : \exists t \ni a\}|}",
        "Share of anchors with at least one active tuple.",
        SHARE,
    ),
    _dynamics(
        "active_ratio.pushing_anchors",
        "Pushing anchors",
        r"\frac{|\{a : \exists t \ni a \text{ that pushes},\ \ell_t > 0\}|}"
        r"{|\{a : \exists t \ni a \text{ that pushes}\}|}",
        "Share of anchors with an active tuple that pushes another class away: a negative pair or "
        "a triplet. Losses of one part: as the active anchors.",
        SHARE,
    ),
    _dynamics(
        "trivial_loss",
        "Trivial loss",
        r"\frac{1}{|V|}\sum_{t \in V} \ell_t \;\big|\; z_1 = \dots = z_B",
        "The value that the loss would have for this batch if all embeddings coincided. A loss "
        "that stays there has learnt nothing, or has collapsed.",
    ),
    _dynamics(
        "pull_share",
        "Share of the weight that pulls",
        r"\frac{w_P}{w_P + w_N}",
        "How much of the trained loss's weight lies on positive pairs. It follows from the batch's "
        "classes, the selection and the reduction, and decides results as much as the loss does.",
        SHARE,
    ),
    _dynamics(
        "active_tuples", "Active tuples", r"|\{t \in V : \ell_t > 0\}|", "The ratio's numerator."
    ),
    _dynamics("valid_tuples", "Valid tuples", r"|V|", "The ratio's denominator."),
    _dynamics(
        "selected_tuples",
        "Selected tuples",
        r"|S|",
        "How many tuples the arm's selection picked to train on.",
    ),
    _dynamics(
        "false_negative_share",
        "Share of false negatives",
        r"\frac{|\{(a, c) : g_a = g_c,\ c \ne p_a\}|}{|\{(a, c) : c \ne p_a\}|}",
        "Of the other tuples' items that an anchor could be compared with in a batch, the share "
        "that belongs to its group. They are left out of its negatives.",
        SHARE,
    ),
    _dynamics(
        "empty_steps",
        "Steps with nothing to learn",
        r"|\{\text{steps so far} : |A| = 0\}|",
        "How many steps up to this one had no active tuple: the encoder did not move for any of "
        "them.",
    ),
    _dynamics(
        "invalid_steps",
        "Steps without a valid tuple",
        r"|\{\text{steps so far} : |V| = 0\}|",
        "How many of those had no valid tuple at all, such as a batch in which no class comes "
        "twice.",
    ),
    _dynamics(
        "gradient_norm",
        "Gradient norm",
        r"\lVert \nabla_\theta \mathcal{L} \rVert_2",
        "Global L2 norm over the encoder's parameters, before clipping. Depends on the reduction.",
    ),
    _dynamics(
        "gradient_norm.embedding",
        "Gradient norm at the embeddings",
        r"\lVert \nabla_E \mathcal{L} \rVert_2",
        "L2 norm of the gradient with respect to the batch's embeddings.",
    ),
    _dynamics(
        "gradient_norm.per_active",
        "Gradient norm per active tuple",
        r"\Bigl\lVert \nabla_\theta \frac{1}{|A|}\sum_{t \in A} \ell_t \Bigr\rVert_2",
        "How strong the active tuples' mean gradient is, whatever reduction is trained. "
        "Absent at a step where nothing is active, and under the reduction balanced.",
    ),
    _dynamics(
        "update_norm",
        "Update norm",
        r"\frac{\lVert \Delta\theta \rVert}{\lVert \theta \rVert}",
        "Relative size of the optimiser's real step, every tenth step.",
    ),
    _whole_run(
        "loss_decay_epochs",
        "Loss-decay epochs",
        r"\min\{e : \bar L_e \le 0.1\, L_0\}",
        "Epochs until the epoch's mean loss is a tenth of the untrained network's. Not reached is "
        "told as more than the epochs trained, never as a number.",
        unit="epochs",
        grid=True,
    ),
    _whole_run(
        "half_life",
        "Loss half-life",
        r"\min\{e : \bar L_e \le 0.5\, L_0\}",
        "Epochs until the epoch's mean loss is half of the untrained network's.",
        unit="epochs",
        grid=True,
    ),
    _whole_run(
        "auc",
        "Area under the loss",
        r"\frac{1}{E}\sum_{e=1}^{E} \bar L_e / L_0",
        "Mean over epochs of the loss divided by the untrained network's: near 0 where it fell at "
        "once, 1 where it never fell.",
    ),
    _whole_run(
        "active_ratio.early",
        "Early active ratio",
        r"\frac{1}{|E_1|}\sum_{t \in E_1} \text{active ratio}_t",
        "Mean active ratio over the first epoch.",
        bounds=SHARE,
    ),
    _whole_run(
        "active_ratio.pushing.early",
        "Early active ratio of pushing tuples",
        r"\frac{1}{|E_1|}\sum_{t \in E_1} \text{active ratio}^{-}_t",
        "Mean over the first epoch of the active ratio of the tuples that push: negative pairs, "
        "triplets, or a softmax loss's only part. Positive pairs, which never switch off, are left "
        "out.",
        bounds=SHARE,
    ),
    _whole_run(
        "active_ratio.pushing_anchors.early",
        "Early share of pushing anchors",
        r"\frac{1}{|E_1|}\sum_{t \in E_1} \text{pushing anchors}_t",
        "Mean over the first epoch of the share of anchors with an active negative pair or "
        "triplet.",
        bounds=SHARE,
    ),
    _whole_run(
        "update_norm.mean",
        "Mean update norm",
        r"\overline{\lVert \Delta\theta \rVert / \lVert \theta \rVert}",
        "Mean relative size of the optimiser's real steps over the whole training: what the "
        "encoder really moved.",
        scale="ratio",
    ),
    _whole_run(
        "update_norm.late_share",
        "Late share of the updates",
        r"\sum_{t > T/2} u_t \,/\, \sum_t u_t",
        "Share of the sum of all update norms that falls into the second half of the steps.",
        bounds=SHARE,
    ),
    _whole_run(
        "pull_share.mean",
        "Mean share of the weight that pulls",
        r"\overline{w_P / (w_P + w_N)}",
        "Mean over all steps of the share of the trained loss's weight that lies on positive "
        "pairs.",
        bounds=SHARE,
    ),
    _whole_run(
        "gradient_norm.per_active.mean",
        "Mean gradient norm per active tuple",
        r"\frac{1}{T}\sum_t \Bigl\lVert \nabla_\theta \frac{1}{|A_t|}\sum_{A_t} \ell \Bigr\rVert_2",
        "Mean over all steps at which a tuple was active.",
        scale="ratio",
    ),
    _whole_run(
        "gradient_norm.late_share",
        "Late share of the gradient norm",
        r"\overline{\lVert \nabla \rVert}_{\text{late}} \,/\, "
        r"\overline{\lVert \nabla \rVert}_{\text{early}}",
        "Mean gradient norm over the last tenth of the epochs, divided by that over the first.",
        scale="ratio",
    ),
)
