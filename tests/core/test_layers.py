import torch
from nasbench_toolkit import Branches, Concatenation
from torch import nn


def test_branches_get_the_same_input() -> None:
    branches = Branches({"a": nn.Linear(3, 2), "b": nn.Identity()})
    features = torch.randn(4, 3)
    first, second = branches(features)
    assert torch.equal(first, branches["a"](features))
    assert second is features


def test_concatenation_is_along_the_channels() -> None:
    first, second = torch.randn(2, 3, 4, 4), torch.randn(2, 1, 4, 4)
    output = Concatenation()([first, second])
    assert output.shape == (2, 4, 4, 4)
    assert torch.equal(output[:, :3], first)
    assert torch.equal(output[:, 3:], second)
