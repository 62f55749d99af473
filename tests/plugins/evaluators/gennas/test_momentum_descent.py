import pytest
import torch
from nasbench_toolkit.plugins.evaluators.compiled import descent
from nasbench_toolkit.plugins.evaluators.gennas.momentum_descent import MomentumDescent
from torch import nn


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("in_c", [False, True])
def test_steps_are_those_of_torch_to_the_last_bit(
    momentum: float, channels_last: bool, in_c: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not in_c:
        monkeypatch.setattr(descent, "_library", lambda: None)
    elif descent._library() is None:
        pytest.skip("no C compiler, or no place for its output")
    torch.manual_seed(0)
    networks = [nn.Sequential(nn.Conv2d(3, 5, 3), nn.BatchNorm2d(5), nn.ReLU(), nn.Conv2d(5, 4, 1)) for _ in range(2)]
    networks[1].load_state_dict(networks[0].state_dict())
    if channels_last:
        networks = [network.to(memory_format=torch.channels_last) for network in networks]
    images = torch.randn(4, 3, 9, 9)
    groups = [
        [[p for p in network.parameters() if p.dim() > 1], [p for p in network.parameters() if p.dim() == 1]]
        for network in networks
    ]
    theirs = torch.optim.SGD(
        [{"params": groups[0][0], "weight_decay": 4e-5}, {"params": groups[0][1], "weight_decay": 0.0}],
        lr=0.1,
        momentum=momentum,
    )
    ours = MomentumDescent([(groups[1][0], 4e-5), (groups[1][1], 0.0)], 0.1, momentum)
    for _ in range(12):
        for network, optimizer in zip(networks, (theirs, ours), strict=True):
            optimizer.zero_grad()
            network(images).square().mean().backward()
            optimizer.step()
    for expected, found in zip(networks[0].parameters(), networks[1].parameters(), strict=True):
        assert torch.equal(expected, found)


def test_parameters_without_gradient_stay_as_they_are() -> None:
    parameter = nn.Parameter(torch.ones(3))
    descent = MomentumDescent([([parameter], 0.5)], 0.1, 0.9)
    descent.step()
    assert parameter.tolist() == [1.0, 1.0, 1.0]


def test_training_does_not_import_the_compiler(tmp_path) -> None:
    import subprocess
    import sys

    code = (
        "import sys, torch\n"
        "from nasbench_toolkit.plugins.evaluators.gennas.momentum_descent import MomentumDescent\n"
        "p = torch.nn.Parameter(torch.ones(2)); d = MomentumDescent([([p], 0.0)], 0.1, 0.9)\n"
        "p.sum().backward(); d.step()\n"
        "sys.exit('torch._dynamo' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("change", [torch.Tensor.double, lambda values: values.repeat(2)[::2]], ids=["double", "gaps"])
def test_what_c_cannot_do_is_left_to_torch(change) -> None:
    parameter = nn.Parameter(change(torch.ones(5)))
    before = parameter.detach().clone()
    steps = MomentumDescent([([parameter], 0.5)], 0.1, 0.9)
    parameter.sum().backward()
    steps.step()
    assert torch.allclose(parameter, before - 0.1 * (1 + 0.5 * before))
