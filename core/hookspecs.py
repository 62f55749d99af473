"""What can be plugged in: one hook for each kind of thing, each yielding descriptions.

A plugin is any importable module or object whose distribution names it in the entry-point group ``nasbench``. It
implements any of these hooks with :data:`hookimpl`, under the hook's name or with ``specname``. Built-ins use the same
hooks.

All hooks have this in common. They are called without arguments, once in every process that needs plugins and before
anything is evaluated, worker processes included; never while something is evaluated. They must be quick and should not
import torch. They yield descriptions, or return a list of them. If one raises, yields something else, or yields one
name twice, one warning names plugin, distribution and remedy, and the whole plugin is left out. A name that an earlier
plugin provides leaves out that one thing, with a warning, and the rest of the plugin works. What a hook prints goes to
standard error, and what it changes in the process is put back. A plugin may implement hooks of a newer version: one
warning says which this version does not have, none if they are marked ``optionalhook=True``, and the others work.
"""

from __future__ import annotations

from collections.abc import Iterable

import pluggy

from .descriptions import (
    AggregateInfo,
    DatasetInfo,
    DataSourceInfo,
    EvaluatorInfo,
    ExecutorInfo,
    RecipeInfo,
    SearchSpaceInfo,
    SearchStrategyInfo,
)

PROJECT_NAME = "nasbench"

hookspec = pluggy.HookspecMarker(PROJECT_NAME)
hookimpl = pluggy.HookimplMarker(PROJECT_NAME)


@hookspec
def nasbench_search_spaces() -> Iterable[SearchSpaceInfo]:
    """Yield search spaces: sets of architectures, and how to sample and build them.

    Called when plugins are loaded. What is yielded is what ``nasbench spaces`` lists and ``--space`` takes; the factory
    is called with the description, once in every process that uses the space.

    Returns:
        Descriptions of search spaces. One whose name an earlier plugin provides is left out; a wrong one
        leaves this plugin out.

    Since version 0.1.

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
    """Yield evaluators: what maps an architecture to a score.

    Called when plugins are loaded. What is yielded is what ``nasbench evaluators`` lists and ``--evaluator`` takes; the
    factory is called with the settings, once in every worker process.

    Returns:
        Descriptions of evaluators. One with the name of an evaluator or aggregate of an earlier plugin is left out; a
        wrong one, such as one with settings of a type that cannot be read from a text, leaves this plugin out.

    Since version 0.1.

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

    Called when plugins are loaded. Users name aggregates like evaluators. The factory is called without arguments when
    a report is made, never in a worker process.

    Returns:
        Descriptions of aggregates. One with the name of an evaluator or aggregate of an earlier plugin is left out; a
        wrong one leaves this plugin out.

    Since version 0.1.

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
    """Yield search strategies: what proposes the architectures of a search.

    Called when plugins are loaded. What is yielded is what ``nasbench strategies`` lists and ``--strategy`` takes; the
    factory is called with space, settings and seed, once for a search, in the main process. A ``WeightSharingInfo``
    is a strategy that trains a supernet: its factory is called with a ``SupernetContext`` and settings, there as well.

    Returns:
        Descriptions of strategies. One whose name an earlier plugin provides is left out; a wrong one, such as one with
        settings of a type that cannot be read from a text, leaves this plugin out.

    Since version 0.1.

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
    """Yield data sets: images, text, or inputs of any other kind, with their labels.

    Called when plugins are loaded. What is yielded is what ``nasbench datasets`` lists and ``--dataset`` takes; the
    factory is called without arguments, once in every worker process, and inputs are read when they are first needed.

    Returns:
        Descriptions of data sets. One whose name an earlier plugin provides is left out; a wrong one
        leaves this plugin out.

    Since version 0.1.

    Example:
        .. code-block:: python

            @hookimpl
            def nasbench_datasets():
                yield DatasetInfo(
                    name="noise",
                    summary="Sixty-four images of noise with two labels.",
                    source="this example",
                    factory="my_plugin.noise:Noise",
                    input_shape=(1, 16, 16),
                    num_classes=2,
                    mean=(0.5,),
                    std=(0.25,),
                )
    """
    raise AssertionError("a hook specification is never called")


@hookspec
def nasbench_data_sources() -> Iterable[DataSourceInfo]:
    """Yield benchmark tables and data sets that users can import with ``nasbench data``.

    Called when plugins are loaded. The factory is called with the description when a user imports or verifies files,
    in the main process.

    Returns:
        Descriptions of data sources. One whose name an earlier plugin provides is left out; a wrong one
        leaves this plugin out.

    Since version 0.1.

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


@hookspec
def nasbench_executors() -> Iterable[ExecutorInfo]:
    """Yield executors: what runs jobs on processes, or on other machines.

    Called when plugins are loaded. What is yielded is what ``nasbench executors`` lists and ``--executor`` takes; the
    factory is called with what jobs have in common, devices, time limit and settings, once for a run, in the main
    process.

    Returns:
        Descriptions of executors. One whose name an earlier plugin provides is left out; a wrong one, such as one with
        settings of a type that cannot be read from a text, leaves this plugin out.

    Since version 0.1.

    Example:
        .. code-block:: python

            @hookimpl
            def nasbench_executors():
                yield ExecutorInfo(
                    name="my-cluster",
                    summary="Jobs on the machines of my laboratory.",
                    source="this example",
                    factory="my_plugin.cluster:MyCluster",
                    remote=True,
                )
    """
    raise AssertionError("a hook specification is never called")


@hookspec
def nasbench_recipes() -> Iterable[RecipeInfo]:
    """Yield recipes: published tables as data, for ``nasbench reproduce``.

    Called when plugins are loaded. What is yielded is what ``nasbench reproduce`` lists; the factory is called without
    arguments and returns the recipe's TOML.

    Returns:
        Descriptions of recipes. One whose name an earlier plugin provides is left out; a wrong one, such as one whose
        factory is nowhere, leaves this plugin out.

    Since version 0.1.

    Example:
        .. code-block:: python

            @hookimpl
            def nasbench_recipes():
                yield RecipeInfo(
                    name="my-table",
                    summary="How my proxy ranks three spaces.",
                    source="this example",
                    factory="my_plugin.tables:my_table",
                )
    """
    raise AssertionError("a hook specification is never called")
