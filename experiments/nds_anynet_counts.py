"""Compare parameters and operations of the ResNet, ResNeXt and Vanilla networks with those that NDS records state.

Usage: python -m nasbench_toolkit.experiments.nds_anynet_counts FOLDER

FOLDER has files of the NDS release, such as ``ResNeXt-A_in.json.gz``. Records are built as the spaces build them; the
files with varied learning rates have a fourth stage, and those named Vanilla blocks without shortcut, which are no
spaces of this project. The release counts an operation for each multiply-add, one for each bias of the classifier, and
five for each value that batch normalisation takes. Prints equal/records of each file; exit code 1 if one differs.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..plugins.search_spaces.nds.anynet.layout import NetworkLayout, StageLayout, Stem
from ..plugins.search_spaces.nds.anynet.network import AnyNet, conv_bn

FAMILIES = ("ResNet", "ResNeXt", "Vanilla")
BATCH_NORM_OPERATIONS = 5
# By the total stride of the stem.
STEMS: dict[int, Stem] = {1: "conv3", 4: "conv7-pool", 8: "three-conv3"}


def double_plain_block(in_channels: int, stage: StageLayout, stride: int) -> nn.Module:
    """Return two convolutions without a shortcut."""
    return nn.Sequential(
        conv_bn(in_channels, stage.width, 3, stride=stride), nn.ReLU(), conv_bn(stage.width, stage.width, 3), nn.ReLU()
    )


def build(net: dict[str, Any], num_classes: int) -> AnyNet:
    """Build the network of a record, without values of its weights."""
    multipliers = net["bot_muls"] or [1.0] * len(net["ds"])
    groups = net["num_gs"] or [1] * len(net["ds"])
    stages = [
        StageLayout(depth, width, stride, round(width * multiplier), group)
        for depth, width, stride, multiplier, group in zip(
            net["ds"], net["ws"], net["ss"], multipliers, groups, strict=True
        )
    ]
    block = "bottleneck" if net["block_type"] == "res_bottleneck_block" else "basic"
    layout = NetworkLayout(STEMS[net["ss"][0]], net["ws"][0], block, tuple(stages[1:]))
    make_block = double_plain_block if net["block_type"] == "double_plain_block" else None
    with torch.device("meta"):
        return AnyNet(layout, input_channels=3, num_classes=num_classes, make_block=make_block)


def count_operations(network: AnyNet, side: int) -> int:
    """Return the operations of one image as the release counts them."""
    counts = [network.classifier.out_features]

    def note(module: nn.Module, inputs: Any, output: Tensor) -> None:
        if isinstance(module, nn.BatchNorm2d):
            counts.append(BATCH_NORM_OPERATIONS * output.numel())
        elif isinstance(module, nn.Conv2d | nn.Linear):
            counts.append(output.numel() * module.weight[0].numel())

    for module in network.modules():
        module.register_forward_hook(note)
    network.eval()(torch.zeros(1, 3, side, side, device="meta"))
    return sum(counts)


def records_of(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the records of a file."""
    content = path.read_bytes()
    records = json.loads(gzip.decompress(content) if path.suffix == ".gz" else content)
    for group in records.values() if isinstance(records, dict) else [records]:
        yield from group


def compare(path: Path) -> tuple[int, int, int]:
    """Return how many records have equal parameters, equal operations, and how many there are."""
    side, num_classes = (224, 1000) if path.name.partition(".")[0].endswith("_in") else (32, 10)
    counts: dict[str, tuple[int, int]] = {}
    parameters = operations = total = 0
    for record in records_of(path):
        key = json.dumps(record["net"], sort_keys=True)
        if key not in counts:
            network = build(record["net"], num_classes)
            size = sum(parameter.numel() for parameter in network.parameters())
            counts[key] = size, count_operations(network, side)
        parameters += counts[key][0] == record["params"]
        operations += counts[key][1] == record["flops"]
        total += 1
    return parameters, operations, total


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    equal = True
    for path in sorted(parser.parse_args().folder.glob("*.json*")):
        if path.name.startswith(FAMILIES):
            parameters, operations, total = compare(path)
            equal = equal and parameters == operations == total
            print(f"{path.name}: parameters {parameters}/{total}, operations {operations}/{total}", flush=True)
    return 0 if equal else 1


if __name__ == "__main__":
    sys.exit(main())
