import pytest
from torch import nn


@pytest.fixture
def apply_function():
    """Make a network of one function."""

    class Apply(nn.Module):
        def __init__(self, function):
            super().__init__()
            self.function = function

        def forward(self, images):
            return self.function(images)

    return Apply
