"""A plugin for tests: a space of tiny convolutional networks, and evaluators that behave in every way."""

import json
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from nasbench_toolkit import (
    Aggregate,
    AggregateInfo,
    DataError,
    Dataset,
    DatasetInfo,
    DataSource,
    DataSourceInfo,
    DegenerateError,
    DesignSpace,
    Direction,
    Evaluation,
    Evaluator,
    EvaluatorInfo,
    GroundTruth,
    GroundTruthTable,
    Images,
    ImportSummary,
    InvalidArchitectureError,
    Metric,
    Network,
    OfficialFile,
    SearchableSetting,
    SearchSpace,
    SearchSpaceInfo,
    SearchStrategy,
    SearchStrategyInfo,
    Settings,
    hookimpl,
    setting,
    stored_folder,
)

ACCURACY = Metric("noise", "test", "accuracy", 5, Direction.MAXIMIZE, "percent")
LOSS = Metric("noise", "test", "cross_entropy", 5, Direction.MINIMIZE, "nats")


class Widths(GroundTruth):
    metrics = (ACCURACY, LOSS)

    def values(self, metric, arch_ids):
        return [metric.direction.sign * float(arch_id.removeprefix("width-")) for arch_id in arch_ids]

    def all_values(self, metric):
        return metric.direction.sign * np.arange(1.0, OneConvolution.size + 1)

    def noise_ceiling(self, metric):
        return 0.95 if metric == ACCURACY else None


class OneConvolution(SearchSpace):
    """Networks 'width-1' to 'width-3000'."""

    size = 3000

    def canonicalize(self, text):
        if not text.startswith("width-") or not text.removeprefix("width-").isdigit():
            raise InvalidArchitectureError(f"'{text}' is not a width, such as width-8")
        return f"width-{int(text.removeprefix('width-'))}"

    def _sample(self, count, rng):
        return [f"width-{width + 1}" for width in rng.choice(self.size, count, replace=False)]

    def _build_network(self, arch_id, dataset, variant):
        from torch import nn

        width = int(arch_id.removeprefix("width-")) % 8 + 1
        return nn.Sequential(
            nn.Conv2d(dataset.input_shape[0], width, 3),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(width, dataset.num_classes),
        )

    def ground_truth(self):
        return Widths()


class ImportedConvolution(OneConvolution):
    """The same networks, whose ground truth must be imported."""

    def ground_truth(self):
        return Widths() if stored_folder("toy-numbers") else None


class Numbers(DataSource):
    """A text with one number a line."""

    def import_from(self, path, folder, progress):
        try:
            lines = path.read_text().splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f"'{path}' is no text: {error}.") from error
        if not lines:
            raise DataError(f"'{path}' is empty.")
        for done, line in enumerate(lines, start=1):
            progress(done, len(lines))
            if not line.isdigit():
                raise DataError(f"'{path}', line {done}: '{line}' is no number.")
            with (folder / "numbers.txt").open("a") as file:
                file.write(f"{line}\n")
        return ImportSummary(len(lines), "numbers", ("There are no letters.",))

    def verify(self, folder, progress):
        numbers = (folder / "numbers.txt").read_text().split()
        if not numbers:
            raise DataError(f"'{folder / 'numbers.txt'}' is empty.")
        return ImportSummary(len(numbers), "numbers")


class Noise(Dataset):
    def labels(self):
        return np.arange(64) % 2

    def inputs(self, positions):
        return np.random.default_rng(0).random((64, 1, 16, 16), np.float32)[positions]


@dataclass(frozen=True)
class ToySettings(Settings):
    seconds: float = setting(0.0, "How long to sleep.", minimum=0)
    mode: str = setting("fast", "Anything.")


def wait_until_allowed():
    """Take a ticket, where a test hands out one for each job that may begin."""
    if pipe := os.environ.get("TOY_TICKETS"):
        with Path(pipe).open("rb", buffering=0) as tickets:
            tickets.read(1)


class Width(Evaluator):
    """The width itself: costs nothing."""

    def _evaluate(self, context):
        return float(context.key.arch_id.removeprefix("width-"))


