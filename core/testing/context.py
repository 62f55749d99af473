"""A job's context without a run, for tests that call an evaluator themselves."""

from __future__ import annotations

import torch

from ..context import EvaluationContext, WorkerCache
from ..data.data_home import how_to_get, stored_folder
from ..descriptions import DatasetInfo, SearchSpaceInfo
from ..domain import JobKey
from ..errors import DataError
from ..interfaces import SearchSpace
from ..plugin_manager import installed_plugins
from ..settings import Settings, settings_hash


def make_context(
    space: SearchSpace | str,
    arch_id: str | None = None,
    *,
    evaluator: str = "under-test",
    settings: Settings | None = None,
    version: int = 1,
    dataset: DatasetInfo | str | None = None,
    seed: int = 0,
    device: str = "cpu",
) -> EvaluationContext:
    """Make what an evaluator sees of one job.

    Args:
        space: A search space, or the name of an installed one.
        arch_id: Architecture in any spelling; the space's example if None.
        evaluator: Name of the evaluator, which enters the seeds of what belongs to it alone. It need not be installed.
        settings: Its settings; none if None.
        version: Version of the evaluator.
        dataset: Description of a data set, or the name of an installed one; the first of the space's that is at hand if
            None.
        seed: The run's seed.
        device: Where networks and tensors are to live.

    Raises:
        DataError: No data set of the space's is at hand.
        InvalidArchitectureError: ``arch_id`` is not an architecture of the space.
    """
    made = installed_plugins().search_space(space).info.create() if isinstance(space, str) else space
    info = installed_plugins().dataset(dataset).info if isinstance(dataset, str) else dataset
    info = info or dataset_at_hand(made.info)
    key = JobKey(
        space=made.name,
        dataset=info.name,
        arch_id=made.canonicalize(made.example() if arch_id is None else arch_id),
        evaluator=evaluator,
        settings_hash=settings_hash(version, settings or Settings()),
        seed=seed,
    )
    return EvaluationContext(key, made, info, info.create(), torch.device(device), WorkerCache({}))


def dataset_at_hand(space: SearchSpaceInfo) -> DatasetInfo:
    """Return the first of a space's data sets that is here.

    Raises:
        DataError: None are.
    """
    infos = [installed_plugins().dataset(name).info for name in space.datasets]
    for info in infos:
        if info.requires is None or stored_folder(info.requires) is not None:
            return info
    missing = infos[0].requires if infos else None
    raise DataError(
        f"There is no data set for the search space '{space.name}'. {how_to_get(missing) if missing else ''}".strip()
    )
