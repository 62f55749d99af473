"""What the commands do, for notebooks and scripts: functions that return pandas frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from .core.asktell.options import SearchOptions
from .core.cli.progress import JobProgress, SearchProgress
from .core.jobs.devices import worker_devices
from .core.jobs.run import RunOptions, run_plan
from .core.planning.default_evaluators import default_evaluators
from .core.planning.own_labels import LabelFile
from .core.planning.requests import RunRequest, make_plan
from .core.plugin_manager import installed_plugins
from .core.results.store import RUN, open_results
from .core.search.loop import run_search
from .core.search.planning import SearchRequest, make_search_plans
from .core.search.storage import read_search
from .core.search.trajectory import Trajectory
from .reports.frames import LoadedResults, as_texts


@dataclass(frozen=True)
class LoadedSearch(LoadedResults):
    """What the file of a search holds: the frames of the architectures that it scored, and its steps.

    Attributes:
        steps: One row an evaluation, in their order: ``evaluation`` (from 1), ``architecture``, ``score`` (NaN unless
            ``status`` is ``ok``), ``direction``, ``oriented`` (higher is better), ``status`` and ``repeated`` (the
            architecture had been scored before).
        epochs: Where a supernet was trained, one row an epoch: ``epoch`` (from 1), ``architecture`` (as proposed),
            ``derived`` (as the strategy chose it), ``skips``, ``zeros``, ``seconds`` and the strategy's figures, such
            as ``train_loss``; else empty.
    """

    steps: pd.DataFrame
    epochs: pd.DataFrame


def load_results(path: str | Path) -> LoadedResults:
    """Read a results file, finished or not.

    Args:
        path: What ``nasbench run`` or ``nasbench search`` wrote.

    Returns:
        Its frames; a :class:`LoadedSearch` for a search.

    Raises:
        ResultsFileError: It is missing or damaged.
    """
    with open_results(Path(path)) as opened:
        results, command = opened.results, opened.origin.command
    return LoadedResults(results) if command == RUN else _load_search(Path(path))


def run(
    output: str | Path,
    evaluators: str | Sequence[str] = (),
    *,
    space: str = "nasbench201-tiny",
    dataset: str | None = None,
    samples: int | None = None,
    seed: int = 0,
    seeds: int = 1,
    architectures: str | Path | None = None,
    labels: str | Path | None = None,
    metric: str | None = None,
    device: str = "cpu",
    workers: int | None = None,
    time_limit: float | None = None,
    resume: bool = True,
) -> LoadedResults:
    """Score architectures with evaluators, as ``nasbench run`` does.

    Args:
        output: The results file; results are in it as they come.
        evaluators: Such as ``gennas-combo`` or ``naswot:network=stem16``, one or several; those compared by default if
            empty.
        space: Search space.
        dataset: Image set, None for the space's first that is here.
        samples: Number of architectures; None for 100, or for all that have labels.
        seed: Seed of the run.
        seeds: Number of run seeds, from ``seed`` on.
        architectures: File that lists architectures instead of sampling.
        labels: CSV of trained performance to compare with.
        metric: Ground truth to compare with, None for the default.
        device: As ``--device`` takes it.
        workers: Worker processes, None for one a core.
        time_limit: Seconds that a job may take.
        resume: Go on with ``output`` if it exists; False refuses a file that exists.

    Raises:
        UsageError: Something does not exist or does not fit.
        ResultsFileError: ``output`` exists and was made by another plan, or must not be continued.
    """
    plugins = installed_plugins()
    request = RunRequest(
        space, as_texts(evaluators) or default_evaluators(space, plugins, dataset), dataset, samples=samples, seed=seed,
        seeds=seeds, architectures=_path(architectures), metric=metric,
        labels=None if labels is None else LabelFile(Path(labels)),
    )  # fmt: skip
    plan = make_plan(request, plugins)
    options = RunOptions(
        Path(output), worker_devices(device, workers), time_limit=time_limit, resume=resume and Path(output).exists()
    )
    progress = JobProgress()
    with progress:
        return LoadedResults(run_plan(plan, options, progress.start, progress.advance))


def search(
    output: str | Path,
    evaluator: str | None = None,
    *,
    strategy: str = "regularized-evolution",
    space: str = "nasbench201-tiny",
    dataset: str | None = None,
    evaluations: int | None = None,
    parallel: int = 1,
    seed: int = 0,
    metric: str | None = None,
    device: str = "cpu",
    workers: int | None = None,
    resume: bool = True,
) -> LoadedSearch:
    """Search a space for the architecture with the best score, as ``nasbench search`` does.

    Args:
        output: The results file; steps are in it as they come.
        evaluator: Whose score is to be made as good as possible; strategies that train a supernet need none.
        strategy: Such as ``random-search``.
        space: Search space.
        dataset: Image set, None for the space's first that is here.
        evaluations: Number of proposals to score, None for 450; not for strategies that train a supernet.
        parallel: Proposals that may wait for their scores at a time; another number is another search.
        seed: Seed of the search.
        metric: Ground truth that measures what was found, None for the default.
        device: As ``--device`` takes it.
        workers: Worker processes, None for as many as ``parallel`` and cores allow.
        resume: Go on with ``output`` if it exists; False refuses a file that exists.

    Raises:
        UsageError: Something does not exist or does not fit.
        ResultsFileError: ``output`` exists and was made by another search, or must not be continued.
    """
    request = SearchRequest(
        space, evaluator, strategy, dataset, evaluations=evaluations, parallel=parallel, seed=seed, metric=metric
    )
    (plan,) = make_search_plans(request, installed_plugins())
    devices = worker_devices(device, workers)[:parallel]
    options = SearchOptions(Path(output), devices, resume=resume and Path(output).exists())
    progress = SearchProgress(plan.evaluations)
    with progress:
        run_search(plan, options, progress.advance)
    return _load_search(Path(output))


def _load_search(path: Path) -> LoadedSearch:
    history = read_search(path)
    direction = history.header.evaluator.direction
    steps = pd.DataFrame(
        {
            "evaluation": range(1, len(history.steps) + 1),
            "architecture": [step.arch_id for step in history.steps],
            "score": [step.record.score for step in history.steps],
            "direction": str(direction),
            "oriented": [direction.sign * step.record.score for step in history.steps],
            "status": [str(step.record.status) for step in history.steps],
            "repeated": [step.repeated for step in history.steps],
        }
    )
    return LoadedSearch(history.results, steps, _frame_of(history.trajectory or Trajectory()))


def _frame_of(trajectory: Trajectory) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "epoch": number,
                "architecture": epoch.architecture,
                "derived": epoch.chosen,
                "skips": epoch.skips,
                "zeros": epoch.zeros,
                "seconds": epoch.seconds,
                **epoch.figures,
            }
            for number, epoch in enumerate(trajectory.epochs, start=1)
        ]
    )


def _path(path: str | Path | None) -> Path | None:
    return None if path is None else Path(path)
