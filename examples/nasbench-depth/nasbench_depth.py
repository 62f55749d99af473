"""What the plugin provides. This module imports no torch: listing plugins stays quick."""

from nasbench_toolkit import Direction, EvaluatorInfo, SearchSpaceInfo, hookimpl


@hookimpl
def nasbench_evaluators():
    yield EvaluatorInfo(
        name="depth",
        summary="Number of convolutions.",
        source="this example",
        formula="number of Conv2d modules",
        direction=Direction.MAXIMIZE,
        factory="nasbench_depth_networks:Depth",
    )


@hookimpl
def nasbench_search_spaces():
    yield SearchSpaceInfo(
        name="plain-convs",
        summary="Chains of one to eight 3x3 convolutions, each of width 4, 8 or 16.",
        source="this example",
        factory="nasbench_depth_networks:PlainConvs",
        datasets=("mnist", "photos"),
    )
