"""What can be plugged in: one hook for each kind of thing, each yielding descriptions.

A plugin is any importable module or object whose distribution names it in the entry-point group ``nasbench``. It
implements any of these hooks with :data:`hookimpl`. Built-ins use the same hooks. A hook runs once in every process
that needs plugins, before anything is evaluated; it must be quick and should not import torch. A hook that raises, or
yields something else than descriptions, is one warning that names its distribution, and the plugin is left out.
"""

from __future__ import annotations

from collections.abc import Iterable

import pluggy

from .descriptions import (
    AggregateInfo,
    DatasetInfo,
    DataSourceInfo,
    EvaluatorInfo,
    SearchSpaceInfo,
    SearchStrategyInfo,
)

PROJECT_NAME = "nasbench"

hookspec = pluggy.HookspecMarker(PROJECT_NAME)
hookimpl = pluggy.HookimplMarker(PROJECT_NAME)


@hookspec
def nasbench_search_spaces() -> Iterable[SearchSpaceInfo]:
    """Yield search spaces.

    Example:
        .. code-block:: python

            @hookimpl
            def nasbench_search_spaces():
                yield SearchSpaceInfo(
                    name="two-convs",
                    summary="Two convolutions, each of width 4, 8 or 16.",
                    source="this example",
                    factory="my_plugin.space:TwoConvs",
                    datasets=("mnist",),
                )
    """
    raise AssertionError("a hook specification is never called")


@hookspec
def nasbench_evaluators() -> Iterable[EvaluatorInfo]:
    """Yield evaluators.

    Example:
        .. code-block:: python

            @hookimpl
            def nasbench_evaluators():
                yield EvaluatorInfo(
                    name="depth",
                    summary="Number of convolutions.",
                    source="this example",
                    factory="my_plugin.depth:Depth",
                    direction=Direction.MAXIMIZE,
                )
    """
    raise AssertionError("a hook specification is never called")


@hookspec
def nasbench_aggregates() -> Iterable[AggregateInfo]:
    """Yield aggregates: scores that a report makes of the ranks of several evaluators.

    Example:
        .. code-block:: python

            @hookimpl
            def nasbench_aggregates():
                yield AggregateInfo(
                    name="cheap",
                    summary="The better of the ranks by parameters and by multiply-adds.",
                    source="this example",
                    factory="my_plugin.cheap:Cheap",
                    components=("params", "flops"),
                )
    """
    raise AssertionError("a hook specification is never called")


@hookspec
def nasbench_search_strategies() -> Iterable[SearchStrategyInfo]:
    """Yield search strategies.

    Example:
        .. code-block:: python

            @hookimpl
            def nasbench_search_strategies():
                yield SearchStrategyInfo(
                    name="first-come",
                    summary="Proposes the first sample and nothing else.",
                    source="this example",
                    factory="my_plugin.strategy:FirstCome",
                )
    """
    raise AssertionError("a hook specification is never called")


@hookspec
def nasbench_datasets() -> Iterable[DatasetInfo]:
    """Yield labelled image sets.

    Example:
        .. code-block:: python

            @hookimpl
            def nasbench_datasets():
                yield DatasetInfo(
                    name="noise",
                    summary="Sixty-four images of noise with two labels.",
                    source="this example",
                    factory="my_plugin.noise:Noise",
                    image_shape=(1, 16, 16),
                    num_classes=2,
                    mean=(0.5,),
                    std=(0.25,),
                )
    """
    raise AssertionError("a hook specification is never called")


@hookspec
def nasbench_data_sources() -> Iterable[DataSourceInfo]:
    """Yield benchmark tables and data sets that users can import with ``nasbench data``.

    Example:
        .. code-block:: python

            @hookimpl
            def nasbench_data_sources():
                yield DataSourceInfo(
                    name="my-table",
                    summary="A thousand networks, trained on noise.",
                    source="this example",
                    factory="my_plugin.table:MyTable",
                    content="table",
                    accepts="the file my-table.csv",
                )
    """
    raise AssertionError("a hook specification is never called")
