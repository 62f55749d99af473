"""What a plugin implements: search spaces, ground truths, data sets, data sources, evaluators, search strategies.

Public methods check their input and output and call the private one that a subclass writes, so no subclass can
forget a check.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from .capabilities import Images, Tokens
from .checked_evaluation import checked_evaluation
from .descriptions import DatasetInfo, DataSourceInfo, SearchSpaceInfo
from .domain import Evaluation, Metric
from .errors import (
    InvalidArchitectureError,
    PluginError,
    SampleSizeError,
    UnsupportedImportError,
    UnsupportedSearchSpaceError,
)
from .lazy_layers import initialize_lazy_layers
from .loading.faults import (
    Check,
    description_of,
    expect_choices,
    expect_number_or_none,
    expect_shares,
    expect_size,
    expect_text,
    expect_text_each,
    expect_texts,
    expect_texts_or_none,
    fault,
    guard_methods,
    owner_of,
    set_description,
    set_owner,
)
from .settings import Settings

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from torch import nn

    from .context import EvaluationContext
    from .pictures.graph import CellGraph
    from .supernets import Supernet, SupernetNorm

SettingsT = TypeVar("SettingsT", bound=Settings)

Progress = Callable[[int, int], None]
"""Called with what is done and what there is in all, in any unit; at most some twenty times a second."""


@dataclass(frozen=True)
class RemadeRow:
    """How a row of a table that was trained again compares with the stored one.

    Attributes:
        arch_id: The architecture.
        identical: Whether all stored figures came out again.
        distances: For each metric, by name, how far the means over the training seeds are apart, in standard errors.
        within_noise: Whether other seeds could explain every distance; true for identical rows.
    """

    arch_id: str
    identical: bool
    distances: Mapping[str, float]
    within_noise: bool


SAMPLES_TO_CHECK = 16
"""So many sampled architectures are looked at whether they are canonical: a space that errs does so in most."""


def _check_values(_table: Any, arguments: tuple[Any, ...], returned: Any) -> str | None:
    """Expect one number for each architecture."""
    values = list(returned)
    asked = len(arguments[1]) if len(arguments) > 1 else len(values)
    if len(values) != asked:
        return f"{len(values)} values for {asked} architectures"
    wrong = next((value for value in values if isinstance(value, str | bool) or not hasattr(value, "__float__")), None)
    return None if wrong is None else f"the value {wrong!r}, expected numbers"


def _check_metrics(_table: Any, _arguments: tuple[Any, ...], returned: Any) -> str | None:
    """Expect at least one metric."""
    if returned and all(isinstance(metric, Metric) for metric in returned):
        return None
    return f"{returned!r:.80}, expected a tuple of one Metric or more"


def _check_table(space: Any, _arguments: tuple[Any, ...], returned: Any) -> str | None:
    """Expect a table or None; whose it is must be known when it errs."""
    if returned is None:
        return None
    if not isinstance(returned, GroundTruth):
        return f"{type(returned).__name__}, expected a GroundTruth or None"
    set_owner(returned, f"ground truth of the {owner_of(space)}")
    # Often an attribute, which no guard sees.
    problem = _check_metrics(returned, (), returned.metrics)
    return problem and f"a table whose 'metrics' are {problem}"


def _check_space(_space: Any, _arguments: tuple[Any, ...], returned: Any) -> str | None:
    """Expect a search space."""
    return None if isinstance(returned, SearchSpace) else f"{type(returned).__name__}, expected a SearchSpace"


def _check_network(_space: Any, _arguments: tuple[Any, ...], returned: Any) -> str | None:
    """Expect what can be called and has parameters."""
    if callable(returned) and hasattr(returned, "parameters"):
        return None
    return f"{type(returned).__name__}, expected a torch.nn.Module"


def _check_supernet(_space: Any, _arguments: tuple[Any, ...], returned: Any) -> str | None:
    """Expect a supernet."""
    if all(hasattr(returned, name) for name in ("options", "skips", "zeros", "nodes", "spell", "parameters")):
        return None
    return f"{type(returned).__name__}, expected a Supernet"


def _check_cells(_space: Any, _arguments: tuple[Any, ...], returned: Any) -> str | None:
    """Expect graphs or None."""
    if returned is None or all(hasattr(graph, "edges") for graph in returned):
        return None
    return f"{returned!r:.80}, expected CellGraph objects or None"


def _check_all_values(_table: Any, _arguments: tuple[Any, ...], returned: Any) -> str | None:
    """Expect an array of numbers, or None."""
    if returned is None or (getattr(returned, "ndim", None) == 1 and returned.dtype.kind in "fiu"):
        return None
    return f"{_array(returned)}, expected an array of numbers of one dimension, or None"


def _check_neighbours(space: Any, arguments: tuple[Any, ...], returned: Any) -> str | None:
    """Expect architectures, or None."""
    problem = expect_texts_or_none(space, arguments, returned)
    if problem is None:
        for neighbour in (returned or ())[:SAMPLES_TO_CHECK]:
            space._own_canonical("has as a neighbour", neighbour)
    return problem


def _check_assembled(space: Any, arguments: tuple[Any, ...], returned: Any) -> str | None:
    """Expect an architecture."""
    problem = expect_text(space, arguments, returned)
    if problem is None:
        space._own_canonical("assembled", returned)
    return problem


_OF_SPACES: dict[str, Check | None] = {
    "size": expect_size,
    "canonicalize": expect_text,
    "canonicalize_many": expect_text_each,
    "_sample": expect_texts,
    "_mutate": expect_text,
    "neighbours": _check_neighbours,
    "choices": expect_choices,
    "assemble": _check_assembled,
    "describe": expect_text,
    "example": expect_text,
    "sampling": expect_text,
    "_build_network": _check_network,
    "_build_with_auxiliary_head": _check_network,
    "_build_supernet": _check_supernet,
    "ground_truth": _check_table,
    "compared_by": _check_space,
    "cell_graphs": _check_cells,
}
_OF_GROUND_TRUTHS: dict[str, Check | None] = {
    "metrics": _check_metrics,
    "values": _check_values,
    "noise_ceiling": expect_number_or_none,
    "all_values": _check_all_values,
    "optimum": expect_number_or_none,
    "remake": None,
}


class GroundTruth(ABC):
    """A table of trained performance. Reading it must not import torch.

    Must implement ``metrics``, ``values``; may implement ``noise_ceiling``, ``all_values``, ``optimum`` and ``remake``.
    """

    def __init_subclass__(cls, **named: Any) -> None:
        super().__init_subclass__(**named)
        guard_methods(cls, _OF_GROUND_TRUTHS)

    @property
    @abstractmethod
    def metrics(self) -> tuple[Metric, ...]:
        """What the table holds; the first is the default, and it is always named in results."""

    @abstractmethod
    def values(self, metric: Metric, arch_ids: Sequence[str]) -> list[float]:
        """Return one value for each architecture, NaN where the table has none."""

    def noise_ceiling(self, metric: Metric) -> float | None:
        """Return the rank correlation between two independent makings of the table's values, if it is known."""
        return None

    def all_values(self, metric: Metric) -> npt.NDArray[np.float64] | None:
        """Return the values of all architectures of the table, in any order, or None if they cannot be listed.

        Each architecture counts once, however many spellings it has; NaN where it was not measured. What a search
        could have found at best, and the rank of what it found, are read off it.
        """
        return None

    def optimum(self, metric: Metric) -> float | None:
        """Return what the regret of a search is measured from, None for the best of the table.

        For a table that lacks the best architecture of its space, or where the literature measures from another value.
        """
        return None

    def remake(self, count: int, seed: int) -> Iterator[RemadeRow] | None:
        """Train ``count`` rows again, chosen by ``seed``, and compare each; None if the table cannot be made again.

        Raises:
            SampleSizeError: The table has fewer rows.
        """
        return None