class RandomOutput(Evaluator):
    """Uses every generator there is, so that a seed that leaks shows."""

    def _evaluate(self, context):
        import torch

        wait_until_allowed()
        batch = context.batch(4, augment=True)
        noise = torch.rand(1, generator=context.generator("noise")) + torch.rand(1) + float(np.random.rand())
        target = context.shared("target", lambda generator: torch.rand(1, generator=generator))
        output = context.network()(batch.inputs).sum() + noise + target
        return Evaluation(float(output.detach()), {"halves": (float(output.detach()) / 2, 1.0)})


class Misbehaving(Evaluator):
    """Crashes, hangs, and fails, depending on the width."""

    def _evaluate(self, context):
        width = int(context.key.arch_id.removeprefix("width-"))
        match width % 8:
            case 0:
                os.kill(os.getpid(), signal.SIGKILL)
            case 1:
                time.sleep(60)
            case 2:
                raise MemoryError("too much")
            case 3:
                raise ValueError("no reason")
            case 4:
                raise DegenerateError("nothing to see")
            case 5:
                return float("nan")
            case 6:
                raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 byte")
        return float(width)


class CudaFault(Evaluator):
    """Asks a CUDA device for what is not there, for width 8."""

    def _evaluate(self, context):
        import torch

        width = int(context.key.arch_id.removeprefix("width-"))
        values = torch.zeros(4, device=context.device)
        return float(width + values[torch.tensor([0 if width != 8 else 10**6], device=context.device)].sum())


@dataclass(frozen=True)
class HungrySettings(Settings):
    log: str = setting("", "File to write to.")


class Hungry(Evaluator):
    """Gets no memory the first time, and writes down when it computes the second time."""

    def _evaluate(self, context):
        width = context.key.arch_id
        log = Path(self.settings.log)
        with log.open("a") as lines:
            if f"refused {width}" not in log.read_text():
                lines.write(f"refused {width}\n")
                lines.flush()
                raise MemoryError("too much")
            lines.write("begin\n")
            lines.flush()
            time.sleep(0.02)
            lines.write("end\n")
        return 1.0


@dataclass(frozen=True)
class WalkSettings(Settings):
    steps: int = setting(3, "Where to stop.", minimum=1, name_suffix="@ep", stopping_point=True)
    mode: str = setting("fast", "Does nothing.")


class Walk(Evaluator):
    """A random walk of some steps."""

    def _evaluate(self, context):
        steps = np.random.default_rng(context.generator("walk").initial_seed()).normal(size=self.settings.steps)
        curve = tuple(np.cumsum(steps).tolist())
        return Evaluation(curve[-1], {"position": curve})


class Slopes(DesignSpace):
    """Tasks {"slope": -2..2, "noise": 0..1}."""

    name = "toy-slopes"
    size = None

    def canonicalize(self, text):
        try:
            task = json.loads(text)
        except ValueError as error:
            raise InvalidArchitectureError(f"'{text}' is no slope: {error}") from error
        return json.dumps({"slope": task["slope"], "noise": task["noise"]})

    def describe(self, text):
        return f"slope {json.loads(text)['slope']:.2f}"

    def _sample(self, count, rng):
        return [json.dumps({"slope": rng.uniform(-2, 2), "noise": rng.random()}) for _ in range(count)]

    def _mutate(self, text, rng):
        task = json.loads(text)
        return json.dumps(task | ({"noise": rng.random()} if rng.random() < 0.8 else {}))


@dataclass(frozen=True)
class SlopeSettings(Settings):
    seconds: float = setting(0.0, "How long to sleep.", minimum=0)
    modulus: int = setting(0, "Widths that it divides have no score; 0 for none.", minimum=0)
    task: str = setting("", "File with a task.", reader=lambda file: Slopes().canonicalize(Path(file).read_text()))


class Slope(Evaluator):
    """Slope times width, and noise."""

    def _evaluate(self, context):
        import torch

        wait_until_allowed()
        task, width = json.loads(self.settings.task), int(context.key.arch_id.removeprefix("width-"))
        if self.settings.modulus and width % self.settings.modulus == 0:
            raise DegenerateError("a multiple of the modulus")
        noise = torch.randn(1, generator=context.generator("noise")).item()
        return task["slope"] * width + 20 * task["noise"] * noise


