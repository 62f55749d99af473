"""What one job hands to its evaluator: the network, a batch of inputs, generators and shared values."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from .batches import Batch, batch_digest, draw_batch, split_parts
from .domain import JobCost, JobKey
from .fingerprint import fingerprint
from .memory import MemoryMeter
from .seeding import derive_seed, seeded_global_rng, torch_generator
from .shared_passes import PassCost, PassKey, SharedPass, SharedPasses

if TYPE_CHECKING:
    import torch
    from torch import nn

    from .descriptions import DatasetInfo
    from .interfaces import Dataset, SearchSpace

T = TypeVar("T")


# A run of all evaluators shares some thirty values; a task search shares new ones, of about a megabyte, with each task.
SHARED_VALUES = 64


@dataclass
class WorkerCache:
    """Values that depend on the run but on no architecture, computed once in each worker.

    Attributes:
        values: By key, the least recently used first. What is stored must never be changed.
        limit: Number of values that are kept; one that is gone is computed again.
    """

    values: dict[Hashable, Any]
    limit: int = SHARED_VALUES
    _fingerprints: dict[Hashable, int] = dataclasses.field(default_factory=dict)

    def get(self, key: Hashable, compute: Callable[[], T]) -> T:
        """Return the value of ``key``, computing it unless it is there."""
        value: T = self.values.pop(key) if key in self.values else compute()
        self.values[key] = value
        if len(self.values) > self.limit:
            del self.values[next(iter(self.values))]
        return value

    def lend(self, key: Hashable, compute: Callable[[], T]) -> T:
        """Return the value of ``key`` to an evaluator, who might change it: :meth:`forget_changed` would notice."""
        value = self.get(key, compute)
        if key not in self._fingerprints:
            self._fingerprints[key] = fingerprint(value)
        return value

    def forget_changed(self) -> None:
        """Forget the values that were lent since the last call and are not as they were."""
        for key, before in self._fingerprints.items():
            if key in self.values and fingerprint(self.values[key]) != before:
                del self.values[key]
        self._fingerprints.clear()


class EvaluationContext:
    """One job as its evaluator sees it.

    Attributes:
        key: What the score may depend on.
        space: The search space.
        dataset: Description of the data set.
        device: Where networks and tensors are to live.
        batches: Digest of every batch that was handed out, by description.

    Args:
        key: As above.
        space: As above.
        dataset: As above.
        examples: The data set's inputs and labels.
        device: As above.
        cache: Values that all jobs of the worker share.
        passes: Values that the jobs of one architecture share; none are shared if None.
        memory: Measures memory; it is not measured if None.
        job: The one that a pass is made for; None if this is a job itself.
    """

    def __init__(
        self,
        key: JobKey,
        space: SearchSpace,
        dataset: DatasetInfo,
        examples: Dataset,
        device: torch.device,
        cache: WorkerCache,
        passes: SharedPasses | None = None,
        memory: MemoryMeter | None = None,
        job: EvaluationContext | None = None,
    ) -> None:
        self.key = key
        self.space = space
        self.dataset = dataset
        self.device = device
        self.batches: dict[str, str] = {}
        self._examples = examples
        self._cache = cache
        self._passes = passes if passes is not None else SharedPasses()
        self._asker: Hashable = job._asker if job is not None else (key.evaluator, key.settings_hash)
        forgets = self._passes.enter((key.common_seed_parts, str(device)))
        self._build_seconds = 0.0
        self._transfer_seconds = 0.0
        # Of the passes that this is made of: what each costs, and which of them the job made itself.
        self._costs: dict[PassKey, PassCost] = {}
        self._made: set[PassKey] = job._made if job is not None else set()
        self._seconds_in_passes, self._processor_in_passes, self._memory_in_passes = 0.0, 0.0, 0
        self._memory = memory
        self._peak_memory = 0
        if memory is not None:
            if forgets:
                memory.give_back_unused()  # else this job would seem to need none where it uses that again
            memory.take_peak()
        self._held_memory = memory.held() if memory is not None else 0
        self._started, self._processor_started = time.perf_counter(), time.process_time()

    def network(
        self,
        variant: str = "benchmark",
        *,
        num_classes: int | None = None,
        input_shape: tuple[int, ...] | None = None,
        bare: bool = False,
    ) -> nn.Module:
        """Build the architecture's network on the device, in training mode.

        Its initial weights are seeded by run seed, space, data set, architecture and variant: every evaluator that
        asks for this network gets the same one, at every call. A variant that the space does not have falls back to
        ``benchmark``: spaces of other plugins need not know of variants.

        Args:
            variant: One of the space's networks.
            num_classes: Number of outputs; the data set's if None.
            input_shape: Of one of its inputs, as ``(channels, height, width)``; the data set's if None.
            bare: Build the network for no data set, as for ``none``: for evaluators that make the inputs themselves.
        """
        if variant not in self.space.info.network_variants:
            variant = "benchmark"
        dataset = dataclasses.replace(
            self.dataset,
            num_classes=num_classes or self.dataset.num_classes,
            input_shape=input_shape or self.dataset.input_shape,
            provides=frozenset() if bare else self.dataset.provides,
        )
        with self.initial_weights(f"network {variant}"), self._timed("build"):
            network = self.space.build_network(self.key.arch_id, dataset, variant)
        with self._timed("transfer"):
            return network.to(self.device).train()

    def initial_weights(self, what: str) -> AbstractContextManager[None]:
        """Seed the global generators while modules are made that draw their initial weights from them.

        The seed is that of run seed, space, data set, architecture and ``what``, whichever evaluator asks, so that
        evaluators and settings are compared on the same weights. Generators are restored afterwards.

        Args:
            what: Names what is made, such as ``gennas heads``.
        """
        return seeded_global_rng(derive_seed("initial weights", *self.key.common_seed_parts, what))

    def batch(self, size: int, *, resolution: int | None = None, augment: bool = False) -> Batch:
        """Return the run's batch of ``size`` normalised training inputs, the same for every architecture.

        Args:
            size: Number of inputs; they are distinct.
            resolution: Height and width to resize images to by nearest neighbour; the data set's own if None.
            augment: Mirror each image with probability 1/2 where the data set allows it.

        Raises:
            EvaluationError: The data set has fewer inputs.
        """
        seed = derive_seed("batch", self.key.seed, self.key.dataset, size)
        key = ("batch", self.key.dataset, size, resolution, augment, seed, str(self.device))
        with self._timed("transfer"):
            batch, digest = self._cache.get(key, lambda: self._draw(size, seed, resolution, augment))
        self.batches[_describe_batch(f"{size} {self.dataset.unit}", resolution, augment)] = digest
        # A copy, since a network may begin with an operation in place, and an evaluator may make labels of its own.
        return batch.clone()

    def _draw(self, size: int, seed: int, resolution: int | None, augment: bool) -> tuple[Batch, str]:
        batch = draw_batch(self.dataset, self._examples, size, seed, resolution, augment)
        return batch.to(self.device), batch_digest(batch)

    def training_part(self) -> Batch:
        """Return all inputs to train on, not normalised, on the CPU; they must not be changed.

        Where the data set has no test part of its own, a fifth of it is held out and missing here.
        """
        return self._part(0, "training")

    def held_out_part(self) -> Batch:
        """Return all inputs to test on, not normalised, on the CPU; they must not be changed.

        They are the data set's own test part, or else a fifth of it, the same one in every run.
        """
        return self._part(1, "held-out")

    def _part(self, index: int, name: str) -> Batch:
        seed = derive_seed("held out", self.key.dataset)

        def read() -> list[tuple[Batch, str]]:
            return [(part, batch_digest(part)) for part in split_parts(self.dataset, self._examples, seed)]

        with self._timed("transfer"):
            part, digest = self._cache.lend(("parts", self.key.dataset), read)[index]
        self.batches[f"all {len(part.labels)} {name} {self.dataset.unit}"] = digest
        return part

    def generator(self, stream: str) -> torch.Generator:
        """Return a fresh CPU generator for one purpose (``stream``) of this evaluator.

        It is seeded by run seed, space, data set, architecture, evaluator and purpose, and not by settings: those are
        compared on the same draws.
        """
        return torch_generator(derive_seed(stream, *self.key.own_seed_parts))

    def shared(self, what: str, compute: Callable[[torch.Generator], T]) -> T:
        """Return a value that all architectures of the run share, such as a regression target.

        Args:
            what: Names what it is, such as ``gennas target``.
            compute: Makes it from a CPU generator seeded by run seed, data set and ``what``, whichever evaluator asks
                and with whatever settings, never by the architecture. The value is kept by the worker for this
                evaluator with these settings: it must not be changed, and is made anew if it was.
        """
        key = self.key
        seed = derive_seed("shared", key.seed, key.dataset, what)
        kept = ("shared", what, seed, key.evaluator, key.settings_hash, str(self.device))
        return self._cache.lend(kept, lambda: compute(torch_generator(seed)))

    def shared_pass(self, compute: Callable[..., T], *arguments: Hashable) -> T:
        """Return ``compute(context, *arguments)``, computed once for an architecture, whichever evaluator asks.

        For what several evaluators need, such as the gradients of one batch's loss. Each evaluator's seconds are
        still what it would take alone: those of a pass are counted to all that use it.

        Args:
            compute: A function of a module, which is its name. The context that it gets is that of no evaluator: its
                seeds are those of run seed, space, data set, architecture and the function. What it raises is not kept.
            arguments: What else the value depends on.

        Returns:
            The value, which must not be changed.

        Raises:
            TypeError: ``compute`` is a lambda, or a function within a function.
        """
        if "<" in getattr(compute, "__qualname__", "<"):
            raise TypeError(f"a shared pass is computed by a function of a module, not by {compute!r}")
        key = (compute, arguments)
        known = self._passes.lend(key, self._asker)
        if known is None:
            known = self._compute_pass(key)
            self._passes.keep(key, known)
            self._passes.lend(key, self._asker)
        self._costs.update(known.costs)
        self.batches.update(known.batches)
        value: T = known.value
        return value

    def has_or_expects_pass(self, compute: Callable[..., Any], *arguments: Hashable) -> bool:
        """Return whether a shared pass is kept, or this or another evaluator of the architecture is to ask for it.

        That is known of evaluators that asked for it on other architectures. For a pass that can give at little cost
        what another one would compute again. The answer depends on what ran before: it may decide what something costs,
        never what comes out.
        """
        return self._passes.has_or_expects((compute, arguments))

    def finish(self) -> None:
        """Say that the evaluator is done with the architecture; the engine calls it."""
        self._passes.finish(self._asker)

    def _compute_pass(self, pass_key: PassKey) -> SharedPass:
        compute, arguments = pass_key
        self._note_peak()
        name = f"{compute.__module__}:{compute.__qualname__}"
        key = dataclasses.replace(self.key, evaluator=name, settings_hash="")
        inner = EvaluationContext(
            key,
            self.space,
            self.dataset,
            self._examples,
            self.device,
            self._cache,
            self._passes,
            self._memory,
            self,
        )
        with seeded_global_rng(derive_seed("global", *key.own_seed_parts)):
            value = compute(inner, *arguments)
        own, held = inner._own_cost(), inner._memory_held_since()
        part = PassCost(own, max(0, held - inner._memory_in_passes))
        self._made.add(pass_key)
        self._seconds_in_passes += own.seconds + inner._seconds_in_passes
        self._processor_in_passes += own.processor + inner._processor_in_passes
        self._memory_in_passes += held
        self._peak_memory = max(self._peak_memory, inner._held_memory - self._held_memory + inner._peak_memory)
        return SharedPass(value, {**inner._costs, pass_key: part}, inner.batches)

    def cost(self) -> JobCost:
        """Return what was spent since the context was made, and what the passes cost that others made."""
        total = self._own_cost()
        lent = {key: part for key, part in self._costs.items() if key not in self._made}
        # Alone, the job would hold their values itself.
        held = sum(part.held_memory for part in lent.values())
        total = dataclasses.replace(total, peak_memory=total.peak_memory + held)
        for key, part in self._costs.items():
            saved = (part.cost.processor or part.cost.seconds) if key in lent else 0.0
            total += dataclasses.replace(part.cost, saved=saved)
        return total

    def _own_cost(self) -> JobCost:
        """Return what was spent since the context was made, but for passes."""
        processor = time.process_time() - self._processor_started - self._processor_in_passes
        if self.device.type == "cuda":
            import torch

            torch.cuda.synchronize(self.device)
            processor = 0.0
        elapsed = time.perf_counter() - self._started - self._seconds_in_passes
        self._note_peak()
        return JobCost(
            build=self._build_seconds,
            transfer=self._transfer_seconds,
            compute=max(0.0, elapsed - self._build_seconds - self._transfer_seconds),
            processor=max(0.0, processor),
            peak_memory=self._peak_memory,
        )

    def _memory_held_since(self) -> int:
        return max(0, self._memory.held() - self._held_memory) if self._memory is not None else 0

    def _note_peak(self) -> None:
        """Remember the peak so far, before another one is measured."""
        if self._memory is not None:
            self._peak_memory = max(self._peak_memory, self._memory.take_peak() - self._held_memory)

    @contextmanager
    def _timed(self, part: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            elapsed = time.perf_counter() - start
            if part == "build":
                self._build_seconds += elapsed
            else:
                self._transfer_seconds += elapsed


def _describe_batch(size: str, resolution: int | None, augment: bool) -> str:
    resized = "" if resolution is None else f" at {resolution}x{resolution}"
    return f"{size}{resized}{', augmented' if augment else ''}"
