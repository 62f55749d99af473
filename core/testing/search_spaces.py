"""The contract of search spaces."""

from __future__ import annotations

import dataclasses
import math
from typing import ClassVar

import numpy as np
import torch

from ..capabilities import (
    BlockNetwork,
    GroundTruthTable,
    SequenceNetwork,
    StagedNetwork,
    Tokens,
    is_shown_by_networks,
    require,
)
from ..descriptions import NO_INPUTS, DatasetInfo
from ..interfaces import SearchSpace
from ..pictures.cell_layout import lay_out
from ..plugin_manager import installed_plugins
from .network_identity import assert_same_network, other_spellings

MOST_CLASSES = 1000
"""Of a large vocabulary networks are built for so many tokens. Ours."""


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
        """Return a sample, of the whole space if it has no more architectures."""
        space = self.make_space()
        count = self.samples if space.size is None else min(self.samples, space.size)
        return space.sample(count, np.random.default_rng(seed))

    def test_sample_is_a_function_of_the_generator(self) -> None:
        """The same seed gives the same sample; of more architectures than are drawn, another seed gives others."""
        assert self.draw(1) == self.draw(1)
        size = self.make_space().size
        assert self.draw(1) != self.draw(2) or (size is not None and size <= self.samples)

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

    def test_network_maps_inputs_to_logits_for_every_dataset_and_variant(self) -> None:
        """Networks take inputs of the data set's shape and return one finite logit for each class of each label."""
        space, generator = self.make_space(), torch.Generator().manual_seed(0)
        for info in self.datasets(space):
            if not info.has_inputs or not info.num_classes:
                continue
            dataset = dataclasses.replace(info, num_classes=min(info.num_classes, MOST_CLASSES))
            shape = (3, *dataset.input_shape)
            inputs = (
                torch.randint(dataset.num_classes, shape, generator=generator)
                if dataset.discrete
                else torch.randn(shape, generator=generator)
            )
            labels = shape if Tokens in dataset.provides else shape[:1]
            for variant in space.info.network_variants:
                logits = space.build_network(space.example(), dataset, variant)(inputs)
                assert logits.shape == (*labels, dataset.num_classes)
                assert bool(torch.isfinite(logits).all())

    def test_networks_are_what_the_space_provides(self) -> None:
        """The benchmark's network for some data set has the members of each capability that a network can show."""
        space = self.make_space()
        networks = [space.build_network(space.example(), dataset) for dataset in self.datasets(space)]
        for capability in filter(is_shown_by_networks, space.info.provides):
            if not any(isinstance(network, capability) for network in networks):
                require(networks[0], capability)

    def test_networks_map_sequences_if_promised(self) -> None:
        """A :class:`SequenceNetwork` maps sequences to finite ones of the same shape, in every variant."""
        space = self.make_space()
        if SequenceNetwork not in space.info.provides:
            return
        nothing = installed_plugins().dataset(NO_INPUTS).info
        for variant in space.info.network_variants:
            network = require(space.build_network(space.example(), nothing, variant), SequenceNetwork)
            inputs = torch.randn(5, 3, network.width, generator=torch.Generator().manual_seed(0))
            outputs = network(inputs)
            assert outputs.shape == inputs.shape
            assert bool(torch.isfinite(outputs).all())

    def datasets(self, space: SearchSpace) -> list[DatasetInfo]:
        """Return the data sets that the space names."""
        return [installed_plugins().dataset(name).info for name in space.info.datasets]

    def build_network(self, space: SearchSpace, variant: str = "benchmark") -> torch.nn.Module:
        """Return the network of the space's example for its first data set."""
        dataset = installed_plugins().dataset(space.info.datasets[0]).info
        return space.build_network(space.example(), dataset, variant)

    def test_initial_weights_follow_the_global_generator(self) -> None:
        """The same global seed gives the same weights, bit for bit."""
        space = self.make_space()
        states = []
        for _ in range(2):
            torch.manual_seed(7)
            states.append(self.build_network(space).state_dict())
        assert states[0].keys() == states[1].keys()
        assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])

    def test_stages_and_blocks_are_feature_maps(self) -> None:
        """What the networks of stages and blocks return has the shape ``(batch, channels, height, width)``."""
        space = self.make_space()
        images = torch.zeros(2, *installed_plugins().dataset(space.info.datasets[0]).info.input_shape)
        maps: list[torch.Tensor] = []
        if StagedNetwork in space.info.provides:
            maps += require(self.build_network(space), StagedNetwork).forward_stages(images)
        if BlockNetwork in space.info.provides:
            maps += require(self.build_network(space), BlockNetwork).forward_blocks(images)
        assert all(features.ndim == 4 and len(features) == 2 for features in maps)

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
        space = self.make_space()
        if space.cell_graphs(space.example()) is None:
            return
        for arch_id in self.draw():
            graphs = space.cell_graphs(arch_id)
            assert graphs
            assert graphs == space.cell_graphs(arch_id)
            assert all(lay_out(graph).width > 0 for graph in graphs)

    def test_ground_truth_is_there_if_promised(self) -> None:
        """A space with a table has a finite value of the default metric for each sampled architecture.

        Other metrics may not have been measured everywhere, and a table that users must import may be missing.
        """
        space, sample = self.make_space(), self.draw()
        table = space.ground_truth()
        if table is None:
            assert GroundTruthTable not in space.info.provides or space.info.requires is not None
            return
        assert GroundTruthTable in space.info.provides
        assert all(math.isfinite(value) for value in table.values(table.metrics[0], sample))
        for metric in table.metrics:
            assert not any(math.isinf(value) for value in table.values(metric, sample))
            assert all(math.isnan(value) for value in table.values(metric, ["no architecture"]))