class DesignSpace(ABC):
    """A set of designs, each spelled as a text: what a search strategy sees of a search space.

    Must implement ``name``, ``size``, ``canonicalize`` and ``_sample``; may implement ``_mutate``, ``neighbours`` and
    ``choices`` with ``assemble``, and ``describe``. The designs of a :class:`SearchSpace` are architectures.
    """

    def __init_subclass__(cls, **named: Any) -> None:
        super().__init_subclass__(**named)
        guard_methods(cls, _OF_SPACES)

    @property
    @abstractmethod
    def name(self) -> str:
        """Name of the space; it enters the seeds of strategies."""

    @property
    @abstractmethod
    def size(self) -> int | None:
        """Number of architectures that differ in more than their spelling, or None if it is not known."""

    @abstractmethod
    def canonicalize(self, text: str) -> str:
        """Return the canonical string of an architecture, the same for all its spellings.

        In a search space the canonical network computes what that of every spelling does, under matching weights, with
        as many live parameters.

        Raises:
            InvalidArchitectureError: ``text`` is not an architecture of this space.
        """

    @abstractmethod
    def _sample(self, count: int, rng: np.random.Generator) -> list[str]:
        """Return ``count`` distinct canonical strings, uniform over the space; ``count`` is at most ``size``."""

    def sample(self, count: int, rng: np.random.Generator) -> list[str]:
        """Return ``count`` distinct architectures, uniform over the space, as canonical strings.

        Raises:
            SampleSizeError: The space has fewer.
            PluginError: The space returned something else than it was asked for.
        """
        if count < 1:
            raise SampleSizeError(f"The number of architectures must be at least 1, got {count}.")
        if self.size is not None and count > self.size:
            raise SampleSizeError(
                f"The search space '{self.name}' has {self.size:,} architectures, {count:,} were asked for. "
                f"Ask for at most {self.size}."
            )
        arch_ids = [str(arch_id) for arch_id in self._sample(count, rng)]
        if len(arch_ids) != count or len(set(arch_ids)) != count:
            raise PluginError(
                f"The {owner_of(self)} was asked for {count} distinct architectures and returned "
                f"{len(arch_ids)}, {len(set(arch_ids))} of them distinct. This is a fault of its plugin."
            )
        for arch_id in arch_ids[:SAMPLES_TO_CHECK]:
            self._check_sampled(arch_id)
        return arch_ids

    def _check_sampled(self, arch_id: str) -> None:
        """Check that what was sampled is its own canonical string; otherwise two keys would be one architecture."""
        canonical = self._own_canonical("sampled", arch_id)
        if canonical != arch_id:
            raise fault(self, f"sampled {arch_id[:80]!r}, whose canonical string is another one, {canonical[:80]!r}")

    def _own_canonical(self, made: str, text: str) -> str:
        """Return the canonical string of what the space itself made. Raises PluginError if it is no architecture."""
        try:
            return self.canonicalize(text)
        except InvalidArchitectureError as error:
            raise fault(self, f"{made} {text[:80]!r}, which is none of its architectures: {error}") from error

    def mutate(self, text: str, rng: np.random.Generator) -> str:
        """Return a random neighbour of an architecture, as the space's benchmark or its users define it.

        Args:
            text: Any spelling of an architecture, also one that is not canonical.
            rng: Source of randomness.

        Returns:
            A spelling that need not be canonical: a search carries spellings, ``canonicalize`` gives the identity.

        Raises:
            InvalidArchitectureError: ``text`` is not an architecture of this space.
            UnsupportedSearchSpaceError: The space has no mutation.
        """
        self.check_mutation()
        mutated = self._mutate(text, rng)
        self._own_canonical(f"mutated {text[:80]!r} to", mutated)
        return mutated

    def _mutate(self, text: str, rng: np.random.Generator) -> str:
        raise NotImplementedError

    def check_mutation(self) -> None:
        """Refuse, before a search begins, a space whose architectures cannot be mutated.

        Raises:
            UnsupportedSearchSpaceError: The space has no mutation.
        """
        if type(self)._mutate is DesignSpace._mutate:
            raise UnsupportedSearchSpaceError(
                f"The search space '{self.name}' has no mutation. Use a search strategy that needs none, such as "
                "'random-search'."
            )

    def neighbours(self, text: str) -> list[str] | None:
        """Return every architecture that differs from this one in a single decision, or None if they are not known.

        Args:
            text: Any spelling of an architecture; its neighbours depend on the spelling.

        Returns:
            Spellings in a fixed order, which need not be canonical.
        """
        return None

    def choices(self) -> tuple[tuple[str, ...], ...] | None:
        """Return the options of every decision that makes an architecture, or None if decisions are not independent.

        Where it is not None, every combination of options is an architecture, which ``assemble`` spells.
        """
        return None

    def assemble(self, options: Sequence[int]) -> str:
        """Return a spelling of the architecture that takes these options, one index for each of ``choices``.

        Raises:
            UnsupportedSearchSpaceError: The space has no ``choices``.
            PluginError: It has ``choices``, and does not implement this.
        """
        if self.choices() is not None:
            raise fault(self, "has 'choices' and no 'assemble'")
        raise UnsupportedSearchSpaceError(f"The search space '{self.name}' is no list of independent decisions.")

    def describe(self, text: str) -> str:
        """Return a design in a few words for people; by default as it is spelled."""
        return text

    def example(self) -> str:
        """Return one architecture, the same at every call."""
        import numpy as np

        return self.sample(1, np.random.default_rng(0))[0]


