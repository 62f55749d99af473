import numpy as np
import pytest
import torch
from nasbench_toolkit.core.errors import UnsupportedSearchSpaceError
from nasbench_toolkit.core.plugin_manager import installed_plugins
from nasbench_toolkit.core.seeding import derive_seed
from nasbench_toolkit.plugins.search_spaces.nasbench201.cell import OPERATIONS, parse_arch_str
from nasbench_toolkit.plugins.strategies.reinforce import Adam

STRATEGY = "reinforce"


@pytest.fixture
def nasbench201():
    return installed_plugins().search_space("nasbench201").info.create()


def convolutions(architecture):
    ops = parse_arch_str(architecture)
    return 10.0 * ops.count("nor_conv_3x3") + 3.0 * ops.count("nor_conv_1x1") + len(ops[0])


def with_autograd(space, fitness, steps, seed, learning_rate=0.01, momentum=0.9):
    """The same search with torch's softmax, autograd and Adam, and the moving average as its definition says."""
    rng = np.random.default_rng(derive_seed(STRATEGY, space.name, seed))
    logits = torch.tensor(1e-3 * rng.standard_normal(30).reshape(6, 5), requires_grad=True)
    optimizer = torch.optim.Adam([logits], lr=learning_rate)
    numerator = denominator = 0.0
    proposed = []
    for _ in range(steps):
        policy = torch.distributions.Categorical(torch.softmax(logits, dim=-1))
        options = torch.tensor([rng.choice(5, p=row) for row in policy.probs.detach().numpy()])
        proposed.append(space.assemble(options.tolist()))
        reward = fitness(proposed[-1])
        numerator = momentum * numerator + (1 - momentum) * reward
        denominator = momentum * denominator + (1 - momentum)
        loss = -(policy.log_prob(options) * (reward - numerator / denominator)).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return proposed


@pytest.mark.parametrize("settings", [{}, {"learning_rate": 0.1, "baseline_momentum": 0.5}])
def test_sequence_is_that_of_autograd_and_torchs_adam(nasbench201, make, search, settings):
    history = search(make(STRATEGY, nasbench201, 4, **settings), convolutions, 300)
    arguments = (settings.get("learning_rate", 0.01), settings.get("baseline_momentum", 0.9))
    assert [text for text, _ in history] == with_autograd(nasbench201, convolutions, 300, 4, *arguments)


def test_policy_learns_the_best_operation(nasbench201, make, search):
    history = search(make(STRATEGY, nasbench201, learning_rate=0.1), convolutions, 600)
    early, late = (np.mean([value for _, value in part]) for part in (history[:50], history[-50:]))
    assert late > early + 20
    assert parse_arch_str(history[-1][0]).count("nor_conv_3x3") >= 5


def test_architectures_without_a_score_and_equal_scores_teach_nothing(cube, make, search):
    # With equal scores the baseline is the score, exactly: also where rounding errors are large numbers.
    sequences = [
        [text for text, _ in search(make(STRATEGY, cube(8), learning_rate=1.0), fitness, 50)]
        for fitness in (lambda text: None, lambda text: 0.1, lambda text: 1.1e17)
    ]
    assert sequences[0] == sequences[1] == sequences[2]


def test_scale_of_the_scores_does_not_matter(cube, make, search):
    sequences = [
        [
            text
            for text, _ in search(
                make(STRATEGY, cube(8), learning_rate=0.1), lambda text, scale=scale: scale * text.count("1"), 200
            )
        ]
        for scale in (1.0, 2.0**40)
    ]
    assert sequences[0] == sequences[1]


def test_parallel_proposals_are_sampled_before_earlier_answers(nasbench201, make, search):
    histories = [search(make(STRATEGY, nasbench201, 1), convolutions, 200, parallel) for parallel in (1, 4, 4)]
    assert histories[1] == histories[2]
    assert histories[0] != histories[1]


def test_all_options_are_sampled_alike_at_first(nasbench201, make):
    ops = [op for text in make(STRATEGY, nasbench201).ask(1000) for op in parse_arch_str(text)]
    assert [ops.count(op) / len(ops) for op in OPERATIONS] == pytest.approx([0.2] * 5, abs=0.02)


@pytest.mark.parametrize("name", ["nasbench201-tiny", "nasbench101"])
def test_space_without_free_choices_is_refused(make, name):
    with pytest.raises(UnsupportedSearchSpaceError, match=f"'reinforce' cannot search '{name}'.*not every combination"):
        make(STRATEGY, installed_plugins().search_space(name).info.create())


def test_steps_of_adam_shrink_with_gradients_near_its_epsilon():
    # In the first step mean and root mean square are the gradient itself: the step is rate * g / (|g| + 1e-8).
    parameters = np.zeros(4)
    Adam(parameters, 0.5).ascend(np.array([1.0, -1e-6, 1e-8, 0.0]))
    assert parameters.tolist() == pytest.approx([0.5, -0.5 * 100 / 101, 0.25, 0.0], rel=1e-6)
