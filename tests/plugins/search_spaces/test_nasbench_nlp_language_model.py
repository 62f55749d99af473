import csv
import gzip
from pathlib import Path

import pytest
import torch
from nasbench_toolkit.core.errors import UnsupportedSearchSpaceError
from nasbench_toolkit.core.planning.evaluators import EvaluatorFactory
from nasbench_toolkit.core.plugin_manager import installed_plugins
from nasbench_toolkit.plugins.evaluators.zero_cost.layer_sizes import count_params
from nasbench_toolkit.plugins.search_spaces.nasbench_nlp.language_model import LanguageModel
from nasbench_toolkit.plugins.search_spaces.nasbench_nlp.recipe import parse_recipe
from nasbench_toolkit.testing import make_context
from torch.nn import functional

from .test_nasbench_nlp_recipe import LSTM

TABLE = Path(__file__).parents[3] / "../shared/data/nasbench-nlp/nasbench-nlp.csv.gz"
WIKITEXT_WORDS = 33278
WORDS = 23
TOKENS = torch.arange(60).reshape(3, 20) * 7 % WORDS


def model(variant: str = "benchmark", words: int = WORDS) -> LanguageModel:
    torch.manual_seed(0)
    return LanguageModel(parse_recipe(LSTM), words, variant)


def test_model_is_embedding_layers_and_the_embedding_again() -> None:
    network = model().eval()
    vectors = functional.embedding(TOKENS, network.embedding.weight).transpose(0, 1)
    outputs = network.recurrent(vectors).transpose(0, 1)
    expected = outputs @ network.embedding.weight.T + network.bias
    torch.testing.assert_close(network(TOKENS), expected)
    assert network(TOKENS).shape == (3, 20, WORDS)


def test_initial_weights_are_the_benchmarks() -> None:
    network = model(words=500)
    assert float(network.embedding.weight.detach().abs().max()) == pytest.approx(0.1, rel=1e-3)
    assert float(network.embedding.weight.detach().std()) == pytest.approx(0.1 / 3**0.5, rel=0.01)
    assert not network.bias.any()


def test_reading_on_is_reading_at_once_without_dropouts() -> None:
    network = model().eval()
    whole = network.read(TOKENS)
    first = network.read(TOKENS[:, :12])
    second = network.read(TOKENS[:, 12:], first.states)
    torch.testing.assert_close(torch.cat([first.logits, second.logits], 1), whole.logits)
    torch.testing.assert_close(second.states[2][0], whole.outputs[-1])
    assert not any(state.requires_grad for layer in first.states for state in layer)


def test_outputs_are_told_before_and_behind_their_dropout() -> None:
    network = model().train()
    reading = network.read(TOKENS)
    dropped = reading.outputs == 0
    assert bool((dropped == dropped[:1]).all())
    assert float(dropped[0].float().mean()) == pytest.approx(0.4, abs=0.06)
    torch.testing.assert_close(reading.outputs[~dropped], reading.raw_outputs[~dropped] / 0.6)
    network.eval()
    reading = network.read(TOKENS)
    assert torch.equal(reading.outputs, reading.raw_outputs)


@pytest.mark.parametrize(("variant", "share"), [("benchmark", 0.1), ("wikitext-2", 0.0)])
def test_some_words_are_left_out_wherever_they_occur(variant: str, share: float) -> None:
    network = model(variant, words=4000).train()
    vectors = network._look_up(torch.arange(4000).repeat(2, 1))
    dropped = (vectors == 0).all(2)
    assert torch.equal(dropped[0], dropped[1])
    assert float(dropped.float().mean()) == pytest.approx(share, abs=0.02)


@pytest.mark.parametrize(("variant", "trained"), [("benchmark", False), ("wikitext-2", False), ("all-trained", True)])
def test_a_training_leaves_matrices_that_x_does_not_feed(variant: str, trained: bool) -> None:
    network = model(variant).train()
    network(TOKENS).square().sum().backward()
    assert all((weight.grad is not None) == trained for weight in network.recurrent.recurrent_weights())
    others = set(network.parameters()) - set(network.recurrent.recurrent_weights())
    assert all(parameter.grad is not None for parameter in others)
    # Eight matrices a layer, four of which x feeds, four biases; embedding and bias.
    assert len(others) == 3 * (4 + 4) + 2


def test_text_decides_the_dropouts_of_the_benchmarks_network() -> None:
    space = installed_plugins().search_space("nasbench-nlp").info.create()
    shares = {}
    for name in ("ptb", "wikitext-2", "alice"):
        built = space.build_network(LSTM, installed_plugins().dataset(name).info)
        shares[name] = (built.word_dropouts.words, built.word_dropouts.features, built.recurrent.dropouts.weights)
    assert shares == {"ptb": (0.1, 0.4, 0.5), "wikitext-2": (0.0, 0.4, 0.1), "alice": (0.1, 0.4, 0.5)}


def test_recurrent_gennas_gets_the_layers_alone_whatever_the_text() -> None:
    with_text, without = (make_context("nasbench-nlp", LSTM, dataset=name) for name in ("alice", "none"))
    assert type(with_text.network(bare=True)) is type(without.network())
    assert isinstance(with_text.network(), LanguageModel)


@pytest.mark.skipif(not TABLE.exists(), reason="reads NAS-Bench-NLP's table in ../shared/data")
def test_parameters_are_as_many_as_the_training_logs_say() -> None:
    with gzip.open(TABLE, "rt") as file:
        rows = list(csv.DictReader(file))
    finished = [row for row in rows if row["status"] == "OK"]
    counts = {row["architecture"]: int(row["num_parameters"]) for row in finished}
    assert len(finished) == 340
    with torch.device("meta"):
        for text, published in counts.items():
            network = LanguageModel(parse_recipe(text), WIKITEXT_WORDS, "wikitext-2")
            assert sum(parameter.numel() for parameter in network.parameters()) == published


def test_all_parameters_of_a_model_are_used_and_count() -> None:
    network = model()
    expected = sum(parameter.numel() for parameter in network.parameters())
    assert count_params(network, (20,), discrete=True) == expected


@pytest.mark.parametrize(
    ("evaluator", "message"),
    [
        (
            "grad_norm",
            "the dataset 'none' does not have. It does with --dataset ptb or wikitext-2 or alice or own-text.",
        ),
        (
            "naswot",
            "it needs images, which the dataset 'none' does not have. 'nasbench spaces nasbench-nlp' says which",
        ),
    ],
)
def test_without_a_text_evaluators_say_with_which_one_they_run(evaluator: str, message: str) -> None:
    plugins = installed_plugins()
    factory = EvaluatorFactory(plugins.search_space("nasbench-nlp").info, plugins.dataset("none").info, plugins)
    with pytest.raises(UnsupportedSearchSpaceError, match=message):
        factory.make(evaluator)