class SearchSpace(DesignSpace):
    """A set of architectures: how to name, sample and build them.

    Must implement ``size``, ``canonicalize``, ``_sample`` and ``_build_network``; may implement ``ground_truth``,
    ``_mutate``, ``neighbours``, ``choices`` with ``assemble``, ``canonicalize_many``, ``sampling``, ``compared_by``,
    ``cell_graphs``, ``_build_with_auxiliary_head`` and ``_build_supernet``.
    One instance serves a whole run; it must not change with use.
    """

    def __init__(self, info: SearchSpaceInfo) -> None:
        self.info = info

    @property
    def name(self) -> str:
        """Name of the search space."""
        return self.info.name

    def canonicalize_many(self, texts: Sequence[str]) -> list[str]:
        """Return the canonical strings of many architectures.

        Raises:
            InvalidArchitectureError: One of them is not an architecture of this space.
        """
        return [self.canonicalize(text) for text in texts]

    @property
    def sampling(self) -> str:
        """How ``sample`` chooses, in words, as results files say it."""
        return "uniform over the space, without replacement"

    @abstractmethod
    def _build_network(self, arch_id: str, dataset: DatasetInfo, variant: str) -> nn.Module:
        """Build a network that takes ``(batch, *dataset.input_shape)`` and returns logits, ``(batch, num_classes)``.

        Where an input has several labels, such as the tokens that follow its own, there are logits for each of them:
        ``(*labels.shape, num_classes)``. What networks for the data set ``none`` take, capabilities of the space say.

        Initial weights come from torch's global generator, which the engine has seeded.
        """

    def build_network(self, arch_id: str, dataset: DatasetInfo, variant: str = "benchmark") -> nn.Module:
        """Build the network of an architecture for a data set.

        Args:
            arch_id: Canonical string.
            dataset: Decides what inputs are like and the number of outputs.
            variant: One of ``info.network_variants``.

        Raises:
            EvaluationError: The network has lazy layers whose sizes one input does not tell.
            PluginError: The space has no such variant.
        """
        if variant not in self.info.network_variants:
            raise PluginError(
                f"The search space '{self.name}' has no network variant '{variant}'. It has "
                f"{', '.join(self.info.network_variants)}."
            )
        network = self._build_network(arch_id, dataset, variant)
        initialize_lazy_layers(network, dataset)
        return network

    def build_with_auxiliary_head(self, arch_id: str, dataset: DatasetInfo, variant: str = "benchmark") -> nn.Module:
        """Build the same network with the head that its training adds: in training it returns a pair of logits.

        The second are those of the head. In evaluation it returns what the network without the head does.

        Args:
            arch_id: Canonical string.
            dataset: As for ``build_network``.
            variant: One of ``info.network_variants``.

        Raises:
            UnsupportedSearchSpaceError: There is no such head, or not for these images.
        """
        return self._build_with_auxiliary_head(arch_id, dataset, variant)

    def _build_with_auxiliary_head(self, arch_id: str, dataset: DatasetInfo, variant: str) -> nn.Module:
        raise UnsupportedSearchSpaceError(f"The networks of the search space '{self.name}' have no auxiliary head.")

    def build_supernet(self, dataset: DatasetInfo, norm: SupernetNorm) -> Supernet:
        """Build the network that holds all candidates, for strategies that let them share weights.

        Initial weights come from torch's global generator, which the engine has seeded.

        Args:
            dataset: As for ``build_network``.
            norm: Its batch normalisation.

        Raises:
            UnsupportedSearchSpaceError: The space has none.
        """
        return self._build_supernet(dataset, norm)

    def _build_supernet(self, dataset: DatasetInfo, norm: SupernetNorm) -> Supernet:
        raise UnsupportedSearchSpaceError(f"The search space '{self.name}' has no supernet.")

    def ground_truth(self) -> GroundTruth | None:
        """Return the table of trained performance, or None if there is none at hand."""
        return None

    def compared_by(self, metric: Metric) -> SearchSpace:
        """Return this space for a comparison by a metric of its table that not all of its samples have.

        By default it is the space itself. A space that samples from a table of several data sets, each with its own
        architectures, returns one whose samples have the metric.
        """
        return self

    def cell_graphs(self, arch_id: str) -> tuple[CellGraph, ...] | None:
        """Return the graphs of an architecture's cells, for pictures, or None if the space draws none.

        Args:
            arch_id: Canonical string.
        """
        return None


