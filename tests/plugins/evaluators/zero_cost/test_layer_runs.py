import torch
from nasbench_toolkit.plugins.evaluators.observe import observe_calls
from nasbench_toolkit.plugins.evaluators.zero_cost.layer_runs import LayerRuns
from torch import nn
from torch.nn import functional


def runs_of(network, images, **options):
    layers = LayerRuns(images, **options)
    with observe_calls(lambda call: layers.note(call, call())):
        output = network(images.clone())
    return layers.runs, output


def images_that_need_gradients():
    return torch.randn(2, 3, 4, 4).requires_grad_()


def test_outputs_and_gradients_of_layers_are_found():
    network = nn.Sequential(nn.Conv2d(3, 5, 3), nn.ReLU(), nn.Flatten(), nn.Linear(20, 7))
    (convolution, linear), output = runs_of(network, images_that_need_gradients())
    assert (convolution.values.shape, convolution.channel_axis, convolution.fan_in) == ((2, 5, 2, 2), -3, 27)
    assert (linear.values.shape, linear.channel_axis, linear.fan_in) == ((2, 7), -1, 20)
    gradients = torch.autograd.grad(output.sum(), [convolution.edge, linear.edge])
    assert torch.equal(gradients[1], torch.ones(2, 7))
    expected = network[3].weight.sum(0).view(5, 2, 2) * (convolution.values > 0)
    torch.testing.assert_close(gradients[0], expected)


def test_what_depends_on_images_alone_is_no_layer():
    own = nn.Conv2d(1, 2, 1)
    filtered = lambda images: own(functional.conv2d(images, torch.ones(1, 3, 1, 1)))  # noqa: E731
    runs, _ = runs_of(filtered, images_that_need_gradients())
    assert [run.values.shape[1] for run in runs] == [2]
    after = lambda images: functional.conv2d(own(images[:, :1]), torch.ones(4, 2, 1, 1))  # noqa: E731
    runs, _ = runs_of(after, images_that_need_gradients())
    assert [run.values.shape[1] for run in runs] == [2, 4]


def test_overwritten_outputs_are_told_and_kept_if_copied():
    network = nn.Sequential(nn.Conv2d(3, 5, 3), nn.ReLU(inplace=True))
    images = images_that_need_gradients()
    (run,), _ = runs_of(network, images)
    assert run.is_overwritten
    (copied,), output = runs_of(network, images, copied=True)
    assert not copied.is_overwritten
    assert (copied.values < 0).any()
    assert torch.equal(output, copied.values.relu())
