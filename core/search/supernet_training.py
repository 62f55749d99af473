"""The course of a strategy that trains a supernet: epochs that a checkpoint has, then new ones.

Training happens in this process, on the first of the devices; generators, threads and whatever else a strategy changes
in the process are as before after each epoch.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..asktell.loop import PendingProposal, Proposal
from ..asktell.options import SearchOptions
from ..batches import split_parts
from ..descriptions import WeightSharingInfo
from ..errors import (
    DivergedError,
    EvaluationError,
    InvalidArchitectureError,
    NasbenchError,
    PluginError,
    ResultsFileError,
    UsageError,
)
from ..global_state.state import global_state_kept
from ..jobs.site import limit_threads
from ..loading.faults import is_memory_error
from ..plugin_manager import installed_plugins
from ..seeding import derive_seed, seed_global_rng
from .checkpoints import Checkpoint, checkpoint_path, read_checkpoint, write_checkpoint
from .evaluations import Evaluations
from .history import Step
from .plan import SearchPlan
from .trajectory import Epoch, Trajectory
from .writer import SearchWriter

if TYPE_CHECKING:
    from ..weight_sharing import SupernetContext, WeightSharingStrategy


def open_checkpoint(plan: SearchPlan, options: SearchOptions) -> Checkpoint:
    """Return where a search goes on, an empty checkpoint if it begins; called before its results file is touched.

    Raises:
        ResultsFileError: The checkpoint is of another search, damaged, or all that is left of a search.
    """
    path = checkpoint_path(options.output)
    if options.resume:
        return read_checkpoint(path, plan.header.search_id, options.devices[0])
    if not options.overwrite and path.exists() and not options.output.exists():
        raise ResultsFileError(
            f"'{path}' is left from a search whose results file is gone. Bring that file back, or discard the "
            "checkpoint with --overwrite."
        )
    return Checkpoint()


class SupernetTraining:
    """Trains a supernet and gives what is derived after each epoch.

    Args:
        plan: The search, whose strategy trains a supernet.
        options: Where to compute, and where the results file is.
        checkpoint: Where it goes on.
        stored: What the results file has, an empty trajectory if it is new.

    Attributes:
        trajectory: As far as it has come.
    """

    def __init__(self, plan: SearchPlan, options: SearchOptions, checkpoint: Checkpoint, stored: Trajectory) -> None:
        self._plan = plan
        self._options = options
        self._path = checkpoint_path(options.output)
        self._search_id = plan.header.search_id
        self._checkpoint = checkpoint
        self.trajectory = checkpoint.trajectory
        if not self.trajectory.epochs and len(stored.epochs) == plan.evaluations:
            self.trajectory = stored

    def epochs(self) -> Iterator[Epoch]:
        """Yield all epochs, trained before or now; fewer if the training fails, which the trajectory says then.

        Raises:
            UsageError: The images are too few.
            ResultsFileError: The checkpoint was made from other images.
            ResultsWriteError: The checkpoint cannot be written.
            PluginError: The strategy breaks its contract.
        """
        yield from self.trajectory.epochs
        if len(self.trajectory.epochs) == self._plan.evaluations:
            return
        strategy = self._begin()
        while (number := len(self.trajectory.epochs)) < self._plan.evaluations:
            try:
                epoch, state = self._run_epoch(strategy, number)
            except DivergedError as error:
                self.trajectory = replace(self.trajectory, failure=f"in epoch {number + 1} {error}")
                return
            self.trajectory = self.trajectory.with_epoch(number, epoch)
            write_checkpoint(self._path, self._search_id, Checkpoint(self.trajectory, state))
            yield epoch

    def _begin(self) -> WeightSharingStrategy[Any]:
        spec = self._plan.strategy
        assert isinstance(spec.info, WeightSharingInfo)
        try:
            with self._own_process_state("beginning"):
                context = self._context()
                strategy = spec.info.begin(context, spec.settings)
                self._take_facts(context, strategy)
                if self.trajectory.epochs:
                    strategy.load_state(self._checkpoint.state)
        except EvaluationError as error:
            raise UsageError(f"The strategy '{spec.name}' cannot search '{self._plan.space.name}': {error}.") from error
        return strategy

    def _context(self) -> SupernetContext:
        import torch

        from ..weight_sharing import SupernetContext

        plan = self._plan
        info = plan.images or installed_plugins().dataset(plan.header.dataset).info
        training, held_out = split_parts(info, info.create(), derive_seed("held out", info.name))
        device = torch.device(self._options.devices[0])
        return SupernetContext(plan.space, info, training, held_out, device, plan.header.seed)

    def _take_facts(self, context: SupernetContext, strategy: WeightSharingStrategy[Any]) -> None:
        supernet, images = strategy.supernet, context.image_digests()
        known = self.trajectory.facts.get("images", images)
        if known != images:
            raise ResultsFileError(
                f"'{self._path}' was trained on other images ({known}) than those that are here now ({images}). Bring "
                "them back, or choose another --output."
            )
        facts = {
            "options": [list(names) for names in supernet.options],
            "parameters": sum(parameter.numel() for parameter in supernet.parameters()),
            "images": images,
        }
        self.trajectory = replace(self.trajectory, facts=facts)

    def _run_epoch(self, strategy: WeightSharingStrategy[Any], number: int) -> tuple[Epoch, dict[str, Any]]:
        started = time.perf_counter()
        with self._own_process_state(f"epoch {number}"):
            figures = dict(strategy.train_epoch())
            derived = strategy.derive(last=number == self._plan.evaluations - 1)
            state = strategy.state()
        supernet = strategy.supernet
        names = supernet.names(derived.chosen)
        epoch = Epoch(
            architecture=supernet.spell(derived.choice),
            chosen=supernet.spell(derived.chosen),
            skips=sum(name in supernet.skips for name in names),
            zeros=sum(name in supernet.zeros for name in names),
            figures={name: float(value) for name, value in (figures | dict(derived.figures)).items()},
            seconds=time.perf_counter() - started,
            probabilities=tuple(float(share) for row in derived.probabilities for share in row),
        )
        return epoch, state

    @contextmanager
    def _own_process_state(self, what: str) -> Iterator[None]:
        """Seed generators, limit threads, and put all of it back; memory that runs out is a plain error."""
        header = self._plan.header
        with global_state_kept():
            limit_threads(self._options.threads)
            seed_global_rng(derive_seed("global of weight sharing", what, header.seed, header.space, header.dataset))
            try:
                yield
            except (MemoryError, RuntimeError) as error:
                if not isinstance(error, MemoryError) and not is_memory_error(error):
                    raise
                raise NasbenchError(
                    "The supernet needs more memory than there is: take a smaller 'batch_size'. What was trained is "
                    "kept; the same command with --resume goes on."
                ) from error


def derived_steps(
    plan: SearchPlan,
    training: SupernetTraining,
    writer: SearchWriter,
    evaluator: Evaluations,
    on_epoch: Callable[[Epoch], None],
) -> Iterator[Step]:
    """Yield the step of each epoch: what was derived is proposed, stored, and scored for the user to see.

    Raises:
        PluginError: The strategy derived what is no architecture of the space.
    """
    for number, epoch in enumerate(training.epochs()):
        pending = _propose(plan, evaluator, epoch)
        writer.add_epoch(number, epoch, training.trajectory.facts)
        step = pending.wait()
        on_epoch(epoch)
        yield step
    writer.fail(training.trajectory.failure)


def _propose(plan: SearchPlan, evaluator: Evaluations, epoch: Epoch) -> PendingProposal[Step]:
    try:
        canonical = plan.space.canonicalize(epoch.architecture)
    except InvalidArchitectureError as error:
        spec = plan.strategy
        raise PluginError(
            f"The search strategy '{spec.name}' of {spec.distribution} derived what is not of '{plan.space.name}': "
            f"{error} This is a fault of its plugin."
        ) from error
    return evaluator.start(Proposal(epoch.architecture, canonical, rung=0))
