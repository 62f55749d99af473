"""The plain definitions are right: in double precision their scores are those of the evaluators to 9 digits."""

import pytest
import torch
from nasbench_toolkit.benchmarks import plain_recurrent_gennas
from nasbench_toolkit.benchmarks.plain_gennas import plain_score
from nasbench_toolkit.benchmarks.plain_recurrent_gennas import plain_recurrent_score
from nasbench_toolkit.core.batches import Batch
from nasbench_toolkit.core.context import EvaluationContext, WorkerCache
from nasbench_toolkit.core.domain import JobKey
from nasbench_toolkit.core.plugin_manager import installed_plugins
from nasbench_toolkit.core.seeding import derive_seed, seeded_global_rng
from nasbench_toolkit.core.settings import parse_settings
from nasbench_toolkit.plugins.search_spaces.nasbench_nlp.network import draw_large_mask, draw_mask

CELL = "|nor_conv_3x3~0|+|skip_connect~0|nor_conv_1x1~1|+|none~0|none~1|nor_conv_3x3~2|"


class DoubleContext(EvaluationContext):
    """A job in double precision, in which rounding does not grow to what counts while a network trains."""

    def network(self, variant="benchmark", **options):
        return super().network(variant, **options).double()

    def batch(self, size, **options):
        batch = super().batch(size, **options)
        return Batch(batch.inputs.double(), batch.labels)

    def shared(self, what, compute):
        return [tensor.double() for tensor in super().shared(what, compute)]


@pytest.fixture(autouse=True)
def double_precision_on_one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)
    torch.set_num_threads(threads)


def both_scores(plain, space, evaluator, iterations, arch_id=None):
    plugins = installed_plugins()
    made, dataset = plugins.search_space(space).info.create(), plugins.dataset("photos").info
    arch_id = made.canonicalize(arch_id or made.example())
    key = JobKey(space, dataset.name, arch_id, evaluator, "", 5)
    info = plugins.evaluator(evaluator).info
    scorer = info.create(parse_settings(evaluator, info.settings, {"iterations": str(iterations)}))

    def context():
        return DoubleContext(key, made, dataset, dataset.create(), torch.device("cpu"), WorkerCache({}))

    scores = []
    for score in (lambda: plain(context(), iterations), lambda: scorer.evaluate(context()).score):
        with seeded_global_rng(derive_seed("global", *key.own_seed_parts)):
            scores.append(score())
    return scores


# The first steps of large networks, whose losses are in the thousands, multiply rounding by a hundred each.
@pytest.mark.parametrize(
    ("space", "iterations", "arch_id"),
    [("nasbench201-tiny", 6, CELL), ("nasbench101", 2, None)],
)
def test_plain_score_is_that_of_the_evaluator(space, iterations, arch_id) -> None:
    plain, ours = both_scores(plain_score, space, "gennas-combo", iterations, arch_id)
    assert plain == pytest.approx(ours, rel=1e-9)


def test_plain_recurrent_score_is_that_of_the_evaluator(monkeypatch) -> None:
    """With the same masks, which the evaluator makes of fewer random bits."""
    monkeypatch.setattr(
        plain_recurrent_gennas,
        "_mask",
        lambda shape, share: (draw_large_mask if len(shape) == 2 else draw_mask)(
            torch.Size(shape), share, torch.float64, torch.device("cpu")
        ),
    )
    plain, ours = both_scores(plain_recurrent_score, "nasbench-nlp", "gennas-rnn-combo", 2)
    assert plain == pytest.approx(ours, rel=1e-9)
