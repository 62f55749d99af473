"""Inputs of a third party, which no evaluator knows: recordings, of one dimension."""

import numpy as np
import pytest
import torch
from nasbench_toolkit import Dataset, DatasetInfo, Inputs, Labels, Network, SearchSpace, SearchSpaceInfo
from nasbench_toolkit.core.batches import batch_digest
from nasbench_toolkit.core.errors import DegenerateError, UnsupportedSearchSpaceError
from nasbench_toolkit.core.planning.evaluators import EvaluatorFactory
from nasbench_toolkit.core.plugin_manager import installed_plugins
from nasbench_toolkit.core.settings import parse_settings
from nasbench_toolkit.testing import make_context
from torch import nn
from torch.nn import functional


class Recordings(Inputs):
    """Recordings of speech."""


class Tones(Dataset):
    def labels(self):
        return np.arange(100, dtype=np.int64) % 2

    def inputs(self, positions):
        times = np.arange(160, dtype=np.float32) * (1 + self.labels()[positions, None])
        return np.sin(times / 20 + positions[:, None])[:, None].astype(np.float32)


TONES = DatasetInfo(
    name="tones", summary="Tones.", source="the tests", factory=Tones, provides=frozenset({Recordings, Labels}),
    input_shape=(1, 160), unit="recordings", num_classes=2, mean=(0.25,), std=(0.5,),
)  # fmt: skip


class Filters(SearchSpace):
    size = 9

    def canonicalize(self, text):
        return text

    def _sample(self, count, rng):
        return [str(width + 1) for width in range(count)]

    def _build_network(self, arch_id, dataset, variant):
        convolution = nn.Conv1d(dataset.input_shape[0], int(arch_id), 5)
        return nn.Sequential(
            convolution, nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(int(arch_id), dataset.num_classes)
        )


INFO = SearchSpaceInfo(
    name="filters", summary="Filters.", source="the tests", factory=Filters, datasets=("tones",),
    takes=frozenset({Recordings}), provides=frozenset({Network}),
)  # fmt: skip
TAKING_ANY = ["params", "l2_norm", "synflow", "grad_norm", "snip", "plain", "grasp", "zico", "jacob_cov"]


def context_of(arch_id: str = "6"):
    return make_context(Filters(INFO), arch_id, dataset=TONES)


def score(name: str) -> float:
    info = installed_plugins().evaluator(name).info
    batch = {} if name in ("params", "l2_norm", "synflow") else {"batch_size": "16"}
    return info.create(parse_settings(name, info.settings, batch)).evaluate(context_of()).score


def gradients() -> list[tuple[torch.Tensor, torch.Tensor]]:
    context = context_of()
    network, batch = context.network(), context.batch(16)
    functional.cross_entropy(network(batch.inputs), batch.labels).backward()
    return [(layer.weight.detach(), layer.weight.grad) for layer in (network[0], network[4])]


@pytest.mark.parametrize("name", TAKING_ANY)
def test_evaluators_that_take_any_inputs_score_them(name: str) -> None:
    assert installed_plugins().evaluator(name).info.reason_unsupported(INFO, TONES) is None
    assert np.isfinite(score(name))


def test_scores_are_those_of_the_definitions() -> None:
    assert score("params") == 6 * 5 + 6 + 6 * 2 + 2
    assert score("grad_norm") == pytest.approx(sum(float(gradient.norm()) for _, gradient in gradients()))
    assert score("snip") == pytest.approx(
        sum(float((weight * gradient).abs().sum()) for weight, gradient in gradients())
    )


def test_batches_are_normalised_and_called_what_they_are() -> None:
    context = context_of()
    batch = context.batch(16)
    tones = torch.from_numpy((Tones().inputs(np.arange(100)) - np.float32(0.25)) / np.float32(0.5))
    assert sum(bool((batch.inputs == tone).all((1, 2)).any()) for tone in tones) == 16
    assert context.batches == {"16 recordings": batch_digest(batch)}


def test_messages_call_inputs_what_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Tones, "labels", lambda self: np.zeros(100, np.int64))
    with pytest.raises(DegenerateError, match="all 16 recordings of the batch have the same label"):
        score("snip")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("naswot", "it needs images, which the dataset 'tones' does not have"),
        ("gennas-combo", "it needs networks that return the feature maps of their stages, which this space does not "),
    ],
)
def test_others_say_what_they_need_before_anything_runs(name: str, reason: str) -> None:
    with pytest.raises(UnsupportedSearchSpaceError, match=reason):
        EvaluatorFactory(INFO, TONES, installed_plugins()).make(name)
