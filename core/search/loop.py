"""The search for an architecture: what a strategy proposes is scored, each architecture once."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..asktell.loop import AskTellLoop
from ..asktell.options import SearchOptions
from ..jobs.environment import describe_environment
from ..jobs.stores import refuse_foreign_store
from .checkpoints import Checkpoint
from .evaluations import Evaluations
from .history import SearchHistory, Step
from .limits import StoppingRule, no_feasible_error
from .plan import SearchPlan
from .supernet_training import SupernetTraining, derived_steps, open_checkpoint
from .trajectory import Epoch
from .writer import SearchWriter


def run_search(
    plan: SearchPlan,
    options: SearchOptions,
    on_step: Callable[[Step, int], None],
    on_epoch: Callable[[Epoch], None] = lambda _: None,
) -> SearchHistory:
    """Search, or do what a search still lacks, and return its history.

    An interrupt leaves everything that was computed in the file. A search also ends, before its evaluations are done,
    where the strategy has no more proposals or the limits refuse too many of them in a row.

    Args:
        plan: What searches for what.
        options: Where and how.
        on_step: Called after each step, whose score is safe on disk, with the number of evaluations up to it; also for
            proposals that were refused. A resumed search begins with the steps that its file has.
        on_epoch: Called before, where a supernet is trained, with the epoch that the step is of.

    Raises:
        ResultsFileError: The file exists, is damaged, or was made by another search.
        ResultsWriteError: Results cannot be written.
        NoFeasibleArchitectureError: No proposal was within the limits.
        PluginError: The strategy breaks its contract.
        NasbenchError: Workers cannot start.
    """
    environment = describe_environment(options.devices, options.threads)
    refuse_foreign_store(options.output)
    checkpoint = open_checkpoint(plan, options) if plan.trains_supernet else Checkpoint()
    with SearchWriter.open(plan, options, environment) as writer:
        rule, evaluations = StoppingRule(plan.space.size), 0
        with Evaluations(plan, options, writer) as evaluator:
            for step in _steps(plan, options, checkpoint, writer, evaluator, on_epoch):
                rule.take(step)
                evaluations += not step.refused
                on_step(step, evaluations)
                if rule.ends_search:
                    break
        writer.end(exhausted=evaluations < plan.evaluations)
        if rule.refused and not evaluations:
            raise no_feasible_error(plan.header, rule.refused, options.output)
        return writer.stored().history


def _steps(
    plan: SearchPlan,
    options: SearchOptions,
    checkpoint: Checkpoint,
    writer: SearchWriter,
    evaluator: Evaluations,
    on_epoch: Callable[[Epoch], None],
) -> Iterator[Step]:
    if plan.trains_supernet:
        training = SupernetTraining(plan, options, checkpoint, writer.trajectory)
        return derived_steps(plan, training, writer, evaluator, on_epoch)
    return AskTellLoop(plan.strategy, plan.evaluations, plan.header.parallel, evaluator).outcomes()
