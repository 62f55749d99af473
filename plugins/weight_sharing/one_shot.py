"""``one-shot``: the accuracy of an architecture's path through a supernet, whose weights all architectures share.

Sources: Bender et al., ICML 2018; as Li & Talwalkar (UAI 2019) and Dong & Yang (ICLR 2020) judge candidates. The
supernet is trained by one of the strategies of this package, for so many epochs, with the run's seed; then every
architecture is judged by the same images, those that strategies choose architectures by. Score: accuracy in percent,
or minus the mean cross-entropy in nats; higher is better.

The score depends on seed, space, data set, settings and architecture. The supernet is trained once for a run: the
first job trains it, in a folder beside the results file (``results.h5.shared``), where an interrupted training goes
on; other workers wait for it. So the first job takes as long as the training, and a time limit has to allow for it.
Jobs on other machines train their own, which is the same one.

With ``batch_norm=batch`` the cells are normalised by statistics of the images that judge, with ``running`` by averages
over all paths that were trained, which fit no single path.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import torch
from torch.nn import functional

from ...core.context import EvaluationContext
from ...core.errors import DivergedError
from ...core.interfaces import Evaluator
from ...core.seeding import derive_seed, seeded_global_rng
from ...core.supernets import Choice, SinglePath
from ...core.weight_sharing import SupernetContext
from .darts import Darts
from .enas import Enas
from .gdas import Gdas
from .random_paths import RandomPaths
from .setn import Setn
from .settings import OneShotSettings
from .store import SupernetStore
from .training import SupernetTraining

STRATEGIES: Mapping[str, type[SupernetTraining[Any]]] = {
    "rsps": RandomPaths,
    "darts": Darts,
    "gdas": Gdas,
    "setn": Setn,
    "enas": Enas,
}


class TrainedSupernet:
    """A supernet that was trained to its end, or the reason why it was not.

    Args:
        context: Gives images, device and seed.
        settings: How to train.
    """

    def __init__(self, context: EvaluationContext, settings: OneShotSettings) -> None:
        key, parts = context.key, (context.training_part(), context.held_out_part())
        shared = SupernetContext(context.space, context.dataset, *parts, context.device, key.seed)
        self.failure = ""
        # Strategies have generators of their own: this only keeps the architecture, which seeds jobs, out of it.
        with seeded_global_rng(derive_seed("one-shot", key.seed, key.space, key.dataset)):
            self.strategy = STRATEGIES[settings.strategy](shared, settings.of_strategy())
            # Refused now, not after the training.
            self.strategy.images.positions_to_judge_by(settings.judging_images)
            self._train(SupernetStore(context.store, _name(context, shared, settings), context.device), settings.epochs)

    def _train(self, store: SupernetStore, epochs: int) -> None:
        with store.locked():
            state = store.load()
            if state is not None:
                self.strategy.load_state(state)
            while self.strategy.epoch < epochs:
                try:
                    self.strategy.train_epoch()
                except DivergedError as error:
                    self.failure = f"in epoch {self.strategy.epoch + 1} of the supernet {error}"
                    return
                store.save(self.strategy.state())

    @torch.no_grad()
    def judge(self, choice: Choice, images: int | None, measure: str) -> float:
        """Return the accuracy of a path in percent, or minus its mean cross-entropy."""
        batches = self.strategy.images.all_selection_batches(images)
        if measure == "accuracy":
            return self.strategy.accuracy(choice, *batches)
        self.strategy.supernet.eval()
        total, count = 0.0, 0
        for inputs, labels in batches:
            logits = self.strategy.supernet(inputs, SinglePath(choice))
            total += float(functional.cross_entropy(logits.double(), labels, reduction="sum"))
            count += len(labels)
        return -total / count


class OneShot(Evaluator[OneShotSettings]):
    """Accuracy under shared weights."""

    def _evaluate(self, context: EvaluationContext) -> float:
        # Every job says which images it depends on.
        context.training_part(), context.held_out_part()
        trained = context.shared(f"supernet of {context.space.name}", lambda _: TrainedSupernet(context, self.settings))
        if trained.failure:
            raise DivergedError(trained.failure)
        choice = trained.strategy.supernet.choice_of(context.key.arch_id)
        return trained.judge(choice, self.settings.judging_images, self.settings.measure)


def _name(context: EvaluationContext, shared: SupernetContext, settings: OneShotSettings) -> str:
    """Return what is equal for equal trainings alone, also of evaluators that judge in different ways."""
    key, training = context.key, [settings.strategy, settings.of_strategy().effective()]
    decides = [
        key.space, key.dataset, key.seed, training, shared.image_digests(), torch.__version__, context.device.type
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:16]
