import numpy as np
import pytest
from nasbench_toolkit.core.capabilities import Images
from nasbench_toolkit.plugins.datasets import MNIST, PHOTOS, nasbench_data_sources, nasbench_datasets

INFOS = {info.name: info for info in nasbench_datasets()}
BUNDLED = [
    pytest.param(info, id=name) for name, info in INFOS.items() if info.requires is None and Images in info.provides
]
SOURCES = {info.name: info for info in nasbench_data_sources()}


def load(info):
    dataset = info.create()
    labels = dataset.labels()
    return dataset.inputs(np.arange(len(labels))), labels


def test_datasets_names():
    assert list(INFOS) == [
        *("photos", "mnist", "cifar10", "cifar100", "imagenet16-120"),
        *("alice", "ptb", "wikitext-2", "own-text", "none"),
    ]


def test_no_images_are_no_images():
    images, labels = load(INFOS["none"])
    assert images.shape == (0, *INFOS["none"].input_shape)
    assert len(labels) == INFOS["none"].num_classes == 0


@pytest.mark.parametrize("info", BUNDLED)
def test_dataset_matches_its_description(info):
    images, labels = load(info)
    assert images.shape[1:] == info.input_shape
    assert images.dtype == np.float32
    assert 0.0 <= images.min() < images.max() <= 1.0
    assert set(labels.tolist()) == set(range(info.num_classes))
    assert len(images) == len(labels)


@pytest.mark.parametrize("info", BUNDLED)
def test_dataset_normalisation_constants(info):
    images, _ = load(info)
    # JPEG decoders may differ by a grey level here and there.
    np.testing.assert_allclose(info.mean, images.mean(axis=(0, 2, 3), dtype=np.float64), atol=3e-4)
    np.testing.assert_allclose(info.std, images.std(axis=(0, 2, 3), dtype=np.float64), atol=3e-4)


@pytest.mark.parametrize(
    ("name", "mean", "std"),
    [
        # Of NAS-Bench-201's scripts, on the scale of pixels.
        ("cifar10", (125.3, 123.0, 113.9), (63.0, 62.1, 66.7)),
        ("cifar100", (125.3, 123.0, 113.9), (63.0, 62.1, 66.7)),
        ("imagenet16-120", (122.68, 116.66, 104.01), (63.22, 61.26, 65.09)),
    ],
)
def test_imported_images_are_normalised_as_published(name, mean, std):
    assert [255 * value for value in INFOS[name].mean] == pytest.approx(mean)
    assert [255 * value for value in INFOS[name].std] == pytest.approx(std)
    assert INFOS[name].horizontal_flip


def test_datasets_mirror_photographs_but_not_digits():
    assert PHOTOS.horizontal_flip
    assert not MNIST.horizontal_flip


@pytest.mark.parametrize("info", BUNDLED)
def test_dataset_states_its_licence(info):
    assert "CC" in info.licence


def test_data_sources_names():
    assert list(SOURCES) == ["cifar10", "cifar100", "imagenet16-120", "wikitext-2", "ptb", "own-text"]


@pytest.mark.parametrize("info", SOURCES.values(), ids=SOURCES)
def test_data_source_says_all_a_user_needs(info):
    assert info.create().info is info
    assert info.content == ("text" if info.name in ("wikitext-2", "ptb", "own-text") else "images")
    assert info.licence
    assert info.homepage.startswith("https://") or info.name == "own-text"
    assert info.accepts.startswith("Takes ")
    assert info.files or info.name == "own-text"
    for file in info.files:
        assert file.url is None or (file.url.endswith(f"/{file.name}") and file.checksum)


def test_datasets_require_data_sources_that_exist():
    required = {info.requires for info in INFOS.values() if info.requires}
    assert required == set(SOURCES)