class Larger(Aggregate):
    """The larger of two ranks."""

    def combine(self, ranks):
        return ranks.max(axis=0)

    def figures(self, ranks, truth):
        return {"number of architectures": float(len(truth))}


class FirstCome(SearchStrategy):
    def ask(self, count):
        return self.space.sample(count, np.random.default_rng(self.seed))

    def tell(self, arch_id, fitness):
        pass


@hookimpl
def nasbench_search_spaces():
    yield SearchSpaceInfo(
        name="toy",
        summary="One convolution of any width.",
        source="the tests",
        factory=OneConvolution,
        datasets=("noise",),
        provides=frozenset({Network, GroundTruthTable}),
    )

    yield SearchSpaceInfo(
        name="toy-imported",
        summary="One convolution of any width, with a table to import.",
        source="the tests",
        factory=ImportedConvolution,
        datasets=("imported-noise", "noise"),
        takes=frozenset({Images}),
        requires="toy-numbers",
        provides=frozenset({Network, GroundTruthTable}),
    )


@hookimpl
def nasbench_data_sources():
    yield DataSourceInfo(
        name="toy-numbers",
        summary="Numbers.",
        source="the tests",
        factory=Numbers,
        licence="CC0",
        homepage="https://example.org",
        files=(
            OfficialFile("numbers.txt", os.environ.get("TOY_NUMBERS_URL"), 6, os.environ.get("TOY_NUMBERS_CHECKSUM")),
            OfficialFile("letters.txt", None, None, None),
        ),
        accepts="A text with one number a line.",
    )


@hookimpl
def nasbench_datasets():
    yield DatasetInfo(
        name="imported-noise",
        summary="Sixty-four images of noise, to be imported.",
        source="the tests",
        factory=Noise,
        input_shape=(1, 16, 16),
        num_classes=2,
        mean=(0.5,),
        std=(0.25,),
        requires="toy-numbers",
    )
    yield DatasetInfo(
        name="noise",
        summary="Sixty-four images of noise.",
        source="the tests",
        factory=Noise,
        input_shape=(1, 16, 16),
        num_classes=2,
        mean=(0.5,),
        std=(0.25,),
    )


@hookimpl
def nasbench_evaluators():
    for name, factory in (
        ("toy-width", Width),
        ("toy-random", RandomOutput),
        ("toy-misbehaving", Misbehaving),
    ):
        yield EvaluatorInfo(
            name=name,
            summary=f"{factory.__doc__}",
            source="the tests",
            factory=factory,
            direction=Direction.MAXIMIZE,
            needs=frozenset(),
            settings=ToySettings,
        )

    yield EvaluatorInfo(
        name="toy-cuda-fault",
        summary="Breaks its device.",
        source="the tests",
        factory=CudaFault,
        direction=Direction.MAXIMIZE,
        needs=frozenset(),
        settings=ToySettings,
    )

    yield EvaluatorInfo(
        name="toy-hungry",
        summary="Gets no memory at first.",
        source="the tests",
        factory=Hungry,
        direction=Direction.MAXIMIZE,
        needs=frozenset(),
        settings=HungrySettings,
    )

    yield EvaluatorInfo(
        name="toy-walk",
        summary="A random walk.",
        source="the tests",
        factory=Walk,
        direction=Direction.MAXIMIZE,
        needs=frozenset(),
        settings=WalkSettings,
        why_unsupported=lambda space, dataset: None if dataset.num_classes == 2 else "it needs two classes",
    )

    yield EvaluatorInfo(
        name="toy-slope",
        summary="A line with noise.",
        source="the tests",
        factory=Slope,
        direction=Direction.MAXIMIZE,
        needs=frozenset(),
        settings=SlopeSettings,
        searchable=SearchableSetting("task", lambda space: Slopes()),
        why_unsupported=lambda space, dataset: None if space.name.startswith("toy") else "it scores widths",
    )


@hookimpl
def nasbench_aggregates():
    yield AggregateInfo(
        name="toy-larger",
        summary="The larger of the ranks of width and walk.",
        source="the tests",
        factory=Larger,
        components=("toy-width", "toy-walk"),
    )


@hookimpl
def nasbench_search_strategies():
    yield SearchStrategyInfo(name="toy-first-come", summary="Proposes a sample.", source="the tests", factory=FirstCome)
