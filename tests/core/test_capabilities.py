import dataclasses
import re
from typing import Protocol, runtime_checkable

import pytest
import torch
from nasbench_toolkit import (
    BlockNetwork,
    DatasetInfo,
    Direction,
    EvaluatorInfo,
    GroundTruthTable,
    Images,
    Inputs,
    Labels,
    Network,
    SearchSpaceInfo,
    SequenceNetwork,
    StagedNetwork,
    Tokens,
    require,
)
from nasbench_toolkit.core.capabilities import capability_names, is_shown_by_networks
from nasbench_toolkit.core.errors import EvaluationError, PluginError
from nasbench_toolkit.core.plugin_manager import installed_plugins
from torch import nn


@runtime_checkable
class SpikingNetwork(Protocol):
    """Networks that count their spikes."""

    def count_spikes(self, images: torch.Tensor) -> int: ...


class Spiking(nn.Module):
    def count_spikes(self, images):
        return len(images)


class Unspoken: ...


class Unchecked(Protocol):
    """Networks that cannot be asked."""

    def ask(self) -> None: ...


def space(**fields: object) -> SearchSpaceInfo:
    return SearchSpaceInfo(name="s", summary="S.", source="here", factory=len, datasets=("mnist",), **fields)


def evaluator(*needs: type) -> EvaluatorInfo:
    return EvaluatorInfo(
        name="e", summary="E.", source="here", factory=len, direction=Direction.MAXIMIZE, needs=frozenset(needs)
    )


def test_third_party_capability_is_shared_by_its_class() -> None:
    mnist = installed_plugins().dataset("mnist").info
    needy = evaluator(SpikingNetwork, Images)
    assert needy.reason_unsupported(space(provides=frozenset({SpikingNetwork})), mnist) is None
    assert needy.reason_unsupported(space(), mnist) == (
        "it needs networks that count their spikes, which this space does not provide"
    )


def test_missing_capabilities_are_named_in_words() -> None:
    mnist = installed_plugins().dataset("mnist").info
    reason = evaluator(StagedNetwork, GroundTruthTable).reason_unsupported(space(), mnist)
    assert reason == (
        "it needs a table of trained performance and networks that return the feature maps of their stages, which this "
        "space does not provide"
    )


class Recordings(Inputs):
    """Recordings of speech."""


def recordings(*further: type) -> DatasetInfo:
    return DatasetInfo(
        name="speech", summary="S.", source="here", factory=len, provides=frozenset({Recordings, *further}),
        input_shape=(1, 160), mean=(), std=(),
    )  # fmt: skip


def test_who_takes_inputs_takes_those_of_third_parties() -> None:
    assert evaluator(Inputs).reason_unsupported(space(), recordings()) is None
    assert evaluator(Inputs, Labels).reason_unsupported(space(), recordings(Labels)) is None


def test_what_the_dataset_lacks_is_said_of_it() -> None:
    reason = evaluator(StagedNetwork, Images, Labels).reason_unsupported(space(), recordings())
    assert reason == (
        "it needs networks that return the feature maps of their stages, which this space does not provide, and images "
        "and labels, which the dataset 'speech' does not have"
    )
    nothing = installed_plugins().dataset("none").info
    assert evaluator(Inputs).reason_unsupported(space(), nothing) == (
        "it needs batches of inputs, which the dataset 'none' does not have"
    )


def test_what_data_sets_and_spaces_provide_is_not_mixed_up() -> None:
    with pytest.raises(PluginError, match="provides Images, which its data sets do: leave that out"):
        space(provides=frozenset({Network, Images}))
    with pytest.raises(PluginError, match="provides StagedNetwork, which data sets do not have: derive what"):
        recordings(StagedNetwork).check()


def test_tokens_are_whole_numbers_and_images_are_not() -> None:
    with pytest.raises(PluginError, match="'discrete=False': tokens are whole numbers, images are not"):
        recordings(Tokens).check()
    with pytest.raises(PluginError, match="'discrete=True': tokens are whole numbers, images are not"):
        dataclasses.replace(installed_plugins().dataset("mnist").info, discrete=True).check()


def test_listings_show_names() -> None:
    everything = [BlockNetwork, GroundTruthTable, Images, Labels, Network, SequenceNetwork, StagedNetwork]
    assert capability_names(everything) == [
        "block network", "ground truth table", "images", "labels", "network", "sequence network", "staged network",
    ]  # fmt: skip


def test_require_returns_the_network() -> None:
    network = Spiking()
    assert require(network, SpikingNetwork) is network


def test_require_says_in_words_what_is_missing() -> None:
    message = (
        "it needs networks that return the feature maps of their stages (StagedNetwork), and this one, of the class "
        "'Spiking', is not among them"
    )
    with pytest.raises(EvaluationError, match=re.escape(message)):
        require(Spiking(), StagedNetwork)


def test_protocols_are_shown_by_networks_and_facts_are_not() -> None:
    assert is_shown_by_networks(SpikingNetwork)
    assert not is_shown_by_networks(Labels)


@pytest.mark.parametrize(
    ("capability", "problem"),
    [
        ("stages", "'stages', which is no class: name one such as StagedNetwork, or write your own"),
        (Unspoken, "Unspoken, which has no docstring: its first sentence is what users read"),
        (Unchecked, "Unchecked, a protocol that is not marked with @runtime_checkable"),
    ],
)
def test_what_is_no_capability_is_refused(capability, problem) -> None:
    with pytest.raises(PluginError, match=f"In 'provides' of the search space 's' is {problem}"):
        space(provides=frozenset({capability}))
    with pytest.raises(PluginError, match=f"In 'needs' of the evaluator 'e' is {problem}"):
        evaluator(capability)
