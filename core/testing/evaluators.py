"""The contract of evaluators."""

from __future__ import annotations

import dataclasses
import json
import math
import random
import re
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
from ..settings import settings_hash
from .context import dataset_at_hand
from .other_process import in_other_process

# The sample is scored with the generators as they happen to be, which is never so.
_UNUSUAL_SEED = 4_109_853


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
    _scored: ClassVar[list[Record]]

    def run(self, arch_ids: list[str], seed: int = 0, runner: JobRunner | None = None) -> list[Record]:
        """Score architectures one after the other with one evaluator instance."""
        runner = runner or self.make_runner()
        info = installed_plugins().evaluator(self.evaluator).info
        settings = info.parse_settings(self.settings)
        evaluator = info.create(settings)
        own_hash = settings_hash(info.version, settings)
        keys = [
            JobKey(self.space, runner.dataset_info.name, arch_id, self.evaluator, own_hash, seed)
            for arch_id in arch_ids
        ]
        return [runner.run(key, evaluator) for key in keys]

    def _inputs_drawn(self) -> int:
        """Return how many inputs of the data set a run must have."""
        info = installed_plugins().evaluator(self.evaluator).info
        return info.inputs_drawn(info.parse_settings(self.settings))

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

    def scored(self) -> list[Record]:
        """Return the records of the sample, scored once for all tests of a class."""
        if "_scored" not in vars(type(self)):
            # Libraries load parts of themselves at first use, and an evaluator may change what it must not.
            state = GlobalState.now(toolkit_parts())
            try:
                type(self)._scored = self.run(self.draw())
            finally:
                state.put_back()
        return self._scored

    def test_space_is_supported(self) -> None:
        """The evaluator does not refuse the space it is tested on."""
        plugins = installed_plugins()
        evaluator, space = plugins.evaluator(self.evaluator).info, plugins.search_space(self.space).info
        assert evaluator.reason_unsupported(space, self.find_dataset()) is None

    def test_score_is_finite_or_has_a_reason(self) -> None:
        """Every job ends with a finite score, or with a status and a message."""
        for record in self.scored():
            assert math.isfinite(record.score) if record.status is Status.OK else record.message
            assert record.status is not Status.FAILED, record.message

    def test_score_does_not_depend_on_order_or_company(self) -> None:
        """The same key gives the same bits: alone, in another order, and in a fresh runner."""
        arch_ids = self.draw()
        alone = [self.run([arch_id])[0] for arch_id in arch_ids]
        backward = self.run(arch_ids[::-1])[::-1] if len(arch_ids) > 1 else alone
        for first, second, third in zip(self.scored(), backward, alone, strict=True):
            assert (first.status, first.curves) == (second.status, second.curves) == (third.status, third.curves)
            assert [first.score] == [second.score] == [third.score] or math.isnan(first.score)

    def test_score_is_the_same_in_another_process(self) -> None:
        """A process of its own gives the same bits, also after a job of another run seed."""
        job = (type(self).evaluator, type(self).space, self.dataset, dict(self.settings), self.draw())
        there = in_other_process(_run_there, *job)
        for first, second in zip(self.scored(), there, strict=True):
            assert (first.status, first.message, first.curves) == (second.status, second.message, second.curves)
            assert first.score == second.score or math.isnan(first.score)

    def test_batches_are_recorded(self) -> None:
        """Every batch of inputs is described with its size and has a digest, the same one for every architecture.

        None is smaller than settings say, for which data sets with fewer inputs are refused.
        """
        digests: dict[str, str] = {}
        records = self.scored()
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
        for record in self.scored():
            stored = json.loads(json.dumps(record_to_json((0, 0), record)))
            assert repr(record_from_json(stored)[1]) == repr(record)
            assert not any("\\" in name for name in record.curves), f"names of curves with escapes: {[*record.curves]}"
            assert len(record.message) <= MAX_MESSAGE_LENGTH, "the message is too long, and was cut"

    def test_process_is_left_as_it_was(self) -> None:
        """Types, threads, modes, flags, folder, environment, warnings and the like are what they were before."""
        self.scored()
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
        arch_ids, expected_score = self.draw()[:1], self.scored()[0].score
        random.seed(_UNUSUAL_SEED)
        np.random.seed(_UNUSUAL_SEED)
        torch.manual_seed(_UNUSUAL_SEED)
        expected = (random.getstate(), np.random.get_state(legacy=False), torch.get_rng_state())
        score = self.run(arch_ids)[0].score
        assert random.getstate() == expected[0]
        assert repr(np.random.get_state(legacy=False)) == repr(expected[1])
        assert torch.equal(torch.get_rng_state(), expected[2])
        assert score == expected_score or math.isnan(score)


def _run_there(
    evaluator: str, space: str, dataset: str | None, settings: dict[str, str], arch_ids: list[str]
) -> list[Record]:
    attributes = {"evaluator": evaluator, "space": space, "dataset": dataset, "settings": settings}
    contract = type("Contract", (EvaluatorContract,), attributes)
    contract().run(arch_ids[:1], seed=1)
    records: list[Record] = contract().run(arch_ids)
    return records
