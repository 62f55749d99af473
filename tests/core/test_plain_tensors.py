"""Reading tensors as nothing else, and refusing those that were damaged."""

import pytest
import torch
from nasbench_toolkit.core.plain_tensors import load_dictionary


def test_a_bit_that_flipped_in_a_tensor_is_noticed(tmp_path) -> None:
    path, weights = tmp_path / "state", torch.arange(1000.0)
    torch.save({"epoch": 3, "weights": weights}, path)
    content = path.read_bytes()
    whole = load_dictionary(path, "cpu")
    assert whole["epoch"] == 3
    assert torch.equal(whole["weights"], weights)

    damaged = bytearray(content)
    damaged[content.index(weights.numpy().tobytes()) + 2000] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(ValueError, match="the checksum of 'state/data/0' is wrong"):
        load_dictionary(path, "cpu")
