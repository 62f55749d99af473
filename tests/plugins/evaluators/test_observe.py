import torch
from nasbench_toolkit.plugins.evaluators.observe import Call, observe_calls
from torch import nn
from torch.nn import functional


def test_calls_of_modules_and_functions_are_seen_in_their_order() -> None:
    seen = []

    def observe(call: Call):
        seen.append((call.function, call.argument(0, "input").shape))
        return call()

    layer, images = nn.Linear(3, 2), torch.ones(4, 3)
    with observe_calls(observe):
        functional.relu(input=layer(images))
    assert seen == [(functional.linear, (4, 3)), (functional.relu, (4, 2))]
    functional.relu(images)
    assert len(seen) == 2


def test_the_observer_decides_what_the_network_goes_on_with() -> None:
    one = torch.ones(1)
    with observe_calls(lambda call: 2 * call()):
        outer = functional.relu(one)
        with observe_calls(lambda call: 1 + call()):
            inner = functional.relu(one)
    # An observer does not see its own addition; the one around it does.
    assert (outer.item(), inner.item()) == (2.0, 6.0)


def test_arguments_have_a_default() -> None:
    call = Call(functional.hardtanh, (torch.ones(1),), {"max_val": 6.0})
    assert call.argument(1, "min_val", -1.0) == -1.0
    assert call.argument(2, "max_val") == 6.0
    assert call.argument(3, "inplace") is None
    assert call().item() == 1.0
