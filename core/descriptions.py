"""What plugins return from their hooks: one frozen description for each thing they provide.

A description names its implementation by ``factory``: a class (or any callable), or its import path
``"package.module:Name"``, which keeps listing commands from importing torch. Fields are given by name.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from .capabilities import (
    Images,
    Inputs,
    Labels,
    Network,
    OfDatasets,
    Supernets,
    Tokens,
    capability_words,
    lacking,
    problem_with,
)
from .domain import Direction
from .errors import NasbenchError, PluginError
from .loading.factories import check_factory, check_module, load_object
from .loading.faults import (
    Check,
    blamed_on,
    describe_error,
    expect_count,
    expect_plain_values,
    expect_size,
    fault,
    fault_of,
    set_description,
    set_owner,
    silent_output,
)
from .loading.fields import check_fields
from .loading.setting_types import check_settings_class
from .settings import Settings, change_settings, parse_settings

if TYPE_CHECKING:
    from .interfaces import Aggregate, Dataset, DataSource, DesignSpace, Evaluator, SearchSpace, SearchStrategy
    from .weight_sharing import SupernetContext, WeightSharingStrategy

_OF_IMAGES = ("channels", "height", "width")

NAME_PATTERN = re.compile(r"[a-z0-9]+(?:[-_@.][a-z0-9]+)*")

NO_INPUTS = "none"
"""Name of the data set without inputs, for networks whose evaluators make the inputs themselves."""


def _made(name: str, factory: Callable[..., Any], expected: str, *arguments: Any) -> Any:
    """Call a factory; what it raises and is no error of the toolkit's own becomes one that names what it is of.

    Raises:
        PluginError: It raises, or returns something else than an object of the class ``expected``.
    """
    try:
        with silent_output():
            made = factory(*arguments)
    except (NasbenchError, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise PluginError(
            f"The {name} cannot be made: {describe_error(error)}. This is a fault of its plugin."
        ) from error
    if expected not in {base.__name__ for base in type(made).__mro__ if base.__module__.startswith(f"{__package__}.")}:
        raise PluginError(
            f"The {name} cannot be made: its factory returned {type(made).__name__}, which is no {expected}: derive "
            f"its class from {expected}. This is a fault of its plugin."
        )
    set_owner(made, name)
    return made


@dataclass(frozen=True, kw_only=True)
class Description:
    """What all descriptions share.

    Attributes:
        name: What users type: lower-case letters, digits and single ``-``, ``_``, ``@`` or ``.``, as in
            ``gennas-combo``.
        summary: One sentence.
        source: Paper, or where the definition comes from.
        references: BibTeX entries of it, one a text, which ``nasbench cite`` prints.
        factory: The implementation, or its import path ``"package.module:Name"``.
        provider: Plugin and distribution that it comes from, for messages; filled in when the plugin is loaded.

    Raises:
        PluginError: A field breaks these rules.
    """

    kind: ClassVar[str] = "thing"

    name: str
    summary: str
    source: str
    factory: Callable[..., Any] | str
    references: tuple[str, ...] = ()
    provider: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not NAME_PATTERN.fullmatch(self.name):
            raise PluginError(
                f"Bad {self.kind} name '{self.name}': use lower-case letters, digits and single '-', '_', '@' or "
                "'.' between them, as in 'gennas-combo'."
            )
        if not isinstance(self.summary, str) or not self.summary.strip():
            raise PluginError(f"The {self.kind} '{self.name}' has no summary: describe it in one sentence.")
        check_factory(f"The {self.kind} '{self.name}'", self.factory)

    def check(self) -> None:
        """Look at all that can be known without importing the implementation; called when the plugin is loaded.

        Raises:
            PluginError: A field has the wrong type, or there is no module with the factory.
        """
        subject = f"its {self.kind} '{self.name}'"
        check_fields(subject, self)
        check_module(subject, self.factory)

    def load_factory(self) -> Callable[..., Any]:
        """Return the implementation, importing it if it was given as a path.

        Raises:
            PluginError: It cannot be imported; the message names who provides it, and the remedy.
        """
        return load_object(f"The {self.full_name}", self.factory)

    def _make(self, expected: str, *arguments: Any) -> Any:
        """Call the factory; what it raises and is no error of the toolkit's own becomes one that names the plugin.

        Args:
            expected: Name of the class in :mod:`.interfaces`, which imports this module, that it is to return.
            arguments: What the factory is called with.

        Raises:
            PluginError: It raises, or returns something else.
        """
        return _made(self.full_name, self.load_factory(), expected, *arguments)

    @property
    def full_name(self) -> str:
        """What it is, with its plugin, for messages."""
        provider = f" ({self.provider})" if self.provider else ""
        return f"{self.kind} '{self.name}'{provider}"


@dataclass(frozen=True, kw_only=True)
class ConfigurableDescription(Description):
    """What is made with settings. Only here is code of a settings class run, so that its faults name its plugin.

    Attributes:
        settings: Its settings class.
    """

    settings: type[Settings] = Settings

    def __post_init__(self) -> None:
        super().__post_init__()
        check_settings_class(f"the {self.kind} '{self.name}'", self.settings)

    def parse_settings(self, given: Mapping[str, str]) -> Settings:
        """Build settings from texts by name, as typed by the user.

        Raises:
            InvalidSettingError: They cannot be used.
            PluginError: The settings class fails.
        """
        with blamed_on(self.full_name, "reading its settings"):
            return parse_settings(self.name, self.settings, given)

    def change_settings(self, settings: Settings, values: Mapping[str, Any]) -> Settings:
        """Return settings with other values, given as they are stored.

        Raises:
            InvalidSettingError: They cannot be used.
            PluginError: The settings class fails.
        """
        with blamed_on(self.full_name, "changing its settings"):
            return change_settings(self.name, settings, values)

    def effective_settings(self, settings: Settings) -> dict[str, Any]:
        """Return the values that decide a score, by name. Raises PluginError if JSON cannot hold them."""
        effective: dict[str, Any] = self._ask_settings(settings, "effective", expect_plain_values)
        return effective

    def _ask_settings(self, settings: Settings, method: str, check: Check) -> Any:
        with blamed_on(self.full_name, f"'{method}' of its settings"):
            returned = getattr(settings, method)()
            problem = check(settings, (), returned)
        if problem:
            raise fault_of(self.full_name, f"returned from '{method}' of its settings {problem}")
        return returned


@dataclass(frozen=True, kw_only=True)
class DatasetInfo(Description):
    """A data set, returned by the hook ``nasbench_datasets``: images unless other fields say otherwise.

    Attributes:
        provides: What its inputs are, :class:`.capabilities.Images`, :class:`.capabilities.Tokens` or a class of a
            plugin's own derived from :class:`.capabilities.Inputs`, and :class:`.capabilities.Labels` if it has some.
        input_shape: Shape of one input, such as ``(channels, height, width)``.
        discrete: Whether inputs are whole numbers that networks look up vectors for, such as tokens.
        unit: What its inputs are called, in the plural.
        num_classes: Number of labels, which are ``0 .. num_classes - 1``; of tokens, the size of the vocabulary.
        mean: Mean of each channel, the first axis of an input, subtracted before a network sees it; that of images is
            taken in ``[0, 1]``. Empty for inputs that are used as they are.
        std: Standard deviation of each channel, by which they are then divided.
        horizontal_flip: Whether a mirrored image is still one of the data set, as for photographs but not digits.
        licence: Licence of the inputs.
        requires: Data source that must be imported before there are inputs, None if nothing must.
        version: Raised by one whenever its inputs or labels change.
    """

    kind: ClassVar[str] = "dataset"

    provides: frozenset[type] = frozenset({Images, Labels})
    input_shape: tuple[int, ...] = (3, 32, 32)
    discrete: bool = False
    unit: str = "images"
    num_classes: int = 10
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    std: tuple[float, ...] = (1.0, 1.0, 1.0)
    horizontal_flip: bool = True
    licence: str = ""
    requires: str | None = None
    version: int = 1

    @property
    def has_inputs(self) -> bool:
        """Whether there are batches of inputs."""
        return not lacking((Inputs,), self.provides)

    def check(self) -> None:
        """See the base class. Raises PluginError also if shape and normalisation are none of these inputs."""
        super().check()
        _check_capabilities(self, "provides", self.provides)
        if misplaced := sorted(each.__name__ for each in self.provides if not issubclass(each, OfDatasets)):
            raise PluginError(
                f"its dataset '{self.name}' provides {', '.join(misplaced)}, which data sets do not have: derive what "
                "its inputs are from Inputs"
            )
        if Images in self.provides and len(self.input_shape) != len(_OF_IMAGES):
            raise PluginError(
                f"its dataset '{self.name}' has images of the shape {self.input_shape}: give {', '.join(_OF_IMAGES)}"
            )
        if (Tokens in self.provides and not self.discrete) or (Images in self.provides and self.discrete):
            raise PluginError(
                f"its dataset '{self.name}' has 'discrete={self.discrete}': tokens are whole numbers, images are not"
            )
        if min(self.input_shape, default=0) < 0 or self.num_classes < 0:
            raise PluginError(f"its dataset '{self.name}' has a negative number of values or classes: correct it")
        self._check_normalisation()

    def _check_normalisation(self) -> None:
        if not self.mean and not self.std:
            return
        channels = self.input_shape[0] if self.input_shape else 0
        if len(self.mean) != channels or len(self.std) != channels or not all(0 < each < math.inf for each in self.std):
            raise PluginError(
                f"its dataset '{self.name}' has {self.unit} of {channels} channels, the mean {self.mean} and the std "
                f"{self.std}: give one number for each channel, those of 'std' above 0"
            )

    def create(self) -> Dataset:
        """Build the data set."""
        made: Dataset = self._make("Dataset")
        set_description(made, self)
        return made


@dataclass(frozen=True, kw_only=True)
class SearchSpaceInfo(Description):
    """A search space, returned by the hook ``nasbench_search_spaces``.

    Attributes:
        datasets: Names of data sets its networks can be built for; the first that is at hand is the default. ``none``
            for networks that take nothing of a data set.
        takes: Kinds of inputs, such as :class:`.capabilities.Images`, for which networks can be built whatever the data
            set, also the user's own.
        provides: Capabilities of its networks, or facts about it, that evaluators may need: those of
            :mod:`.capabilities`, or a plugin's own. A protocol is that of the network for a data set of ``datasets``.
        requires: Data source that must be imported before there is a ground truth, None if nothing must.
        identity: When two spellings are one architecture, in one or two sentences for people.
        also_read: What ``canonicalize`` reads besides the space's own spelling, such as the numbers of a benchmark, in
            one or two sentences for people.
        network_variants: Named ways to build the network of an architecture, with one sentence each. ``benchmark``,
            the network that the ground truth was measured on, must be there.
        exported_for: Image set that exported networks are for unless another one is named, whose images nobody need
            have; None for the first of ``datasets``.
        version: Raised by one whenever the same architecture becomes another network, or the same seed another sample.
    """

    kind: ClassVar[str] = "search space"

    datasets: tuple[str, ...] = ()
    takes: frozenset[type] = frozenset()
    requires: str | None = None
    identity: str = ""
    also_read: str = ""
    provides: frozenset[type] = frozenset({Network})
    network_variants: Mapping[str, str] = field(
        default_factory=lambda: {"benchmark": "the network that the ground truth was measured on"}
    )
    exported_for: DatasetInfo | None = None
    version: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_capabilities(self, "provides", self.provides)
        _check_capabilities(self, "takes", self.takes)
        if misplaced := sorted(each.__name__ for each in self.provides if issubclass(each, OfDatasets)):
            raise PluginError(
                f"The search space '{self.name}' provides {', '.join(misplaced)}, which its data sets do: leave that "
                "out. 'takes' says what its networks can be built for."
            )
        if "benchmark" not in self.network_variants:
            raise PluginError(f"The search space '{self.name}' has no network variant 'benchmark'.")

    def create(self) -> SearchSpace:
        """Build the search space."""
        made: SearchSpace = self._make("SearchSpace", self)
        # Properties are guarded, and may load a table; plain attributes no guard sees.
        size = inspect.getattr_static(made, "size")
        if not hasattr(size, "__get__") and (problem := expect_size(made, (), size)):
            raise fault(made, f"has as 'size' {problem}")
        return made


@dataclass(frozen=True)
class SearchableSetting:
    """A setting of an evaluator whose best value can be searched for on labelled architectures, as a GenNAS task.

    Attributes:
        name: Name of the setting. Its values are texts of JSON, and it is given to users as a file with such a text.
        factory: Gives the space of its values from the description of the search space whose architectures are scored,
            or the import path of what gives it.
    """

    name: str
    factory: Callable[[SearchSpaceInfo], DesignSpace] | str

    def design_space(self, space: SearchSpaceInfo, evaluator: str) -> DesignSpace:
        """Return the space of values for scoring the architectures of ``space``.

        Args:
            space: Description of the search space.
            evaluator: Whose setting it is, with its plugin, for messages.

        Raises:
            PluginError: It cannot be made.
        """
        name = f"space of values of '{self.name}' of the {evaluator}"
        designs: DesignSpace = _made(name, load_object(f"The {name}", self.factory), "DesignSpace", space)
        return designs


@dataclass(frozen=True, kw_only=True)
class EvaluatorInfo(ConfigurableDescription):
    """An evaluator, returned by the hook ``nasbench_evaluators``.

    Attributes:
        direction: Whether a higher or a lower score is the better one; there is no default.
        formula: The score in one line.
        unit: Of the score, in the plural, such as ``parameters``; empty if it has none.
        needs: What search space and data set must provide: capabilities of :mod:`.capabilities`, or a plugin's own.
        version: Raised by one whenever the same inputs give another score; part of every job key.
        why_unsupported: Further reasons to refuse a space and a data set: given their descriptions, returns half a
            sentence, as in "it needs colour images", or None.
        searchable: The setting that ``nasbench task-search`` can find a value for, None if there is none.
        compared_by_default: Whether a run that names no evaluator scores with this one, where the space supports it.
    """

    kind: ClassVar[str] = "evaluator"

    # Checked below: the error of a missing argument would not say which evaluator lacks it.
    direction: Direction = None  # type: ignore[assignment]
    formula: str = ""
    unit: str = ""
    needs: frozenset[type] = frozenset({Network})
    version: int = 1
    why_unsupported: Callable[[SearchSpaceInfo, DatasetInfo], str | None] = lambda _space, _dataset: None
    searchable: SearchableSetting | None = None
    compared_by_default: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_capabilities(self, "needs", self.needs)
        if not isinstance(self.direction, Direction):
            raise PluginError(
                f"The evaluator '{self.name}' has direction {self.direction!r}: use Direction.MAXIMIZE or "
                "Direction.MINIMIZE."
            )

    def reason_unsupported(self, space: SearchSpaceInfo, dataset: DatasetInfo) -> str | None:
        """Return why this evaluator cannot score networks of ``space`` for ``dataset``, or None if it can."""
        missing = _missing(self.needs, space, dataset)
        if missing is not None:
            return missing
        blamed = f"a fault of its {self.provider or 'plugin'}"
        try:
            with silent_output():
                reason: object = self.why_unsupported(space, dataset)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            return f"asked for a reason, it failed with {describe_error(error)}; {blamed}"
        if reason is None or isinstance(reason, str):
            return reason
        return f"asked for a reason, it returned {type(reason).__name__}, expected a text or None; {blamed}"

    def inputs_drawn(self, settings: Settings) -> int:
        """Return how many inputs of the data set it draws at once. Raises PluginError if that is no whole number."""
        drawn: int = self._ask_settings(settings, "inputs_drawn", expect_count)
        return drawn

    def create(self, settings: Settings) -> Evaluator[Any]:
        """Build the evaluator with the given settings."""
        made: Evaluator[Any] = self._make("Evaluator", settings)
        return made


@dataclass(frozen=True, kw_only=True)
class AggregateInfo(Description):
    """A score that exists only within a cohort, returned by the hook ``nasbench_aggregates``.

    Users name it like an evaluator. A run scores architectures with its components; a report makes it of their ranks.
    Higher is better.

    Attributes:
        formula: The score in one line.
        components: Names of the evaluators that it is made of; empty if the user names them, as in
            ``rank_sum:naswot+synflow``.
    """

    kind: ClassVar[str] = "aggregate"

    formula: str = ""
    components: tuple[str, ...] = ()

    def create(self) -> Aggregate:
        """Build the aggregate."""
        made: Aggregate = self._make("Aggregate")
        return made


@dataclass(frozen=True, kw_only=True)
class SearchStrategyInfo(ConfigurableDescription):
    """A search strategy, returned by the hook ``nasbench_search_strategies``.

    Attributes:
        multi_objective: Whether it searches for a Pareto front, so that it needs a cost beside the score.
        version: Raised by one whenever the same seed and answers lead to other proposals.
    """

    kind: ClassVar[str] = "search strategy"

    multi_objective: bool = False
    version: int = 1

    def create(self, space: DesignSpace, settings: Settings, seed: int) -> SearchStrategy[Any]:
        """Build a strategy that proposes architectures of ``space``."""
        made: SearchStrategy[Any] = self._make("SearchStrategy", space, settings, seed)
        return made


@dataclass(frozen=True, kw_only=True)
class WeightSharingInfo(SearchStrategyInfo):
    """A search strategy that trains a supernet, returned by the hook ``nasbench_search_strategies``.

    Its settings class has a whole number ``epochs``: so long a search is.

    Attributes:
        needs: Capabilities that a search space and a data set must provide.
        judged_by: Names of evaluators that score what it derives, for the user only: the first one that supports the
            space does, unless the user names another.
    """

    needs: frozenset[type] = frozenset({Supernets, Images, Labels})
    judged_by: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_capabilities(self, "needs", self.needs)
        epochs = getattr(self.settings(), "epochs", None)
        if not isinstance(epochs, int):
            raise PluginError(
                f"The settings of the search strategy '{self.name}' do not say how long it trains: add a whole number "
                "'epochs'."
            )

    def reason_unsupported(self, space: SearchSpaceInfo, dataset: DatasetInfo) -> str | None:
        """Return why this strategy cannot search a space with a data set, or None if it can."""
        return _missing(self.needs, space, dataset)

    def begin(self, context: SupernetContext, settings: Settings) -> WeightSharingStrategy[Any]:
        """Build the strategy at its beginning."""
        made: WeightSharingStrategy[Any] = self._make("WeightSharingStrategy", context, settings)
        return made


@dataclass(frozen=True, kw_only=True)
class ExecutorInfo(ConfigurableDescription):
    """What runs jobs on processes or machines, returned by the hook ``nasbench_executors``.

    Attributes:
        settings: One called ``workers``, if there is one, is the number of workers, 0 or None for as many as there can
            be; it takes the place of ``--workers``.
        remote: Whether jobs run on other machines: the devices that the user names are not looked for on this one.
    """

    kind: ClassVar[str] = "executor"

    remote: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(getattr(self.settings(), "workers", None), int | None):
            raise PluginError(
                f"The setting 'workers' of the executor '{self.name}' is no whole number: it is the number of workers."
            )

    def create(self, *arguments: Any) -> Any:
        """Start an executor with what :class:`ExecutorSpec` gives it."""
        return self._make("JobExecutor", *arguments)


@dataclass(frozen=True, kw_only=True)
class RecipeInfo(Description):
    """A published table to be made again, returned by the hook ``nasbench_recipes``; its factory returns TOML."""

    kind: ClassVar[str] = "recipe"

    def create(self) -> str:
        """Return the recipe's TOML.

        Raises:
            PluginError: The factory raises, or returns no text.
        """
        try:
            text = self.load_factory()()
        except Exception as error:
            raise PluginError(f"The {self.full_name} cannot be read: {describe_error(error)}.") from error
        if not isinstance(text, str):
            raise PluginError(
                f"The {self.full_name} returned {type(text).__name__}, where the text of a recipe is due."
            )
        return text


@dataclass(frozen=True)
class OfficialFile:
    """A file as its makers publish it.

    Attributes:
        name: Name of the file.
        url: Direct link, None if there is none.
        size_bytes: Size as its makers state it, often rounded; None if not known.
        checksum: ``sha256:`` or ``md5:`` and the digest, None if not published.
    """

    name: str
    url: str | None
    size_bytes: int | None
    checksum: str | None


@dataclass(frozen=True, kw_only=True)
class DataSourceInfo(Description):
    """A benchmark table or data set that users bring, returned by the hook ``nasbench_data_sources``.

    Attributes:
        content: What it is.
        licence: Its licence.
        homepage: Where it is described, and to be had by hand.
        files: The official files; the first with a direct link is what ``nasbench data download`` gets.
        accepts: What ``nasbench data import`` takes, in one sentence.
    """

    kind: ClassVar[str] = "data source"

    content: Literal["table", "images", "text", "embedding"] = "table"
    licence: str = ""
    homepage: str = ""
    files: tuple[OfficialFile, ...] = ()
    accepts: str = ""

    def create(self) -> DataSource:
        """Build the reader and checker of its files."""
        made: DataSource = self._make("DataSource", self)
        return made


def _missing(needs: frozenset[type], space: SearchSpaceInfo, dataset: DatasetInfo) -> str | None:
    """Return which capabilities a space or a data set lacks, in half a sentence, or None."""
    of_dataset = frozenset(need for need in needs if issubclass(need, OfDatasets))
    missing = [
        f"{' and '.join(map(capability_words, lacks))}, which {owner}"
        for lacks, owner in (
            (lacking(needs - of_dataset, space.provides), "this space does not provide"),
            (lacking(of_dataset, dataset.provides), f"the dataset '{dataset.name}' does not have"),
        )
        if lacks
    ]
    return f"it needs {', and '.join(missing)}" if missing else None


def _check_capabilities(description: Description, field_name: str, capabilities: Iterable[object]) -> None:
    for capability in capabilities:
        problem = problem_with(capability)
        if problem:
            raise PluginError(f"In '{field_name}' of the {description.kind} '{description.name}' is {problem}.")
