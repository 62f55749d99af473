"""One contract class for each kind of plugin.

Derive a class, name the plugin in a class attribute, and pytest runs the contract's tests on it.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import multiprocessing
import random
import re
from concurrent.futures import ProcessPoolExecutor
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch

from ..data.data_home import stored_folder
from ..descriptions import DatasetInfo, SearchSpaceInfo
from ..domain import JobKey, Record, Status
from ..interfaces import PartialEvaluation, SearchSpace, SearchStrategy
from ..jobs.evaluation import JobRunner
from ..plugin_manager import installed_plugins
from ..settings import parse_settings, settings_hash
from .network_identity import assert_same_network, other_spellings

# Enough for a mean that is off by a hundredth to show, few enough for a set of millions.
MOST_IMAGES = 5000


class SearchSpaceContract:
    """What a search space promises.

    Attributes:
        space: Name of the search space.
        samples: Number of architectures to try.
        compared_network: The network variant in which spellings of one architecture are compared.
    """

    space: ClassVar[str]
    samples: ClassVar[int] = 8
    compared_network: ClassVar[str] = "benchmark"

    def make_space(self) -> SearchSpace:
        """Return the search space."""
        return installed_plugins().search_space(self.space).info.create()

    def draw(self, seed: int = 0) -> list[str]:
        """Return a sample."""
        return self.make_space().sample(self.samples, np.random.default_rng(seed))

    def test_sample_is_a_function_of_the_generator(self) -> None:
        """The same seed gives the same sample, another seed another one."""
        assert self.draw(1) == self.draw(1)
        assert self.draw(1) != self.draw(2)

    def test_sampled_architectures_are_canonical(self) -> None:
        """Sampled strings are their own canonical form, and distinct."""
        space, sample = self.make_space(), self.draw()
        assert [space.canonicalize(arch_id) for arch_id in sample] == sample
        assert len(set(sample)) == len(sample)

    def spellings(self) -> list[str]:
        """Return texts that are not canonical; a space that has others than mutants and neighbours overrides this."""
        return other_spellings(self.make_space(), self.samples)

    def test_canonical_string_is_the_same_network(self) -> None:
        """The network of a canonical string computes what that of any spelling does, with as many live parameters."""
        space = self.make_space()
        for text in self.spellings():
            assert_same_network(space, text, space.canonicalize(text), self.compared_network)

    def test_network_maps_images_to_logits_for_every_dataset_and_variant(self) -> None:
        """Networks take images of the data set's shape and return one finite logit a class."""
        space = self.make_space()
        if "images" not in space.info.provides:
            return
        for name in space.info.datasets:
            dataset = installed_plugins().dataset(name).info
            for variant in space.info.network_variants:
                network = space.build_network(space.example(), dataset, variant)
                logits = network(torch.randn(3, *dataset.image_shape, generator=torch.Generator().manual_seed(0)))
                assert logits.shape == (3, dataset.num_classes)
                assert bool(torch.isfinite(logits).all())

    def test_networks_map_sequences_if_promised(self) -> None:
        """Networks of a space that provides ``sequences`` map sequences to finite ones of the same shape."""
        space = self.make_space()
        if "sequences" not in space.info.provides:
            return
        dataset = installed_plugins().dataset(space.info.datasets[0]).info
        for variant in space.info.network_variants:
            network = space.build_network(space.example(), dataset, variant)
            inputs = torch.randn(5, 3, getattr(network, "width"), generator=torch.Generator().manual_seed(0))  # noqa: B009
            outputs = network(inputs)
            assert outputs.shape == inputs.shape
            assert bool(torch.isfinite(outputs).all())

    def test_initial_weights_follow_the_global_generator(self) -> None:
        """The same global seed gives the same weights, bit for bit."""
        space = self.make_space()
        dataset = installed_plugins().dataset(space.info.datasets[0]).info
        states = []
        for _ in range(2):
            torch.manual_seed(7)
            states.append(space.build_network(space.example(), dataset).state_dict())
        assert states[0].keys() == states[1].keys()
        assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])

    def test_stages_are_there_if_promised(self) -> None:
        """A space that provides ``stages`` builds networks whose ``forward_stages`` returns feature maps."""
        space = self.make_space()
        dataset = installed_plugins().dataset(space.info.datasets[0]).info
        network = space.build_network(space.example(), dataset)
        has_stages = hasattr(network, "forward_stages")
        assert has_stages or "stages" not in space.info.provides
        if has_stages:
            stages = getattr(network, "forward_stages")(torch.zeros(2, *dataset.image_shape))  # noqa: B009
            assert all(stage.ndim == 4 for stage in stages)

    def test_mutants_are_architectures(self) -> None:
        """A mutant can be mutated again and is an architecture; the same generator gives the same mutants."""
        space = self.make_space()
        if type(space)._mutate is SearchSpace._mutate:
            return
        chains = []
        for _ in range(2):
            rng = np.random.default_rng(3)
            chain = [space.example()]
            for _ in range(20):
                chain.append(space.mutate(chain[-1], rng))
            chains.append(chain)
        assert chains[0] == chains[1]
        assert len({space.canonicalize(text) for text in chains[0]}) > 1

    def test_neighbours_are_architectures(self) -> None:
        """Listed neighbours are architectures, always the same, each once."""
        space = self.make_space()
        listed = space.neighbours(space.example())
        if listed is None:
            return
        assert listed == space.neighbours(space.example())
        assert len(set(listed)) == len(listed)
        assert all(space.canonicalize(text) for text in listed)

    def test_every_combination_of_choices_is_an_architecture(self) -> None:
        """``assemble`` spells an architecture for whatever options; not all are the same one."""
        space, rng = self.make_space(), np.random.default_rng(0)
        choices = space.choices()
        if choices is None:
            return
        drawn = [[int(rng.integers(len(options))) for options in choices] for _ in range(20)]
        assert len({space.canonicalize(space.assemble(options)) for options in drawn}) > 1

    def test_cells_can_be_drawn(self) -> None:
        """Where there are pictures, there is one of every architecture; the same architecture looks the same."""
        from ..pictures.cell_layout import lay_out

        space = self.make_space()
        if space.cell_graphs(space.example()) is None:
            return
        for arch_id in self.draw():
            graphs = space.cell_graphs(arch_id)
            assert graphs
            assert graphs == space.cell_graphs(arch_id)
            assert all(lay_out(graph).width > 0 for graph in graphs)

    def test_ground_truth_is_there_if_promised(self) -> None:
        """A space with ``ground_truth`` has a finite value of the default metric for each sampled architecture.

        Other metrics may not have been measured everywhere, and a table that users must import may be missing.
        """
        space, sample = self.make_space(), self.draw()
        table = space.ground_truth()
        if table is None:
            assert "ground_truth" not in space.info.provides or space.info.requires is not None
            return
        assert "ground_truth" in space.info.provides
        assert all(math.isfinite(value) for value in table.values(table.metrics[0], sample))
        for metric in table.metrics:
            assert not any(math.isinf(value) for value in table.values(metric, sample))
            assert all(math.isnan(value) for value in table.values(metric, ["no architecture"]))


