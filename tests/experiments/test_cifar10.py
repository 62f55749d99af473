import pickle

import numpy as np
import pytest
from nasbench_toolkit.core.errors import DataError
from nasbench_toolkit.experiments.cifar10 import Cifar10


class Harmful:
    """Unpickling this would run a command."""

    def __reduce__(self):
        return print, ("code ran",)


def write_batch(path, contents):
    # As Python 2 and its NumPy wrote it: protocol 2, the module of arrays under its old name.
    pickled = pickle.dumps(contents, protocol=2).replace(b"numpy._core", b"numpy.core")
    assert b"numpy._core" not in pickled
    path.write_bytes(pickled)
    return path


def test_cifar10_load_reads_the_official_layout(tmp_path):
    pixels = np.arange(2 * 3072, dtype=np.int64).reshape(2, 3072).astype(np.uint8)
    path = write_batch(tmp_path / "data_batch_1", {b"data": pixels, b"labels": [7, 3]})
    images, labels = Cifar10(path).load()
    assert images.shape == (2, 3, 32, 32)
    assert images.dtype == np.float32
    # Channel by channel, row by row.
    np.testing.assert_allclose(images[1, 2, 5, 9] * 255, pixels[1, 2 * 1024 + 5 * 32 + 9])
    assert labels.tolist() == [7, 3]


def test_cifar10_load_runs_no_code(tmp_path, capsys):
    path = write_batch(tmp_path / "data_batch_1", {b"data": Harmful(), b"labels": [0]})
    with pytest.raises(DataError, match=r"the name __builtin__\.print is not allowed"):
        Cifar10(path).load()
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\x80", id="cut"),
        pytest.param(pickle.dumps({}), id="no-data"),
    ],
)
def test_cifar10_load_refuses_other_files(tmp_path, content):
    path = tmp_path / "data_batch_1"
    path.write_bytes(content)
    with pytest.raises(DataError, match="is not a batch file of CIFAR-10's python version"):
        Cifar10(path).load()


def test_cifar10_load_missing_file(tmp_path):
    with pytest.raises(DataError, match="No such file"):
        Cifar10(tmp_path / "absent").load()
