"""The contract of evaluators."""

from __future__ import annotations

import dataclasses
import functools
import json
import math
import multiprocessing
import random
import re
from concurrent.futures import ProcessPoolExecutor
from typing import ClassVar

import numpy as np
import torch

from ..descriptions import DatasetInfo
from ..domain import JobKey, Record, Status
from ..global_state.functions import toolkit_parts
from ..global_state.state import GlobalState
from ..jobs.evaluation import MAX_MESSAGE_LENGTH, JobRunner
from ..plugin_manager import installed_plugins
from ..results.journal import record_from_json, record_to_json
from ..settings import parse_settings, settings_hash
from .context import dataset_at_hand


class EvaluatorContract:
    """What an evaluator promises.

    Attributes:
        evaluator: Name of the evaluator.
        space: Name of a search space that it supports.
        dataset: Name of the data set to test it with; the first of the space's that is at hand if None.
        settings: Settings to test it with, as texts.
        samples: Number of architectures to try.
        gpu_tolerance: Relative difference that a GPU's other order of summation may make.
    """

    gpu_tolerance: ClassVar[float] = 1e-2
    evaluator: ClassVar[str]
    space: ClassVar[str]
    dataset: ClassVar[str | None] = None
    settings: ClassVar[dict[str, str]] = {}
    samples: ClassVar[int] = 2

    def run(self, arch_ids: list[str], seed: int = 0, runner: JobRunner | None = None) -> list[Record]:
        """Score architectures one after the other with one evaluator instance."""
        runner = runner or self.make_runner()
        info = installed_plugins().evaluator(self.evaluator).info
        settings = parse_settings(self.evaluator, info.settings, self.settings)
        evaluator = info.create(settings)
        own_hash = settings_hash(info.version, settings)
        keys = [
            JobKey(self.space, runner.dataset_info.name, arch_id, self.evaluator, own_hash, seed)
            for arch_id in arch_ids
        ]
        return [runner.run(key, evaluator) for key in keys]

    def _inputs_drawn(self) -> int:
        """Return how many inputs of the data set a run must have."""
        settings = installed_plugins().evaluator(self.evaluator).info.settings
        return parse_settings(self.evaluator, settings, self.settings).inputs_drawn()

    def make_runner(self) -> JobRunner:
        """Return a fresh runner on the CPU."""
        space = installed_plugins().search_space(self.space).info.create()
        dataset = self.find_dataset()
        return JobRunner(space, dataset, dataset.create(), torch.device("cpu"))

    def find_dataset(self) -> DatasetInfo:
        """Return the description of the data set."""
        plugins = installed_plugins()
        if self.dataset is not None:
            return plugins.dataset(self.dataset).info
        return dataset_at_hand(plugins.search_space(self.space).info)

    def draw(self) -> list[str]:
        """Return a sample of the space."""
        return self.make_runner().space.sample(self.samples, np.random.default_rng(0))

    def test_space_is_supported(self) -> None:
        """The evaluator does not refuse the space it is tested on."""
        plugins = installed_plugins()
        evaluator, space = plugins.evaluator(self.evaluator).info, plugins.search_space(self.space).info
        assert evaluator.reason_unsupported(space, self.find_dataset()) is None

    def test_score_is_finite_or_has_a_reason(self) -> None:
        """Every job ends with a finite score, or with a status and a message."""
        for record in self.run(self.draw()):
            assert math.isfinite(record.score) if record.status is Status.OK else record.message
            assert record.status is not Status.FAILED, record.message

    def test_score_does_not_depend_on_order_or_company(self) -> None:
        """The same key gives the same bits: alone, in another order, and in a fresh runner."""
        arch_ids = self.draw()
        forward = self.run(arch_ids)
        backward = self.run(arch_ids[::-1])[::-1]
        alone = [self.run([arch_id])[0] for arch_id in arch_ids]
        for first, second, third in zip(forward, backward, alone, strict=True):
            assert (first.status, first.curves) == (second.status, second.curves) == (third.status, third.curves)
            assert [first.score] == [second.score] == [third.score] or math.isnan(first.score)

    def test_score_is_the_same_in_another_process(self) -> None:
        """A process of its own gives the same bits."""
        arch_ids = self.draw()
        here = self.run(arch_ids)
        job = (type(self).evaluator, type(self).space, self.dataset, dict(self.settings), arch_ids)
        there = _other_process().submit(_run_there, *job).result()
        for first, second in zip(here, there, strict=True):
            assert (first.status, first.message, first.curves) == (second.status, second.message, second.curves)
            assert first.score == second.score or math.isnan(first.score)

    def test_batches_are_recorded(self) -> None:
        """Every batch of inputs is described with its size and has a digest, the same one for every architecture.

        None is smaller than settings say, for which data sets with fewer inputs are refused.
        """
        digests: dict[str, str] = {}
        records = self.run(self.draw())
        for record in records:
            for description, digest in record.batches.items():
                assert re.match(r"(all )?[1-9]\d* ", description)
                assert re.fullmatch(r"[0-9a-f]{16}", digest)
                assert digests.setdefault(description, digest) == digest
        if self.find_dataset().has_inputs and any(record.status is Status.OK for record in records):
            drawn = [int(number) for number in (text.split()[0] for text in digests) if number.isdecimal()]
            least = self._inputs_drawn()
            assert max(drawn, default=0) >= least, f"it draws fewer than {least} inputs: override 'inputs_drawn'"

    def test_outcome_is_stored_as_it_is(self) -> None:
        """Names of curves and messages need no escape, no message is cut, and a stored record reads as it was."""
        for record in self.run(self.draw()):
            stored = json.loads(json.dumps(record_to_json((0, 0), record)))
            assert repr(record_from_json(stored)[1]) == repr(record)
            assert not any("\\" in name for name in record.curves), f"names of curves with escapes: {[*record.curves]}"
            assert len(record.message) <= MAX_MESSAGE_LENGTH, "the message is too long, and was cut"

    def test_process_is_left_as_it_was(self) -> None:
        """Types, threads, modes, flags, folder, environment, warnings and the like are what they were before."""
        # Twice, since libraries load parts of themselves at first use.
        for _ in range(2):
            runner, state = self.make_runner(), GlobalState.now(toolkit_parts())
            self.run(self.draw()[:1], runner=runner)
            changed = state.changed()
            state.put_back()
        assert changed == (), f"it changes {', '.join(changed)}"

    def check_gpu(self) -> None:
        """On a GPU the same architectures get a score, close to the CPU's. Call this where there is one."""
        arch_ids = self.draw()
        on_gpu = self.run(arch_ids, runner=dataclasses.replace(self.make_runner(), device=torch.device("cuda")))
        for first, second in zip(self.run(arch_ids), on_gpu, strict=True):
            assert first.status == second.status
            np.testing.assert_allclose(second.score, first.score, rtol=self.gpu_tolerance, atol=1e-6)

    def test_global_generators_are_left_alone(self) -> None:
        """Python's, NumPy's and torch's global generators are as they were, and what they were does not matter."""
        arch_ids, scores = self.draw()[:1], []
        for seed in (1, 2):
            random.seed(seed)
            np.random.seed(seed)
            torch.manual_seed(seed)
            expected = (random.getstate(), np.random.get_state(legacy=False), torch.get_rng_state())
            scores.append(self.run(arch_ids)[0].score)
            assert random.getstate() == expected[0]
            assert repr(np.random.get_state(legacy=False)) == repr(expected[1])
            assert torch.equal(torch.get_rng_state(), expected[2])
        assert scores[0] == scores[1] or math.isnan(scores[0])


@functools.cache
def _other_process() -> ProcessPoolExecutor:
    """Return a process that serves all contracts: starting one takes seconds."""
    return ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))


def _run_there(
    evaluator: str, space: str, dataset: str | None, settings: dict[str, str], arch_ids: list[str]
) -> list[Record]:
    torch.set_num_threads(1)
    attributes = {"evaluator": evaluator, "space": space, "dataset": dataset, "settings": settings}
    contract = type("Contract", (EvaluatorContract,), attributes)
    records: list[Record] = contract().run(arch_ids)
    return records