class EvaluatorContract:
    """What an evaluator promises.

    Attributes:
        evaluator: Name of the evaluator.
        space: Name of a search space that it supports.
        settings: Settings to test it with, as texts.
        samples: Number of architectures to try.
        gpu_tolerance: Relative difference that a GPU's other order of summation may make.
    """

    gpu_tolerance: ClassVar[float] = 1e-2
    evaluator: ClassVar[str]
    space: ClassVar[str]
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

    def make_runner(self) -> JobRunner:
        """Return a fresh runner on the CPU, with the first of the space's image sets that is at hand."""
        space = installed_plugins().search_space(self.space).info.create()
        dataset = _images_at_hand(space.info)
        return JobRunner(space, dataset, dataset.create(), torch.device("cpu"))

    def draw(self) -> list[str]:
        """Return a sample of the space."""
        return self.make_runner().space.sample(self.samples, np.random.default_rng(0))

    def test_space_is_supported(self) -> None:
        """The evaluator does not refuse the space it is tested on."""
        plugins = installed_plugins()
        evaluator, space = plugins.evaluator(self.evaluator).info, plugins.search_space(self.space).info
        assert evaluator.reason_unsupported(space, _images_at_hand(space)) is None

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
        job = (type(self).evaluator, type(self).space, dict(self.settings), arch_ids)
        there = _other_process().submit(_run_there, *job).result()
        for first, second in zip(here, there, strict=True):
            assert (first.status, first.message, first.curves) == (second.status, second.message, second.curves)
            assert first.score == second.score or math.isnan(first.score)

    def test_images_are_recorded(self) -> None:
        """Every batch has a digest, and a size that the settings give: as many images, or a multiple of them."""
        info = installed_plugins().evaluator(self.evaluator).info
        batch_size = parse_settings(self.evaluator, info.settings, self.settings).effective().get("batch_size")
        for record in self.run(self.draw()):
            for description, digest in record.batches.items():
                assert re.fullmatch(r"[0-9a-f]{16}", digest)
                count = re.match(r"(\d+) images", description)
                assert description.startswith("all ") or (count and batch_size and int(count[1]) % batch_size == 0)

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


def _images_at_hand(space: SearchSpaceInfo) -> DatasetInfo:
    infos = [installed_plugins().dataset(name).info for name in space.datasets]
    return next(info for info in infos if info.requires is None or stored_folder(info.requires) is not None)


@functools.cache
def _other_process() -> ProcessPoolExecutor:
    """Return a process that serves all contracts: starting one takes seconds."""
    return ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))


