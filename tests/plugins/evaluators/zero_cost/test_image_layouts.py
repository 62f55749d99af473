import math

import pytest
import torch
from nasbench_toolkit.core.errors import EvaluationError
from nasbench_toolkit.plugins.evaluators.observe import observe_calls
from nasbench_toolkit.plugins.evaluators.zero_cost import image_layouts
from nasbench_toolkit.plugins.evaluators.zero_cost.activations.meco import meco_score
from nasbench_toolkit.plugins.evaluators.zero_cost.activations.naswot import naswot_score
from nasbench_toolkit.plugins.evaluators.zero_cost.activations.swap import swap_score
from nasbench_toolkit.plugins.evaluators.zero_cost.image_layouts import Layout, with_image_layouts
from torch import nn
from torch.nn import functional

LAYOUTS = [
    pytest.param(Layout(0, 1), (5, 2, 3), id="first"),
    pytest.param(Layout(2, 1), (2, 3, 5), id="last"),
    pytest.param(Layout(0, 2), (10, 3), id="places-of-the-first-image-first"),
    pytest.param(Layout(1, 2, by_image=False), (3, 10), id="first-places-of-all-images-first"),
]


@pytest.mark.parametrize(("layout", "shape"), LAYOUTS)
def test_images_first_brings_all_values_of_an_image_together(layout, shape):
    images = torch.arange(5.0)
    if layout.places > 1:
        images = images.repeat_interleave(layout.places) if layout.by_image else images.repeat(layout.places)
    values = images.view(*(-1 if axis == layout.axis else 1 for axis in range(len(shape)))).expand(shape)
    assert [image.unique().tolist() for image in layout.images_first(values)] == [[0.0], [1.0], [2.0], [3.0], [4.0]]


class Network(nn.Module):
    """Draws at random, runs in training mode alone what comes first, and calls one function many times."""

    def forward(self, images):
        if self.training:
            functional.relu(images * 2)
        tokens = functional.dropout(images.flatten(2), 0.5, self.training).permute(2, 0, 1)
        for _ in range(3):
            tokens = functional.relu(tokens.flatten(0, 1) - 0.1).unflatten(0, tokens.shape[:2])
        return tokens.mean(0)


def test_layouts_of_a_network_that_draws_and_repeats_a_function():
    images = torch.arange(1.0, 5.0).view(4, 1, 1, 1).expand(4, 2, 3, 3)

    def run(layouts):
        seen = []

        def observe(call):
            layouts.follow(call)
            output = call()
            if call.function is functional.relu:
                seen.append(layouts.images_first(output))
            return output

        with observe_calls(observe):
            Network()(images)
        return seen

    seen = with_image_layouts(Network(), images, run)
    assert [maps.shape for maps in seen] == [(4, 2, 3, 3), *[(4, 9, 2)] * 3]
    assert all(len(image.unique()) <= 2 for maps in seen for image in maps)  # a value of the image and 0


def test_images_in_no_known_order_are_refused():
    network = nn.Sequential(nn.Flatten(0), nn.Softmax(0))

    def run(layouts):
        def observe(call):
            layouts.follow(call)
            return layouts.images_first(call())

        with observe_calls(observe):
            network(torch.ones(4, 1, 2, 2))

    with pytest.raises(EvaluationError, match="in no order that is known"):
        with_image_layouts(network, torch.ones(4, 1, 2, 2), run)


@pytest.mark.parametrize(
    "score",
    [
        pytest.param(naswot_score, id="naswot"),
        pytest.param(lambda network, images: swap_score(network, images, torch.Generator(), 1), id="swap"),
        pytest.param(lambda network, _: meco_score(network, 3, torch.Generator(), image_size=16), id="meco"),
    ],
)
def test_common_layers_are_run_once(make_network, images, monkeypatch, score):
    monkeypatch.setattr(image_layouts, "find_layouts", lambda *_: pytest.fail("it was run to find its layouts"))
    assert math.isfinite(score(make_network(), images))
