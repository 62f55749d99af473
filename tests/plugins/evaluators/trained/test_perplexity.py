import math

import pytest
import torch
from nasbench_toolkit.core.batches import Batch
from nasbench_toolkit.core.domain import Evaluation
from nasbench_toolkit.core.errors import DivergedError, EvaluationError, UnsupportedSearchSpaceError
from nasbench_toolkit.core.planning.evaluators import EvaluatorFactory
from nasbench_toolkit.core.plugin_manager import installed_plugins
from nasbench_toolkit.core.seeding import seeded_global_rng, torch_generator
from nasbench_toolkit.core.settings import parse_settings
from nasbench_toolkit.plugins.evaluators.trained.perplexity import LanguageTraining, running_text, side_by_side
from nasbench_toolkit.plugins.evaluators.trained.settings import LanguageTrainingSettings
from nasbench_toolkit.testing import make_context
from torch import nn
from torch.nn import functional

RECURRENT = '{"f":{"op":"linear","input":["x","h_prev_0"]},"h_new_0":{"op":"activation_tanh","input":["f"]}}'
REDUCED = {"train_tokens": "1200", "test_tokens": "900"}
INFO = installed_plugins().evaluator("ppl").info


def evaluate(seed: int = 0, **settings: str) -> Evaluation:
    made = INFO.create(parse_settings("ppl", INFO.settings, REDUCED | settings))
    context = make_context("nasbench-nlp", RECURRENT, dataset="alice", evaluator="ppl", seed=seed)
    with seeded_global_rng(1):
        return made.evaluate(context)


def plain_training(epochs: int, seed_of_lengths: int) -> list[float]:
    """The released code's loop, time first as there, on the same draws."""
    context = make_context("nasbench-nlp", RECURRENT, dataset="alice", evaluator="ppl")
    network = context.network()
    train, test = (
        torch.cat([part.inputs.flatten(), part.labels[-1, -1:]])[:count]
        for part, count in ((context.training_part(), 1200), (context.held_out_part(), 900))
    )
    train, test = train.view(20, 60).t().contiguous(), test.view(50, 18).t().contiguous()
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimizer = torch.optim.Adam(trained, lr=1e-3, weight_decay=1.2e-6)
    lengths = torch_generator(seed_of_lengths)
    losses = []
    for _ in range(epochs):
        network.train()
        start, states = 0, None
        while start < train.size(0) - 1 - 1:
            mean = 70 if float(torch.rand((), generator=lengths)) < 0.95 else 35
            drawn = max(5, int(mean + 5 * float(torch.randn((), generator=lengths))))
            optimizer.param_groups[0]["lr"] = 1e-3 * drawn / 70
            length = min(drawn, len(train) - 1 - start)
            reading = network.read(train[start : start + length].t(), states)
            states = reading.states
            targets = train[start + 1 : start + 1 + length].reshape(-1)
            loss = functional.cross_entropy(reading.logits.transpose(0, 1).reshape(len(targets), -1), targets)
            loss = loss + 2 * reading.outputs.pow(2).mean()
            loss = loss + (reading.raw_outputs[1:] - reading.raw_outputs[:-1]).pow(2).mean()
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(trained, 0.25)
            optimizer.step()
            start += drawn
        network.eval()
        with torch.no_grad():
            logits = network.read(test[:-1].t()).logits.transpose(0, 1)
        losses.append(float(functional.cross_entropy(logits.reshape(-1, logits.shape[-1]), test[1:].reshape(-1))))
    return losses


def test_defaults_are_those_of_the_benchmark():
    assert LanguageTrainingSettings().effective() == {
        "epochs": 3, "batch_size": 20, "test_batch_size": 50, "length": 70, "learning_rate": 1e-3,
        "weight_decay": 1.2e-6, "clip": 0.25, "activation_penalty": 2.0, "change_penalty": 1.0, "train_tokens": None,
        "test_tokens": None,
    }  # fmt: skip


