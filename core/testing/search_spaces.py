"""The contract of search spaces."""

from __future__ import annotations

import dataclasses
import hashlib
import math
from typing import Any, ClassVar

import numpy as np
import torch

from ..capabilities import (
    BlockNetwork,
    GroundTruthTable,
    Network,
    SequenceNetwork,
    StagedNetwork,
    Supernets,
    Tokens,
    is_shown_by_networks,
    require,
)
from ..descriptions import NO_INPUTS, DatasetInfo
from ..errors import InvalidArchitectureError
from ..interfaces import SearchSpace
from ..pictures.cell_layout import lay_out
from ..plugin_manager import installed_plugins
from ..supernets import SinglePath, SupernetNorm
from .network_identity import assert_same_network, other_spellings, smallest_dataset
from .other_process import in_other_process

MOST_CLASSES = 1000
"""Of a large vocabulary networks are built for so many tokens. Ours."""

NO_ARCHITECTURE = "no architecture"


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

    def test_many_architectures_have_the_canonical_strings_of_each(self) -> None:
        """``canonicalize_many`` returns what ``canonicalize`` does, of canonical strings and of other spellings."""
        space, texts = self.make_space(), [*self.draw(), *self.spellings()]
        pairs = zip(map(space.canonicalize, texts), space.canonicalize_many(texts), strict=True)
        for text, (one, of_many) in zip(texts, pairs, strict=True):
            assert one == of_many, f"'{text}' is '{one}' alone and '{of_many}' among many"

    def test_what_is_no_architecture_is_refused(self) -> None:
        """Whatever users write is an architecture or an InvalidArchitectureError."""
        space, example = self.make_space(), self.make_space().example()
        texts = (NO_ARCHITECTURE, "", " ", "\u00e9\n", example + example, example[:-1], example[1:])
        taken = [text for text in texts if _is_architecture(space, text)]
        assert NO_ARCHITECTURE not in taken, f"'{NO_ARCHITECTURE}' is taken for an architecture"

    def spellings(self) -> list[str]:
        """Return texts that are not canonical; a space that has others than mutants and neighbours overrides this."""
        return other_spellings(self.make_space(), self.samples)

    def test_canonical_string_is_the_same_network(self) -> None:
        """The network of a canonical string computes what that of any spelling does, with as many live parameters."""
        space = self.make_space()
        for text in self.spellings() if self.has_networks(space) else ():
            assert_same_network(space, text, space.canonicalize(text), self.compared_network)

    def test_network_maps_inputs_to_logits_for_every_dataset_and_variant(self) -> None:
        """Networks take inputs of the data set's shape and return one finite logit for each class of each label."""
        space = self.make_space()
        for info in self.datasets(space) if self.has_networks(space) else ():
            for variant in space.info.network_variants:
                _check_logits(space, space.example(), info, variant)

    def test_every_sampled_architecture_has_networks_of_its_own(self) -> None:
        """A network can be built of each architecture, each time another one: evaluators change theirs."""
        space = self.make_space()
        for arch_id in self.draw() if self.has_networks(space) else ():
            dataset = smallest_dataset(space)
            _check_logits(space, arch_id, dataset, self.compared_network)
            first, second = (space.build_network(arch_id, dataset, self.compared_network) for _ in range(2))
            shared = {id(parameter) for parameter in first.parameters()} & {id(other) for other in second.parameters()}
            assert first is not second and not shared, f"networks of '{arch_id}' share parameters"

    def test_networks_are_what_the_space_provides(self) -> None:
        """The benchmark's network for some data set has the members of each capability that a network can show."""
        space = self.make_space()
        if not self.has_networks(space):
            return
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

    def test_paths_of_the_supernet_are_the_stand_alone_networks(self) -> None:
        """With :class:`Supernets`: a path returns the very logits of its own network, in both modes, for every norm."""
        space = self.make_space()
        if Supernets not in space.info.provides:
            return
        dataset = installed_plugins().dataset(space.info.datasets[0]).info
        images = torch.randn(3, *dataset.input_shape, generator=torch.Generator().manual_seed(0))
        for norm in (SupernetNorm(), SupernetNorm(tracked=True, plain_last=True)):
            supernet = space.build_supernet(dataset, norm)
            for arch_id in self.draw()[:2]:
                choice = supernet.choice_of(arch_id)
                assert space.canonicalize(supernet.spell(choice)) == arch_id
                network = supernet.path_network(choice)
                for training in (False, True):
                    supernet.train(training)
                    network.train(training)
                    assert torch.equal(supernet(images, SinglePath(choice)), network(images))

    def has_networks(self, space: SearchSpace) -> bool:
        """Return whether the space is more than a table."""
        return Network in space.info.provides

    def datasets(self, space: SearchSpace) -> list[DatasetInfo]:
        """Return the data sets that the space names."""
        return [installed_plugins().dataset(name).info for name in space.info.datasets]

    def build_network(self, space: SearchSpace, variant: str = "benchmark") -> torch.nn.Module:
        """Return the network of the space's example for its first data set."""
        dataset = installed_plugins().dataset(space.info.datasets[0]).info
        return space.build_network(space.example(), dataset, variant)

    def test_initial_weights_follow_the_global_generator(self) -> None:
        """The same global seed gives the same weights, bit for bit; another one gives others."""
        space = self.make_space()
        if not self.has_networks(space):
            return
        first, again, other = map(self._initial_weights, (7, 7, 8))
        assert first.keys() == again.keys()
        assert all(torch.equal(first[name], again[name]) for name in first)
        drawn = [name for name, weights in first.items() if len(set(weights.flatten()[:9].tolist())) > 1]
        assert not drawn or any(not torch.equal(first[name], other[name]) for name in drawn), "seeds are ignored"

    def _initial_weights(self, seed: int) -> dict[str, torch.Tensor]:
        """Return the parameters and buffers of the example's network."""
        torch.manual_seed(seed)
        return self.build_network(self.make_space()).state_dict()

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
        assert space.example() not in listed, "an architecture is its own neighbour"

    def test_space_is_the_same_in_another_process(self) -> None:
        """Samples, neighbours and initial weights are the same there: none follows the order of a set of texts."""
        assert in_other_process(_traits, self.space, self.samples) == _traits(self.space, self.samples)

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
            assert all(math.isnan(value) for value in table.values(metric, [NO_ARCHITECTURE]))