def _run_there(evaluator: str, space: str, settings: dict[str, str], arch_ids: list[str]) -> list[Record]:
    torch.set_num_threads(1)
    contract = type("Contract", (EvaluatorContract,), {"evaluator": evaluator, "space": space, "settings": settings})
    records: list[Record] = contract().run(arch_ids)
    return records


class SearchStrategyContract:
    """What a search strategy promises.

    Attributes:
        strategy: Name of the search strategy.
        space: Name of a search space that it supports.
        settings: Settings to test it with, as texts.
        proposals: Number of architectures to ask for.
    """

    strategy: ClassVar[str]
    space: ClassVar[str]
    settings: ClassVar[dict[str, str]] = {}
    proposals: ClassVar[int] = 12

    def create(self, seed: int) -> SearchStrategy[Any]:
        """Make the strategy at its beginning."""
        plugins = installed_plugins()
        info = plugins.search_strategy(self.strategy).info
        space = plugins.search_space(self.space).info.create()
        return info.create(space, parse_settings(self.strategy, info.settings, self.settings), seed)

    def propose(self, seed: int, parallel: int) -> list[str]:
        """Search as the engine does, with up to ``parallel`` proposals that wait for their fitness.

        The fitness of an architecture is the length of its canonical string; every fourth proposal has none. Fidelity
        makes no difference, but has to be one of the strategy's.
        """
        strategy = self.create(seed)
        space = strategy.space
        proposed: list[str] = []
        told = 0
        while len(proposed) < self.proposals:
            room = parallel - (len(proposed) - told)
            asked = strategy.ask(room)
            assert len(asked) <= room
            for proposal in asked:
                if isinstance(proposal, PartialEvaluation):
                    assert 0 <= proposal.rung < len(strategy.fidelities)
                proposed.append(proposal.architecture if isinstance(proposal, PartialEvaluation) else proposal)
            if told == len(proposed):
                break
            fitness = float(len(space.canonicalize(proposed[told])))
            strategy.tell_objectives(proposed[told], None if told % 4 == 3 else [fitness])
            told += 1
        return proposed

    def test_proposals_are_architectures(self) -> None:
        """There are proposals, and every one is an architecture of the space, in any spelling."""
        space = installed_plugins().search_space(self.space).info.create()
        for parallel in (1, 3):
            proposed = self.propose(0, parallel)
            assert proposed
            for text in proposed:
                space.canonicalize(text)

    def test_fidelities_ascend_to_a_full_evaluation(self) -> None:
        """They are shares of a full evaluation, all different."""
        fidelities = self.create(0).fidelities
        assert list(fidelities) == sorted(set(fidelities))
        assert fidelities[0] > 0
        assert fidelities[-1] == 1.0

    def test_proposals_depend_on_seed_and_answers_only(self) -> None:
        """The same seed and the same answers give the same proposals; another seed gives others."""
        for parallel in (1, 3):
            np.random.seed(0)
            first = self.propose(1, parallel)
            np.random.seed(1)
            assert self.propose(1, parallel) == first
            assert self.propose(2, parallel) != first


class DatasetContract:
    """What a data set promises.

    Attributes:
        dataset: Name of the data set.
    """

    dataset: ClassVar[str]

    def test_images_and_labels_are_what_the_description_says(self) -> None:
        """Shape, type, range, labels, mean and standard deviation agree with the description."""
        info = installed_plugins().dataset(self.dataset).info
        dataset = info.create()
        labels = dataset.labels()
        assert labels.dtype == np.int64
        assert set(labels.tolist()) == set(range(info.num_classes))
        images = dataset.images(_spread_positions(len(labels)))
        assert images.shape == (min(len(labels), MOST_IMAGES), *info.image_shape)
        assert images.dtype == np.float32
        assert images.min() >= 0.0
        assert images.max() <= 1.0
        np.testing.assert_allclose(images.mean(axis=(0, 2, 3)), info.mean, atol=0.02)
        np.testing.assert_allclose(images.std(axis=(0, 2, 3)), info.std, atol=0.02)

    def test_images_depend_on_their_position_only(self) -> None:
        """Another instance, asked for images in another order and by ones, gives the same bits."""
        info = installed_plugins().dataset(self.dataset).info
        first, second = info.create(), info.create()
        assert np.array_equal(first.labels(), second.labels())
        positions = _spread_positions(len(first.labels()))[:16]
        images = first.images(positions)
        assert np.array_equal(images[::-1], second.images(positions[::-1]))
        assert all(np.array_equal(images[i : i + 1], second.images(positions[i : i + 1])) for i in range(len(images)))


def _spread_positions(count: int) -> npt.NDArray[np.int64]:
    """Return at most :data:`MOST_IMAGES` positions, evenly spread over ``count`` images."""
    return np.linspace(0, count - 1, min(count, MOST_IMAGES)).astype(np.int64)
