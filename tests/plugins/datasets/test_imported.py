from pathlib import Path

import numpy as np
import pytest
from nasbench_toolkit.benchmarks_data.images.stored_images import ImageBatch, write_images
from nasbench_toolkit.benchmarks_data.images.user_images import describe_images
from nasbench_toolkit.core.batches import batch_digest, draw_batch
from nasbench_toolkit.core.data.data_home import MANIFEST_NAME, import_data
from nasbench_toolkit.core.errors import DataError
from nasbench_toolkit.plugins.datasets import CIFAR10, CIFAR100, IMAGENET16_120, data_sources

CIFAR = Path(__file__).parents[3] / "../shared/data/cifar10/cifar-10-batches-py"
INFOS = (CIFAR10, CIFAR100, IMAGENET16_120)
each_dataset = pytest.mark.parametrize("info", INFOS, ids=lambda info: info.name)


@pytest.fixture
def store(data_directory):
    """Store images for a data set, as an import would, and return them."""

    def store(info, count=20):
        folder = data_directory / info.name
        folder.mkdir()
        rng = np.random.default_rng(0)
        images = rng.integers(0, 256, (count, *info.input_shape), np.uint8)
        batch = ImageBatch("train", images, rng.integers(0, info.num_classes, count))
        write_images(folder, [batch], info.input_shape[1], info.num_classes)
        (folder / MANIFEST_NAME).write_text("{}")
        return batch

    return store


@each_dataset
def test_images_are_those_stored(info, store):
    stored = store(info)
    dataset = info.create()
    assert np.array_equal(dataset.labels(), stored.labels)
    positions = np.array([7, 0, 19])
    images = dataset.inputs(positions)
    assert images.dtype == np.float32
    assert type(images) is np.ndarray
    assert np.array_equal(images, stored.images[positions].astype(np.float32) / np.float32(255))


@each_dataset
def test_held_out_images_are_those_for_testing(info, store, data_directory):
    store(info)
    assert info.create().held_out() is None
    rng = np.random.default_rng(1)
    parts = [
        ImageBatch(split, rng.integers(0, 256, (5, *info.input_shape), np.uint8), rng.integers(0, info.num_classes, 5))
        for split in ("train", "test")
    ]
    for file in (data_directory / info.name).glob("*.npy"):
        file.unlink()
    write_images(data_directory / info.name, parts, info.input_shape[1], info.num_classes)
    held_out = info.create().held_out()
    assert np.array_equal(held_out.labels(), parts[1].labels)
    assert np.array_equal(held_out.inputs(np.array([4, 0])), parts[1].images[[4, 0]].astype(np.float32) / 255)


@each_dataset
def test_batches_can_be_drawn(info, store):
    store(info)
    batch = draw_batch(info, info.create(), 16, seed=0, resolution=32, augment=True)
    assert batch.inputs.shape == (16, 3, 32, 32)


@each_dataset
def test_not_imported(info):
    command = f"nasbench data import {info.name} PATH"
    with pytest.raises(DataError, match=f"The images of '{info.name}' were not imported. Run .*{command}"):
        info.create().labels()


def test_creating_reads_nothing(store):
    assert CIFAR10.create() is not None


def test_damaged(store, data_directory):
    store(CIFAR10)
    (data_directory / "cifar10/train_images.npy").write_bytes(b"")
    with pytest.raises(DataError, match="are damaged"):
        CIFAR10.create().labels()


@pytest.mark.skipif(not CIFAR.is_dir(), reason="reads CIFAR-10's first batch in ../shared/data")
def test_real_cifar10_imported_and_in_place_are_the_same():
    source = next(info for info in data_sources.DATA_SOURCES if info.name == "cifar10")
    import_data(source.create(), CIFAR, lambda done, total: None)
    in_place = describe_images(CIFAR)
    imported, used = (
        draw_batch(CIFAR10, info.create(), 16, seed=1, resolution=None, augment=True) for info in (CIFAR10, in_place)
    )
    held_out = [info.create().held_out() for info in (CIFAR10, in_place)]
    assert [len(part.labels()) for part in held_out] == [10_000, 10_000]
    assert np.array_equal(*(part.inputs(np.array([0, 9_999])) for part in held_out))
    assert batch_digest(imported) == batch_digest(used) == "dfb667113b8ada03"
    # GenNAS's constants are those of all five batches, to four digits.
    np.testing.assert_allclose(in_place.mean, CIFAR10.mean, atol=3e-3)
    np.testing.assert_allclose(in_place.std, CIFAR10.std, atol=3e-3)