def _is_architecture(space: SearchSpace, text: str) -> bool:
    try:
        return bool(space.canonicalize(text))
    except InvalidArchitectureError:
        return False


def _check_logits(space: SearchSpace, arch_id: str, info: DatasetInfo, variant: str) -> None:
    if not info.has_inputs or not info.num_classes:
        return
    dataset = dataclasses.replace(info, num_classes=min(info.num_classes, MOST_CLASSES))
    shape = (3, *dataset.input_shape)
    generator = torch.Generator().manual_seed(0)
    inputs = (
        torch.randint(dataset.num_classes, shape, generator=generator)
        if dataset.discrete
        else torch.randn(shape, generator=generator)
    )
    labels = shape if Tokens in dataset.provides else shape[:1]
    logits = space.build_network(arch_id, dataset, variant)(inputs)
    assert logits.shape == (*labels, dataset.num_classes)
    assert bool(torch.isfinite(logits).all())


def _traits(name: str, samples: int) -> tuple[Any, ...]:
    """Return what runs and searches that go on elsewhere find again.

    Of the space alone: what a contract overrides is not known in another process.
    """
    contract = type("Contract", (SearchSpaceContract,), {"space": name, "samples": samples})()
    space = contract.make_space()
    weights = contract._initial_weights(7) if contract.has_networks(space) else {}
    digests = {key: _digest(values) for key, values in weights.items()}
    return contract.draw(1), space.neighbours(space.example()), space.choices(), digests


def _digest(values: torch.Tensor) -> str:
    """Return a text that is the same for the same bits: sums depend on threads, and NaN is not equal to itself."""
    content = values.detach().cpu().contiguous().flatten().view(torch.uint8).numpy()
    return hashlib.sha256(content.tobytes()).hexdigest()
