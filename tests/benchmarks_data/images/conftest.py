import struct

import numpy as np
import pytest


@pytest.fixture
def python2_pickle():
    """Pickle a batch opcode by opcode as Python 2's cPickle and its NumPy wrote CIFAR's files."""
    return _python2_pickle


@pytest.fixture
def binary_records():
    """Write records as CIFAR's binary version: label bytes, then the pixels."""
    return _binary_records


def _python2_pickle(images, labels, labels_key=b"labels"):
    def text(value):
        return b"U" + bytes([len(value)]) + value

    def integer(value):
        return b"K" + bytes([value]) if value < 256 else b"M" + struct.pack("<H", value)

    count, size = images.shape
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\nq\x07cnumpy\nndarray\nq\x08K\x00\x85" + text(b"b") + b"\x87Rq\x09"
        b"(K\x01" + integer(count) + integer(size) + b"\x86cnumpy\ndtype\nq\x0a" + text(b"u1") + b"K\x00K\x01\x87Rq\x0b"
        b"(K\x03" + text(b"|") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89"
        b"T" + struct.pack("<i", images.nbytes) + images.tobytes() + b"tb"
    )  # fmt: skip
    fields = [
        text(b"batch_label") + b"q\x02" + text(b"training batch 1 of 5") + b"q\x03",
        text(labels_key) + b"q\x04]q\x05(" + b"".join(map(integer, labels)) + b"e",
        text(b"data") + b"q\x06" + array,
    ]
    return b"\x80\x02}q\x01(" + b"".join(fields) + b"u."


def _binary_records(images, *labels):
    columns = [np.asarray(values, np.uint8)[:, np.newaxis] for values in labels]
    return np.concatenate([*columns, images], axis=1).tobytes()


@pytest.fixture
def pixels():
    """Make flat images that all differ, uint8 of shape (count, size)."""

    def make(count, size=3072, seed=0):
        return np.random.default_rng(seed).integers(0, 256, (count, size), np.uint8)

    return make
