"""Chooses the data set that evaluators see."""

from __future__ import annotations

from ..capabilities import lacking
from ..data.data_home import how_to_get, stored_folder
from ..descriptions import DatasetInfo, SearchSpaceInfo
from ..errors import UsageError
from ..plugin_manager import PluginManager


def choose_dataset(
    space: SearchSpaceInfo, name: str | None, images: DatasetInfo | None, plugins: PluginManager
) -> DatasetInfo:
    """Return the data set that evaluators see.

    Args:
        space: The search space.
        name: What the user named, None for the first of the space's that is at hand.
        images: The user's own images instead.
        plugins: Where data sets come from.

    Raises:
        UsageError: It does not exist, is not at hand, or the space has no networks for it.
    """
    if not space.datasets:
        raise UsageError(f"The {space.full_name} names no dataset. This is a fault of its plugin.")
    if images is not None:
        return _check_takes(space, images)
    if name is None:
        installed = plugins.datasets()
        infos = [installed[own].info for own in space.datasets if own in installed]
        if not infos:
            raise UsageError(
                f"The {space.full_name} names the datasets {', '.join(space.datasets)}, none of which is installed. "
                "Install the plugin that provides one, or choose another with --dataset."
            )
        return next((info for info in infos if is_at_hand(info)), infos[0])
    info = plugins.dataset(name).info
    if info.name not in space.datasets:
        _check_takes(space, info)
    if not is_at_hand(info):
        raise UsageError(f"The dataset '{info.name}' is not at hand. {how_to_get(str(info.requires))}")
    return info


def dataset_to_build_for(space: SearchSpaceInfo, name: str | None, plugins: PluginManager) -> DatasetInfo:
    """Return the data set that a network is built for, which need not be at hand.

    Args:
        space: The search space.
        name: What the user named; None for that which the space exports for, or the first of its own that is installed.
        plugins: Where data sets come from.

    Raises:
        UsageError: It does not exist, or the space has no networks for it.
    """
    if name is None and space.exported_for is not None:
        return space.exported_for
    if name is None:
        installed = plugins.datasets()
        first = next((own for own in space.datasets if own in installed), None)
        return installed[first].info if first is not None else choose_dataset(space, None, None, plugins)
    info = plugins.dataset(name).info
    return info if info.name in space.datasets else _check_takes(space, info)


def dataset_version(dataset: DatasetInfo, images: DatasetInfo | None, plugins: PluginManager) -> str:
    """Return distribution and version of a data set, an empty text for the user's own images."""
    return "" if images is not None else plugins.dataset(dataset.name).version


def is_at_hand(info: DatasetInfo) -> bool:
    """Whether a data set is part of a package or has been imported."""
    return info.requires is None or stored_folder(info.requires) is not None


def _check_takes(space: SearchSpaceInfo, dataset: DatasetInfo) -> DatasetInfo:
    if len(lacking(space.takes, dataset.provides)) == len(space.takes):
        raise UsageError(
            f"The search space '{space.name}' has no networks for the dataset '{dataset.name}'. Choose one of: "
            f"{', '.join(space.datasets)}."
        )
    return dataset
