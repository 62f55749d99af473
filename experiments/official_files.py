"""Small files in exactly the formats in which benchmarks are published, for tests and for ``damaged_sources``.

They are written by other means than the toolkit reads them: ``torch.save``, ``pickle`` and ``zipfile``, a checksum
computed bit by bit, a protocol buffer put together by hand.
"""

from __future__ import annotations

import base64
import bz2
import json
import pickle
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
SPLITS = {
    "cifar10-valid": ("x-valid", "ori-test"),
    "cifar10": ("ori-test",),
    "cifar100": ("x-valid", "x-test", "ori-test"),
    "ImageNet16-120": ("x-valid", "x-test", "ori-test"),
}
CRC32C_POLYNOMIAL = 0x82F63B78  # of Castagnoli, lowest bit first


def nasbench201_architecture(index: int) -> str:
    """Return the ``index``-th cell when the operation of the first edge changes fastest."""
    names = [OPERATIONS[index // 5**edge % 5] for edge in range(6)]
    return "|{}~0|+|{}~0|{}~1|+|{}~0|{}~1|{}~2|".format(*names)


def nasbench201_content(
    num_architectures: int,
    *,
    seeds: Mapping[str, Sequence[int]],
    epochs: Mapping[str, int],
    total: int = 15_625,
    rng_seed: int = 0,
) -> dict[str, Any]:
    """Return what the files of NAS-Bench-201 and NATS-Bench hold, with random values.

    Args:
        num_architectures: How many architectures have results.
        seeds: Seeds of the trainings by key of a schedule, as in ``{"full": (777, 888), "less": (777,)}``.
        epochs: Epochs of each schedule by the same keys.
        total: Length of the list of architectures.
        rng_seed: Seed of the values.
    """
    rng = np.random.default_rng(rng_seed)
    infos = {
        index: {key: _architecture_results(rng, index, epochs[key], seeds[key]) for key in epochs}
        for index in range(num_architectures)
    }
    return {
        "meta_archs": [nasbench201_architecture(index) for index in range(total)],
        "total_archs": total,
        "arch2infos": infos,
        "evaluated_indexes": set(range(num_architectures)),
    }


def _architecture_results(rng: np.random.Generator, index: int, epochs: int, seeds: Sequence[int]) -> dict[str, Any]:
    architecture = nasbench201_architecture(index)
    trials = {(dataset, seed): _trial(rng, architecture, dataset, epochs, seed) for dataset in SPLITS for seed in seeds}
    return {
        "arch_index": index,
        "arch_str": architecture,
        "all_results": trials,
        "dataset_seed": {dataset: list(seeds) for dataset in SPLITS},
        "clear_net_done": True,
    }


def _trial(rng: np.random.Generator, architecture: str, dataset: str, epochs: int, seed: int) -> dict[str, Any]:
    def curve(scale: float) -> dict[int, float]:
        return {epoch: float(value) for epoch, value in enumerate(rng.random(epochs) * scale)}

    accuracies: dict[str, float] = {}
    losses: dict[str, float] = {}
    times: dict[str, float] = {}
    for split in SPLITS[dataset]:
        for epoch in range(epochs):
            key = f"{split}@{epoch}"
            accuracies[key], losses[key], times[key] = float(rng.random() * 100), float(rng.random()), 0.25
    return {
        "name": dataset,
        "net_state_dict": None,
        "train_acc1es": curve(100),
        "train_acc5es": curve(100),
        "train_losses": curve(3),
        "train_times": OrderedDict(curve(30)),
        "arch_config": {"channel": 16, "num_cells": 5, "arch_str": architecture, "class_num": 10},
        "params": 0.5,
        "flop": np.float64(7.78),
        "seed": seed,
        "epochs": epochs,
        "latency": [0.01, 0.02],
        "eval_names": list(SPLITS[dataset]),
        "eval_acc1es": accuracies,
        "eval_times": times,
        "eval_losses": losses,
    }


def write_nasbench201_pth(path: Path, content: object, *, zipped: bool) -> Path:
    """Write a ``.pth`` file as ``torch.save`` did before its version 1.6, or as it does now."""
    import torch

    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    return path


def write_packed_pickle(path: Path, content: object) -> Path:
    """Write a ``.pickle.pbz2`` file as NATS-Bench does."""
    with bz2.BZ2File(path, "wb") as file:
        pickle.dump(content, file, protocol=4)
    return path


def write_nats_bench_folder(folder: Path, content: Mapping[str, Any]) -> Path:
    """Write a ``-simple`` folder of NATS-Bench."""
    folder.mkdir()
    write_packed_pickle(folder / "meta.pickle.pbz2", {**content, "arch2infos": None, "evaluated_indexes": set()})
    for index, record in content["arch2infos"].items():
        write_packed_pickle(folder / f"{index:06d}.pickle.pbz2", OrderedDict(record))
    return folder


def crc32c(data: bytes) -> int:
    """Return the CRC-32C of bytes, one bit after the other."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (CRC32C_POLYNOMIAL if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def tfrecord(data: bytes) -> bytes:
    """Return a record of a TFRecord file."""

    def masked(part: bytes) -> bytes:
        crc = crc32c(part)
        return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) % 2**32)

    length = struct.pack("<Q", len(data))
    return length + masked(length) + data + masked(data)


def model_metrics(evaluations: Sequence[Sequence[float]], parameters: int) -> bytes:
    """Return a protocol buffer ``ModelMetrics``; an evaluation is epoch, seconds, accuracies of train, valid, test."""
    message = b""
    for evaluation in evaluations:
        body = b"".join(bytes([8 * field + 1]) + struct.pack("<d", value) for field, value in enumerate(evaluation, 1))
        message += b"\x0a" + _varint(len(body)) + body
    return message + b"\x10" + _varint(parameters) + b"\x19" + struct.pack("<d", 1234.5)


def _varint(value: int) -> bytes:
    low, high = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + _varint(high) if high else bytes([low])


def nasbench101_record(module_hash: str, epochs: int, adjacency: str, operations: str, *, metrics: bytes) -> bytes:
    """Return the data of one record of NAS-Bench-101."""
    encoded = base64.b64encode(metrics).decode()
    return json.dumps([module_hash, epochs, adjacency, operations, encoded]).encode()


def nlp_log(
    recipe: str, *, losses: Sequence[float], status: str = "OK", data: str = "data/wikitext-2"
) -> dict[str, Any]:
    """Return one training log of NAS-Bench-NLP; validation losses are 0.1 above the test losses."""
    return {
        "data": data,
        "recepie_id": 1_000_000,
        "nhid": 600,
        "epochs": len(losses),
        "recepie": recipe,
        "num_params": 15_066_078,
        "wall_times": [141.3] * len(losses),
        "train_losses": [loss - 0.1 for loss in losses],
        "val_losses": [loss + 0.1 for loss in losses],
        "test_losses": list(losses),
        "status": status,
    }


def write_nlp_logs(path: Path, logs: Sequence[object]) -> Path:
    """Write an archive of training logs."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, log in enumerate(logs):
            archive.writestr(f"log_stats_model_{number}_2020-04-28_17-16-54_{number}.json", json.dumps(log))
    return path
