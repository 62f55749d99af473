"""``nasbench spaces``, ``evaluators``, ``strategies``, ``executors``, ``datasets`` and ``plugins``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import click

from ..capabilities import capability_names
from ..data.data_home import how_to_get, stored_folder
from ..descriptions import (
    AggregateInfo,
    DatasetInfo,
    Description,
    EvaluatorInfo,
    SearchSpaceInfo,
    SearchStrategyInfo,
    WeightSharingInfo,
)
from ..domain import Direction
from ..errors import UnknownNameError
from ..interfaces import GroundTruth
from ..plugin_manager import HOOKS, PluginManager, PluginRecord, Provided, installed_plugins
from ..settings import describe_settings
from .each_option_once import EachOptionOnce
from .tables import format_option, print_record, print_rows

name_argument = click.argument("name", required=False)


@click.command("spaces", cls=EachOptionOnce)
@name_argument
@format_option
def spaces_command(name: str | None, output_format: str) -> None:
    """List installed search spaces, or explain one."""
    plugins = installed_plugins()
    if name is None:
        _print_list(plugins.search_spaces(), output_format)
    else:
        print_record(_explain_space(plugins.search_space(name), plugins), output_format)


@click.command("evaluators", cls=EachOptionOnce)
@name_argument
@format_option
def evaluators_command(name: str | None, output_format: str) -> None:
    """List installed evaluators, or explain one."""
    plugins = installed_plugins()
    if name is None:
        print_rows(_summarise_evaluators(plugins), output_format)
    elif name in plugins.aggregates():
        print_record(_explain_aggregate(plugins.aggregate(name)), output_format)
    else:
        print_record(_explain_evaluator(plugins.evaluator(name), plugins), output_format)


@click.command("strategies", cls=EachOptionOnce)
@name_argument
@format_option
def strategies_command(name: str | None, output_format: str) -> None:
    """List installed search strategies, or explain one."""
    plugins = installed_plugins()
    if name is None:
        _print_list(plugins.search_strategies(), output_format)
    else:
        print_record(_explain_strategy(plugins.search_strategy(name)), output_format)


@click.command("executors", cls=EachOptionOnce)
@name_argument
@format_option
def executors_command(name: str | None, output_format: str) -> None:
    """List what can run jobs, here or on other machines, or explain one."""
    plugins = installed_plugins()
    if name is None:
        _print_list(plugins.executors(), output_format)
    else:
        item = plugins.executor(name)
        print_record(_common(item) | {"settings": describe_settings(item.info.settings)}, output_format)


@click.command("datasets", cls=EachOptionOnce)
@name_argument
@format_option
def datasets_command(name: str | None, output_format: str) -> None:
    """List installed data sets, or explain one."""
    plugins = installed_plugins()
    if name is None:
        _print_list(plugins.datasets(), output_format)
    else:
        print_record(_explain_dataset(plugins.dataset(name)), output_format)


@click.command("plugins", cls=EachOptionOnce)
@name_argument
@format_option
def plugins_command(name: str | None, output_format: str) -> None:
    """List installed plugins, also those that were left out and why, or explain one.

    The environment variable NASBENCH_PLUGINS chooses which are loaded beside the built-ins: names from this list,
    separated by commas; empty for none.
    """
    plugins = installed_plugins()
    if name is None:
        print_rows([_summarise_plugin(record) for record in plugins.records], output_format)
        return
    found = [record for record in plugins.records if record.name == name]
    if not found:
        known = {record.name for record in plugins.records}
        raise UnknownNameError("plugin", name, known, "Run 'nasbench plugins' to list what is installed.")
    for record in found:
        print_record(_summarise_plugin(record), output_format)


def _print_list(provided: Mapping[str, Provided[Any]], output_format: str) -> None:
    rows = [
        {"name": name, "summary": item.info.summary, "distribution": item.distribution}
        for name, item in provided.items()
    ]
    print_rows(rows, output_format)


def _summarise_evaluators(plugins: PluginManager) -> list[dict[str, Any]]:
    """List evaluators and aggregates, and mark the evaluators that a run compares if none is named."""
    return [
        {
            "name": name,
            "default": "yes" if getattr(item.info, "compared_by_default", False) else "",
            "summary": item.info.summary,
            "distribution": item.distribution,
        }
        for name, item in (plugins.evaluators() | plugins.aggregates()).items()
    ]


def _common(item: Provided[Any]) -> dict[str, Any]:
    info: Description = item.info
    return {
        "name": info.name,
        "summary": info.summary,
        "source": info.source,
        "distribution": item.distribution,
    }


def _explain_space(item: Provided[SearchSpaceInfo], plugins: PluginManager) -> dict[str, Any]:
    space = item.info.create()
    table = space.ground_truth()
    return _common(item) | {
        "architectures": space.size,
        **({"one architecture": item.info.identity} if item.info.identity else {}),
        **({"also read": item.info.also_read} if item.info.also_read else {}),
        "datasets": [*item.info.datasets, *(f"any other {kind}" for kind in capability_names(item.info.takes))],
        "provides": capability_names(item.info.provides),
        "example": space.example(),
        **(_explain_ground_truth(table) if table else {"ground truth": _missing_table(item.info)}),
        "networks": [{"variant": name, "summary": text} for name, text in item.info.network_variants.items()],
        "evaluators": [
            {"evaluator": name, "supported": _support(evaluator.info, item.info)}
            for name, evaluator in plugins.evaluators().items()
        ],
    }


def _missing_table(info: SearchSpaceInfo) -> list[dict[str, Any]] | str:
    if info.requires is None:
        return []
    return f"not here. {how_to_get(info.requires)}"


def _explain_ground_truth(table: GroundTruth) -> dict[str, Any]:
    """Describe metrics; how values were reduced is said once where it is the same for all."""
    reductions = {metric.reduction or "as in the table" for metric in table.metrics}
    rows = [
        {
            "metric": metric.key,
            "unit": metric.unit,
            "better": str(metric.direction),
            **({"reduction": metric.reduction or "as in the table"} if len(reductions) > 1 else {}),
            "noise ceiling": table.noise_ceiling(metric),
        }
        for metric in table.metrics
    ]
    common = {"values of the ground truth": next(iter(reductions))} if len(reductions) == 1 else {}
    return common | {"ground truth": rows}


def _explain_evaluator(item: Provided[EvaluatorInfo], plugins: PluginManager) -> dict[str, Any]:
    info = item.info
    return _common(item) | {
        "formula": info.formula,
        "unit": info.unit or None,
        "better": str(info.direction),
        "needs": capability_names(info.needs),
        "compared by default": "yes" if info.compared_by_default else "no",
        "version": info.version,
        "searchable": f"'nasbench task-search' finds the {info.searchable.name}" if info.searchable else "no",
        "settings": describe_settings(info.settings),
        "spaces": [
            {"space": name, "supported": _support(info, space.info)} for name, space in plugins.search_spaces().items()
        ],
    }


def _explain_aggregate(item: Provided[AggregateInfo]) -> dict[str, Any]:
    return _common(item) | {
        "formula": item.info.formula,
        "better": str(Direction.MAXIMIZE),
        "made of": ", ".join(item.info.components) or "evaluators that you name, as in 'rank_sum:naswot+synflow'",
        "made when": "a report is made, from the ranks of the architectures that it compares",
    }


def _explain_strategy(item: Provided[SearchStrategyInfo]) -> dict[str, Any]:
    info = item.info
    kind: dict[str, Any] = {"proposes": "architectures or tasks, and is told their scores"}
    if isinstance(info, WeightSharingInfo):
        kind = {
            "proposes": "an architecture after each epoch of training a supernet, without scores",
            "needs": capability_names(info.needs),
        }
    return _common(item) | kind | {"settings": describe_settings(info.settings)}


def _explain_dataset(item: Provided[DatasetInfo]) -> dict[str, Any]:
    info = item.info
    return _common(item) | {
        "provides": capability_names(info.provides),
        "input shape": list(info.input_shape),
        "classes": info.num_classes,
        "mean": list(info.mean),
        "std": list(info.std),
        "licence": info.licence,
        "inputs": _where_inputs_are(info),
    }


def _where_inputs_are(info: DatasetInfo) -> str:
    if info.requires is None:
        return "here, installed with the toolkit or a plugin"
    return "here, imported" if stored_folder(info.requires) else f"not here. {how_to_get(info.requires)}"


def _summarise_plugin(record: PluginRecord) -> dict[str, Any]:
    return {
        "name": record.name,
        "distribution": record.distribution,
        "status": _plugin_status(record),
        "hooks": _in_order(record.hooks),
    }


def _plugin_status(record: PluginRecord) -> str:
    if record.problem:
        return f"left out: {record.problem}"
    return f"ok. {record.remark}" if record.remark else "ok"


def _in_order(hooks: Iterable[str]) -> list[str]:
    return [hook for hook in HOOKS if hook in set(hooks)]


def _support(evaluator: EvaluatorInfo, space: SearchSpaceInfo) -> str:
    datasets = installed_plugins().datasets()
    reasons = {
        name: evaluator.reason_unsupported(space, datasets[name].info) for name in space.datasets if name in datasets
    }
    if not reasons:
        return "no: no dataset of this space is installed"
    fitting = [name for name, reason in reasons.items() if reason is None]
    if len(fitting) == len(reasons):
        return "yes"
    if fitting:
        return f"with {', '.join(fitting)}"
    return f"no: {next(iter(reasons.values()))}"
