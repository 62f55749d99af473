import pytest
import torch
from nasbench_toolkit import DataError, Evaluator, InvalidArchitectureError, Settings
from nasbench_toolkit.core.plugin_manager import installed_plugins
from nasbench_toolkit.testing import make_context


class Draws(Evaluator):
    def _evaluate(self, context):
        images = context.batch(4).inputs
        noise = torch.rand(1, generator=context.generator("noise"))
        return float((context.network()(images).sum() + noise).detach())


def test_make_context_serves_an_evaluator_that_is_not_installed(toy_plugins) -> None:
    evaluator = Draws(Settings())
    score = evaluator.evaluate(make_context("toy", "width-8")).score
    assert evaluator.evaluate(make_context("toy", "width-8")).score == score
    assert evaluator.evaluate(make_context("toy", "width-8", seed=1)).score != score
    assert evaluator.evaluate(make_context("toy", "width-8", evaluator="other")).score != score


def test_make_context_is_the_job_that_it_says(toy_plugins) -> None:
    context = make_context("toy", "width-08")
    assert (context.key.space, context.key.dataset, context.key.arch_id) == ("toy", "noise", "width-8")
    assert context.device == torch.device("cpu")


def test_make_context_takes_what_is_not_installed(toy_plugins) -> None:
    space = installed_plugins().search_space("toy").info.create()
    context = make_context(space, dataset="mnist")
    assert context.key.arch_id == space.example()
    assert context.batch(2).inputs.shape == (2, 1, 12, 12)


def test_make_context_takes_the_first_dataset_at_hand(toy_plugins) -> None:
    assert make_context("toy-imported").dataset.name == "noise"


def test_make_context_without_images_says_how_to_get_them(toy_plugins) -> None:
    space = installed_plugins().search_space("toy-imported").info
    object.__setattr__(space, "datasets", ("imported-noise",))
    with pytest.raises(DataError, match="There is no data set for the search space 'toy-imported'. Run 'nasbench data"):
        make_context("toy-imported")


def test_make_context_refuses_what_is_no_architecture(toy_plugins) -> None:
    with pytest.raises(InvalidArchitectureError, match="'wide' is not a width"):
        make_context("toy", "wide")