def test_training_is_the_released_one() -> None:
    context = make_context("nasbench-nlp", RECURRENT, dataset="alice", evaluator="ppl")
    seed = context.shared("seed of lengths", lambda generator: int(torch.randint(2**62, (), generator=generator)))
    with seeded_global_rng(1):
        expected = plain_training(2, seed)
    evaluation = evaluate(epochs="2")
    assert evaluation.curves["test_loss"] == pytest.approx(expected, rel=1e-5)
    assert evaluation.score == evaluation.curves["test_loss"][-1]
    # It begins to learn: a guess at random costs log 1338 nats.
    assert evaluation.score < expected[0] < math.log(1338)


def test_a_longer_training_begins_like_a_shorter_one() -> None:
    assert evaluate(epochs="1").curves["test_loss"] == evaluate(epochs="2").curves["test_loss"][:1]


def test_settings_change_the_training() -> None:
    changes = ({}, {"network": "all-trained"}, {"activation_penalty": "0"}, {"change_penalty": "0"}, {"clip": "0.01"})
    short = {"epochs": "1", "train_tokens": "400", "test_tokens": "150"}
    assert len({evaluate(**short | change).score for change in changes}) == len(changes)


def test_states_are_handed_on_between_steps() -> None:
    """A network that repeats the first token of its part for ever is right about it only if it remembers."""

    class Memory(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.ones(()))
            self.seen: list[object] = []

        def read(self, tokens, states=None):
            from nasbench_toolkit import Reading

            self.seen.append(None if states is None else int(states))
            logits = functional.one_hot(tokens, 5).float() * self.scale
            return Reading(logits, logits, logits, len(self.seen))

    network = Memory()
    settings = LanguageTrainingSettings(epochs=1, length=10)
    text = side_by_side(torch.arange(300) % 5, 3, "train")
    training = LanguageTraining(network, train=text, test=text, settings=settings, lengths=torch_generator(0))
    steps = len(list(LanguageTraining(Memory(), train=text, test=text, settings=settings,
                                      lengths=torch_generator(0))._steps()))  # fmt: skip
    training.run()
    assert network.seen[:steps] == [None, *range(1, steps)]
    assert network.seen[steps:] == [None, *range(steps + 1, len(network.seen))]
    assert len(network.seen) - steps == math.ceil(99 / 10)


def test_lengths_of_steps_are_drawn_as_in_the_released_code() -> None:
    text = torch.zeros(1, 200_000, dtype=torch.int64)
    training = LanguageTraining(
        make_context("nasbench-nlp", RECURRENT, dataset="alice").network(), train=text, test=text,
        settings=LanguageTrainingSettings(), lengths=torch_generator(3),
    )  # fmt: skip
    lengths = torch.tensor([float(length) for _, length in training._steps()])
    full = lengths[lengths > 50]
    assert float((lengths <= 50).float().mean()) == pytest.approx(0.05, abs=0.015)
    # Rounded down: half a token less than 70.
    assert float(full.mean()) == pytest.approx(69.5, abs=0.4)
    assert float(full.std()) == pytest.approx(5, abs=0.3)


def test_running_text_is_put_together_and_cut() -> None:
    part = Batch(torch.tensor([[1, 2], [3, 4]]), torch.tensor([[2, 3], [4, 5]]))
    assert running_text(part, None).tolist() == [1, 2, 3, 4, 5]
    assert running_text(part, 3).tolist() == [1, 2, 3]
    assert side_by_side(torch.arange(11), 3, "train").tolist() == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    with pytest.raises(EvaluationError, match="the text to test on has 11 tokens, too few to read 4 parts of it"):
        side_by_side(torch.arange(11), 4, "test")


def test_a_loss_that_is_no_number_is_diverged() -> None:
    with pytest.raises(DivergedError, match="loss became nan in epoch 1"):
        evaluate(learning_rate="1e30", train_tokens="800")


def test_other_spaces_and_data_sets_are_refused() -> None:
    plugins = installed_plugins()
    nlp, images = plugins.search_space("nasbench-nlp").info, plugins.search_space("nasbench201-tiny").info
    with pytest.raises(
        UnsupportedSearchSpaceError, match="it needs labels and text as tokens, which the dataset 'none' does not"
    ):
        EvaluatorFactory(nlp, plugins.dataset("none").info, plugins).make("ppl@ep3")
    with pytest.raises(UnsupportedSearchSpaceError, match="it needs networks that read on in running text, which this"):
        EvaluatorFactory(images, plugins.dataset("mnist").info, plugins).make("ppl@ep3")
