"""What strategies that train a supernet implement, and what they are given.

Such a strategy needs images, gradients and epochs, and no scores: it is no :class:`.interfaces.SearchStrategy`, which
is asked for proposals and told what became of them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, Literal, TypeVar

import torch
from torch import Tensor

from .batches import Batch, batch_digest
from .descriptions import DatasetInfo
from .errors import EvaluationError, InvalidArchitectureError
from .interfaces import SearchSpace
from .loading.faults import guard_methods
from .seeding import derive_seed, seeded_global_rng, torch_generator
from .settings import Settings
from .supernets import Choice, Supernet, SupernetNorm

SettingsT = TypeVar("SettingsT", bound=Settings)

Split = Literal["halves", "held-out"]

FEWEST_IMAGES = 2
"""In each part: of one image there is no variance to normalise by."""


@dataclass(frozen=True)
class ImagePart:
    """Some images of a set, in a fixed order.

    Attributes:
        source: All images, on the CPU.
        positions: Which of them, shape ``(n,)``, int64.
    """

    source: Batch
    positions: Tensor

    def __len__(self) -> int:
        return len(self.positions)

    def take(self, order: Tensor, device: torch.device) -> tuple[Tensor, Tensor]:
        """Return images in ``[0, 1]`` and labels on a device; ``order`` has indices into this part."""
        chosen = self.positions[order]
        return self.source.inputs[chosen].to(device), self.source.labels[chosen].to(device)


class SupernetContext:
    """What a strategy that trains a supernet gets: the supernet, two parts of the images, generators.

    Attributes:
        space: The search space.
        dataset: Description of the data set.
        device: Where to compute.
        seed: Seed of the search, or of the run.

    Args:
        space: As above.
        dataset: As above.
        training: Images to train on.
        held_out: Images to test on.
        device: As above.
        seed: As above.
    """

    def __init__(
        self,
        space: SearchSpace,
        dataset: DatasetInfo,
        training: Batch,
        held_out: Batch,
        device: torch.device,
        seed: int,
    ) -> None:
        self.space = space
        self.dataset = dataset
        self.device = device
        self.seed = seed
        self._training = training
        self._held_out = held_out
        self._known: dict[Choice, bool] = {}

    def supernet(self, norm: SupernetNorm) -> Supernet:
        """Build the supernet on the device, in training mode; with one seed, all strategies get the same weights."""
        with seeded_global_rng(self._seed("initial weights of the supernet")):
            supernet = self.space.build_supernet(self.dataset, norm)
        return supernet.to(self.device).train()

    def split(self, how: Split = "halves") -> tuple[ImagePart, ImagePart]:
        """Return the images that weights are trained on, and those that architectures are chosen by.

        Either part is the same in every search: which images are in it depends on the data set alone.

        Args:
            how: ``halves``: a random half of each class of the training images each, the odd one to the weights.
                ``held-out``: all training images, and such a half of those to test on.

        Raises:
            EvaluationError: A part would have fewer than two images.
        """
        first, second = self._halves(self._training if how == "halves" else self._held_out)
        if how == "held-out":
            everything = torch.arange(len(self._training.labels))
            first, second = ImagePart(self._training, everything), first
        if min(len(first), len(second)) < FEWEST_IMAGES:
            raise EvaluationError(
                f"it needs two parts of the images, to train weights and to choose architectures, and those of "
                f"'{self.dataset.name}' are too few: they would have {len(first)} and {len(second)}"
            )
        return first, second

    def some(self, part: ImagePart, count: int | None, what: str) -> ImagePart:
        """Return random images of a part, the same ones with one seed; all of them if ``count`` is None.

        Raises:
            EvaluationError: There are fewer.
        """
        if count is None:
            return part
        return ImagePart(part.source, part.positions[self.random_positions(part, count, what)])

    def random_positions(self, part: ImagePart, count: int, what: str) -> Tensor:
        """Return which images of a part are random ones of it, the same ones with one seed.

        Raises:
            EvaluationError: There are fewer.
        """
        if count > len(part):
            raise EvaluationError(f"it was asked to use {count} {what}, and there are {len(part)}")
        return torch.randperm(len(part), generator=self.generator(what))[:count]

    def image_digests(self) -> dict[str, str]:
        """Return what tells the images from others."""
        parts = {"training": self._training, "held-out": self._held_out}
        return {f"all {len(part.labels)} {name} images": batch_digest(part) for name, part in parts.items()}

    def generator(self, stream: str) -> torch.Generator:
        """Return a fresh CPU generator for one purpose, seeded by seed, space, data set and purpose."""
        return torch_generator(self._seed(stream))

    def is_architecture(self, supernet: Supernet, choice: Choice) -> bool:
        """Return whether a choice is one of the search space, of which a table may have a part only."""
        if choice not in self._known:
            try:
                self.space.canonicalize(supernet.spell(choice))
            except InvalidArchitectureError:
                self._known[choice] = False
            else:
                self._known[choice] = True
        return self._known[choice]

    def _seed(self, stream: str) -> int:
        return derive_seed("weight sharing", stream, self.seed, self.space.name, self.dataset.name)

    def _halves(self, images: Batch) -> tuple[ImagePart, ImagePart]:
        generator = torch_generator(derive_seed("halves", self.dataset.name))
        first, second = [], []
        for label in range(self.dataset.num_classes):
            members = torch.nonzero(images.labels == label).flatten()
            members = members[torch.randperm(len(members), generator=generator)]
            middle = (len(members) + 1) // 2
            first.append(members[:middle])
            second.append(members[middle:])
        parts = (torch.cat(each).sort().values for each in (first, second))
        one, other = (ImagePart(images, positions) for positions in parts)
        return one, other


@dataclass(frozen=True)
class Derivation:
    """The architecture that a strategy would answer after an epoch.

    Attributes:
        choice: An architecture of the search space.
        chosen: What the strategy chose: another one where the space, a table of a part, does not have it.
        figures: What else there is to tell, such as its accuracy under shared weights.
        probabilities: Of each option of each decision; empty where the strategy has none.
    """

    choice: Choice
    chosen: Choice
    figures: Mapping[str, float] = field(default_factory=dict)
    probabilities: tuple[tuple[float, ...], ...] = ()


class WeightSharingStrategy(ABC, Generic[SettingsT]):
    """Trains a supernet, epoch by epoch, and derives an architecture after each; the last one is its answer.

    Must implement ``train_epoch``, ``derive``, ``state`` and ``load_state``, and set ``supernet``. The settings class
    has a whole number ``epochs``: so often the engine calls ``train_epoch`` and then ``derive``, and stores ``state``.
    What a strategy does depends on context and settings only: random numbers come from ``context.generator``, and
    whatever decides its further course is in its state, so that a search that was killed goes on as if it had not been.

    Attributes:
        supernet: The network that is trained.
    """

    supernet: Supernet

    _guarded: ClassVar = dict.fromkeys(("train_epoch", "derive", "state", "load_state"))

    def __init_subclass__(cls, **named: Any) -> None:
        super().__init_subclass__(**named)
        guard_methods(cls, cls._guarded)

    def __init__(self, context: SupernetContext, settings: SettingsT) -> None:
        self.context = context
        self.settings = settings

    @abstractmethod
    def train_epoch(self) -> Mapping[str, float]:
        """Train for one more epoch and return its figures by name, such as ``train_loss``.

        Raises:
            DivergedError: A loss is no longer finite.
        """

    @abstractmethod
    def derive(self, *, last: bool) -> Derivation:
        """Return the architecture that the search would end with now.

        Args:
            last: Whether it does end. What is derived on the way may be chosen with less effort.
        """

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """Return all that decides the further course: tensors, numbers, texts, and lists and dictionaries of those."""

    @abstractmethod
    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from what ``state`` returned; called on a new strategy with the same context and settings."""
