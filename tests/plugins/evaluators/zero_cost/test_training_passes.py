import pytest
import torch
from nasbench_toolkit.core.errors import EvaluationError
from nasbench_toolkit.plugins.evaluators.zero_cost.training_passes import (
    forward_graph,
    logit_gradients,
    loss_backward,
    loss_by_outputs,
    loss_curvatures,
    loss_gradients,
)
from torch import nn

PASSES = (loss_gradients, loss_by_outputs, loss_curvatures, logit_gradients)


class Scripted(nn.Module):
    """A network whose layers cannot be seen."""

    def __init__(self):
        super().__init__()
        self.layer = torch.jit.script(nn.Conv2d(3, 10, 3))

    def forward(self, images):
        return self.layer(images).square().mean((2, 3))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_gradients_by_images_need_no_layers_that_are_seen(make_context, monkeypatch):
    context = make_context()
    monkeypatch.setattr(type(context.space), "build_network", lambda *_: Scripted())
    with pytest.raises(EvaluationError, match="TorchScript"):
        context.shared_pass(forward_graph, "benchmark", 4)
    rows = context.shared_pass(logit_gradients, "benchmark", 4)
    assert rows.shape == (4, 3 * 32 * 32)


def test_one_backward_pass_is_made_for_all_that_are_known_to_ask(make_context) -> None:
    context = make_context()
    for compute in PASSES[::-1]:
        context.shared_pass(compute, "reduced", 4)
    # Output gradients came before there was a backward pass to share, curvatures made one that can be differentiated.
    assert context.shared_pass(loss_backward, "reduced", 4).are_differentiable
    alone = [make_context().shared_pass(compute, "reduced", 4) for compute in PASSES]
    found = [context.shared_pass(compute, "reduced", 4) for compute in PASSES]
    for one, other in zip(alone[::2], found[::2], strict=True):
        assert all(torch.equal(one[name][1], other[name][1]) for name in one)
    assert all(a is b or torch.equal(a, b) for a, b in zip(alone[1], found[1], strict=True))
    assert torch.equal(alone[3], found[3])


def test_a_backward_pass_for_weights_alone_keeps_nothing_for_others(make_context) -> None:
    context = make_context()
    context.shared_pass(loss_gradients, "reduced", 4)
    made = context.shared_pass(loss_backward, "reduced", 4)
    assert not made.are_differentiable
    assert made.by_outputs is None
    assert all(gradient is None or gradient.grad_fn is None for gradient in made.by_weights)