class Dataset(ABC):
    """The training part of a data set; batches for evaluators are drawn from it.

    Must implement ``labels`` and ``inputs``, which return the same values at every call; may implement ``held_out``.
    """

    def __init_subclass__(cls, **named: Any) -> None:
        super().__init_subclass__(**named)
        guard_methods(cls, {"labels": _check_labels, "inputs": _check_inputs, "held_out": _check_held_out})

    @abstractmethod
    def labels(self) -> npt.NDArray[np.int64]:
        """Return the label of every input, shape ``(n,)``; with further axes where an input has several."""

    @abstractmethod
    def inputs(self, positions: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        """Return the inputs at these positions, shape ``(len(positions), *input_shape)``.

        They are float32, images in ``[0, 1]``; int64 if the data set is ``discrete``.
        """

    def held_out(self) -> Dataset | None:
        """Return the test part, of inputs with the same shape and labels, or None if there is none at hand."""
        return None


def _check_labels(dataset: Any, _arguments: tuple[Any, ...], returned: Any) -> str | None:
    """Expect whole numbers, each a class of the description."""
    if not getattr(returned, "ndim", None) or str(returned.dtype) != "int64":
        return f"{_array(returned)}, expected an array of int64 whose first axis counts the inputs"
    info = description_of(dataset)
    if returned.ndim > 1 and info is not None and Images in info.provides:
        return f"{_array(returned)}, expected one label for each image"
    if info is not None and returned.size and not 0 <= returned.min() <= returned.max() < info.num_classes:
        return f"labels from {returned.min()} to {returned.max()}, expected those of {info.num_classes} classes from 0"
    return None


def _check_inputs(dataset: Any, arguments: tuple[Any, ...], returned: Any) -> str | None:
    """Expect finite inputs of the described shape and type, as many as positions; images in [0, 1]."""
    info = description_of(dataset)
    expected = "int64" if info is not None and info.discrete else "float32"
    if not getattr(returned, "ndim", None) or str(returned.dtype) != expected:
        return f"{_array(returned)}, expected an array of {expected} whose first axis counts the inputs"
    if arguments and len(returned) != len(arguments[0]):
        return f"{len(returned)} inputs for {len(arguments[0])} positions"
    if info is not None and returned.shape[1:] != info.input_shape:
        return f"inputs of the shape {returned.shape[1:]}, expected {info.input_shape} as its description says"
    if not returned.size:
        return None
    lowest, highest = float(returned.min()), float(returned.max())
    low, high = _bounds(info)
    if low <= lowest and highest <= high:
        return None
    return f"values from {lowest:g} to {highest:g}, expected those of [{low:g}, {high:g}]"


def _bounds(info: DatasetInfo | None) -> tuple[float, float]:
    """Return the lowest and the highest value that inputs may have."""
    if info is not None and Images in info.provides:
        return 0.0, 1.0
    if info is not None and Tokens in info.provides:
        return 0.0, info.num_classes - 1.0
    return -sys.float_info.max, sys.float_info.max


def _check_held_out(dataset: Any, _arguments: tuple[Any, ...], returned: Any) -> str | None:
    """Expect a data set or None; whose it is must be known when it errs."""
    if returned is None:
        return None
    if not isinstance(returned, Dataset):
        return f"{type(returned).__name__}, expected a Dataset or None"
    set_owner(returned, f"held-out part of the {owner_of(dataset)}")
    set_description(returned, description_of(dataset))
    return None


def _array(value: Any) -> str:
    shape = getattr(value, "shape", None)
    return type(value).__name__ if shape is None else f"an array of {value.dtype} of the shape {tuple(shape)}"


@dataclass(frozen=True)
class ImportSummary:
    """What an import read and stored.

    Attributes:
        items: How many things.
        unit: What they are: ``architectures``, ``images`` or ``tokens``.
        notes: What the user should know, such as a part that is missing; one sentence each.
    """

    items: int
    unit: str
    notes: tuple[str, ...] = ()


class DataSource(ABC):
    """Reads and checks the files of a benchmark table or data set, and stores what is needed of them.

    Must implement ``import_from`` and ``verify``; may implement ``import_valid_from``. Files may come from anywhere:
    nothing in them is executed, and whatever is wrong with them is a DataError that names the file, the place and the
    remedy.
    """

    def __init__(self, info: DataSourceInfo) -> None:
        self.info = info

    def __init_subclass__(cls, **named: Any) -> None:
        super().__init_subclass__(**named)
        guard_methods(cls, dict.fromkeys(("import_from", "import_valid_from", "verify"), _check_summary))

    @abstractmethod
    def import_from(self, path: Path, folder: Path, progress: Progress) -> ImportSummary:
        """Read a user's file or directory and store it.

        Args:
            path: What the user has.
            folder: Where to store it: an empty directory, which is thrown away if this raises.
            progress: To be told how far it is.

        Raises:
            DataError: ``path`` is not what it should be.
        """

    def import_valid_from(self, path: Path, folder: Path, progress: Progress) -> ImportSummary:
        """Do as ``import_from``, but leave out records that are wrong by themselves, and name them in the notes.

        Raises:
            DataError: ``path`` is not what it should be, or nothing is left of it.
            UnsupportedImportError: The files have no records that could be left out.
        """
        raise UnsupportedImportError(
            f"Files of '{self.info.name}' are imported as a whole or not at all: import them without '--skip-wrong'."
        )

    @abstractmethod
    def verify(self, folder: Path, progress: Progress) -> ImportSummary:
        """Read all of what was stored and check it.

        Args:
            folder: Where ``import_from`` stored it.
            progress: To be told how far it is, if that takes more than a moment.

        Raises:
            DataError: It is damaged.
        """


def _check_summary(_source: Any, _arguments: tuple[Any, ...], returned: Any) -> str | None:
    """Expect a summary whose fields are of their types."""
    if not isinstance(returned, ImportSummary):
        return f"{type(returned).__name__}, expected an ImportSummary"
    right = isinstance(returned.items, int) and isinstance(returned.unit, str)
    notes = isinstance(returned.notes, tuple) and all(isinstance(note, str) for note in returned.notes)
    return None if right and notes else f"{returned!r:.80}, expected a number of items, their unit and a tuple of notes"


class Evaluator(ABC, Generic[SettingsT]):
    """Maps an architecture to a score.

    Must implement ``_evaluate``. One instance serves many jobs, in any order, in several processes: it must keep no
    state from one job to the next. The engine seeds the global generators before every job, by run seed, space,
    data set, architecture and evaluator, and restores them afterwards; the network it hands out is the job's own and
    may be changed.
    """

    def __init__(self, settings: SettingsT) -> None:
        self.settings = settings

    def evaluate(self, context: EvaluationContext) -> Evaluation:
        """Score one architecture.

        Returns:
            A float and curves that are tuples of floats, whatever kinds of numbers the evaluator returned.

        Raises:
            DivergedError: The score is not finite.
            EvaluationError: As raised by the evaluator, or it returned something else than a score and curves.
        """
        return checked_evaluation(self._evaluate(context))

    @abstractmethod
    def _evaluate(self, context: EvaluationContext) -> Evaluation | float:
        """Return the score, or an :class:`Evaluation` with curves; raise :class:`EvaluationError` if there is none."""


class Aggregate(ABC):
    """Makes one score of several evaluators' ranks within a cohort, the architectures that a report compares.

    Must implement ``combine``; may implement ``figures`` and ``combine_resamples``. All take ``ranks``, shape
    ``(components, architectures)``: average ranks from 1 (worst), where architectures without a score share the worst.
    """

    def __init_subclass__(cls, **named: Any) -> None:
        super().__init_subclass__(**named)
        guard_methods(
            cls,
            {"combine": _check_combined, "figures": _check_figures, "combine_resamples": _check_combined_resamples},
        )

    @abstractmethod
    def combine(self, ranks: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the aggregate score of every architecture: higher is better."""

    def figures(self, ranks: npt.NDArray[np.float64], truth: npt.NDArray[np.float64]) -> Mapping[str, float]:
        """Return further figures that the literature prints for this aggregate, by what they are.

        Args:
            ranks: As above.
            truth: Ground truth, higher is better, shape ``(architectures,)``.
        """
        return {}

    def combine_resamples(
        self, ranks: npt.NDArray[np.float64], counts: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.float64] | None:
        """Return the score of every architecture in many resamples of the cohort, as ``combine`` would of each.

        Worth implementing where ``combine`` compares pairs: reports then need not call it a thousand times.

        Args:
            ranks: As above, of the cohort itself; those within a resample have the same order.
            counts: How often each architecture occurs in each resample, shape ``(architectures, resamples)``.

        Returns:
            Shape ``(architectures, resamples)``; None to let ``combine`` be called for each resample.
        """
        return None


def _check_combined_resamples(_aggregate: Any, arguments: tuple[Any, ...], returned: Any) -> str | None:
    """Expect one finite number for each architecture and resample, or nothing."""
    import numpy as np

    expected = arguments[1].shape
    if returned is None:
        return None
    if getattr(returned, "shape", None) != expected or returned.dtype.kind not in "fiu":
        return f"{_array(returned)}, expected an array of numbers of shape {expected}"
    return None if np.isfinite(returned).all() else "a score that is not finite, expected numbers"


def _check_combined(_aggregate: Any, arguments: tuple[Any, ...], returned: Any) -> str | None:
    """Expect one finite number for each architecture."""
    import numpy as np

    count = arguments[0].shape[1]
    if getattr(returned, "shape", None) != (count,) or returned.dtype.kind not in "fiu":
        return f"{_array(returned)}, expected an array of one number for each of {count} architectures"
    return None if np.isfinite(returned).all() else "a score that is not finite, expected numbers"


def _check_figures(_aggregate: Any, _arguments: tuple[Any, ...], returned: Any) -> str | None:
    """Expect numbers by name."""
    right = isinstance(returned, Mapping) and all(
        isinstance(name, str) and value is not None and not expect_number_or_none(None, (), value)
        for name, value in returned.items()
    )
    return None if right else f"{type(returned).__name__} {returned!r:.80}, expected numbers by name"


@dataclass(frozen=True)
class PartialEvaluation:
    """A proposal that is to be evaluated at one of the strategy's ``fidelities``.

    Attributes:
        architecture: In any spelling.
        rung: Position of the fidelity.
    """

    architecture: str
    rung: int


class SearchStrategy(ABC, Generic[SettingsT]):
    """Proposes architectures, is told their fitness, and proposes again; it knows nothing of evaluators.

    Must implement ``ask`` and ``tell``; may implement ``tell_objectives`` and ``fidelities``. The sequence of proposals
    depends on the seed and on what was told only: take every random number from a generator of its own, seeded from
    ``seed``, and keep no state outside the instance. A search that was interrupted goes on by repeating the strategy
    from its beginning with the same answers.

    Up to as many proposals as the user allows (``--parallel``) wait for their fitness at the same time. Each is told
    exactly once, in the order in which they were asked for; those that still wait when the search ends are not.

    Attributes:
        learns: False if proposals do not depend on fitness: what cannot become the best need not be scored then.

    Raises:
        UnsupportedSearchSpaceError: Raised by the constructor of a strategy that cannot search this space.
    """

    learns: ClassVar[bool] = True

    def __init_subclass__(cls, **named: Any) -> None:
        super().__init_subclass__(**named)
        guard_methods(cls, {"fidelities": expect_shares})

    def __init__(self, space: DesignSpace, settings: SettingsT, seed: int) -> None:
        self.space = space
        self.settings = settings
        self.seed = seed

    @property
    def fidelities(self) -> tuple[float, ...]:
        """How long an evaluation may be: shares of a full one, ascending, the last of them 1.

        With more than one, the evaluator must have a setting that says when to stop (declared
        ``stopping_point=True``), and ``ask`` may propose a :class:`PartialEvaluation`; a text is evaluated in full.
        Found is what did best in full.
        """
        return (1.0,)

    @abstractmethod
    def ask(self, count: int) -> Sequence[str | PartialEvaluation]:
        """Propose up to ``count`` architectures of the space, in any spelling.

        Fewer, also none, says that it waits for answers; none while no proposal waits ends the search.
        Isomorphic repeats are allowed: they cost nothing but count as evaluations. A proposal that is above a limit
        costs its place among those that wait until its turn to be told, and is no evaluation.
        """

    @abstractmethod
    def tell(self, architecture: str, fitness: float | None) -> None:
        """Take the fitness of a proposal.

        Args:
            architecture: The text that was proposed.
            fitness: Finite, higher is better; None if the architecture has no score.
        """

    def tell_objectives(self, architecture: str, objectives: Sequence[float] | None) -> None:
        """Take all objectives of a proposal; by default ``tell`` is told the first and the others are left out.

        The engine calls this and never ``tell``. A strategy that looks at several objectives overrides it, and says
        so with ``SearchStrategyInfo.multi_objective``.

        Args:
            architecture: The text that was proposed.
            objectives: The score and then the costs that are minimised, in the user's order; all finite and turned so
                that higher is better. None if the architecture lacks one of them or is above a limit.
        """
        self.tell(architecture, None if objectives is None else objectives[0])
