"""What ``damaged_sources`` damages: a small valid file for every reader, and how the toolkit is asked to read it.

Files that are compressed or have checksums are damaged in two ways: as they are, which mostly meets the decompressor,
and inside, being packed again afterwards, which meets the reader.
"""

from __future__ import annotations

import bz2
import contextlib
import gzip
import importlib.util
import io
import json
import pickle
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import google_crc32c
import h5py
import numpy as np
from nasbench_toolkit.benchmarks_data.images.user_images import describe_images
from nasbench_toolkit.benchmarks_data.tables.store import StoredTable
from nasbench_toolkit.core.asktell.loop import Proposal
from nasbench_toolkit.core.data.data_home import import_data, remove_data, verify_data
from nasbench_toolkit.core.domain import Direction, JobCost, Metric, Record, Status
from nasbench_toolkit.core.hdf5.writing import write_attributes
from nasbench_toolkit.core.interfaces import DataSource
from nasbench_toolkit.core.plan import EvaluatorHeader, GroundTruthColumn, PlanHeader
from nasbench_toolkit.core.plugin_manager import installed_plugins
from nasbench_toolkit.core.results.contents import EvaluatorResults, NewArchitecture, Results
from nasbench_toolkit.core.results.journal import (
    JOURNAL_FORMAT,
    JOURNAL_VERSION,
    architecture_to_json,
    record_to_json,
)
from nasbench_toolkit.core.results.records import PENDING, Records
from nasbench_toolkit.core.results.store import Origin, new_results_file, read_results, write_results
from nasbench_toolkit.core.search.group import write_search_group
from nasbench_toolkit.core.search.history import SearchHeader
from nasbench_toolkit.core.search.proposals import proposal_to_json
from nasbench_toolkit.core.search.storage import read_search
from nasbench_toolkit.core.search.stored import StoredSearch
from nasbench_toolkit.experiments import official_files
from nasbench_toolkit.reports.select import select

CELL = "111010000010001100011:conv1x1-bn-relu,conv3x3-bn-relu,conv3x3-bn-relu,conv3x3-bn-relu,maxpool3x3"
CELL_HASH = "28cfc7874f6d200472e1a9dcd8650aa0"
CELL_MATRIX = "0111010000000100000010000100000000100000010000000"
CELL_OPERATIONS = f"input,{CELL.partition(':')[2]},output"
CELL_PARAMETERS = 2_694_282


@dataclass(frozen=True)
class Target:
    """One file to damage.

    Attributes:
        reader: What reads it; several targets may be of one reader.
        file_name: Name of the file.
        content: Bytes that are damaged.
        read: Asked to read the file, or its folder.
        pack: Makes the file's bytes of the damaged ones.
        beside: Further files of the folder.
    """

    reader: str
    file_name: str
    content: bytes
    read: Callable[[Path], None]
    pack: Callable[[bytes], bytes] = bytes
    beside: Mapping[str, bytes] = field(default_factory=dict)

    def write(self, folder: Path, damaged: bytes) -> Path:
        """Write the damaged file, and those beside it, into an empty folder; return the damaged one."""
        for name, content in self.beside.items():
            folder.joinpath(name).parent.mkdir(parents=True, exist_ok=True)
            folder.joinpath(name).write_bytes(content)
        path = folder / self.file_name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.pack(damaged))
        return path


def load_data_source(name: str) -> DataSource:
    """Return an installed data source."""
    info = installed_plugins().data_source(name).info
    data_source: DataSource = info.load_factory()(info)
    return data_source


def importing(name: str, *, folders_up: int = 0) -> Callable[[Path], None]:
    """Return what imports a file, or a folder above it, into the data directory, verifies it and removes it again."""
    data_source = load_data_source(name)

    def read(path: Path) -> None:
        import_data(data_source, path.parents[folders_up - 1] if folders_up else path, lambda done, total: None)
        verify_data(data_source, lambda done, total: None)
        remove_data(name)

    return read


def opening_table(path: Path) -> None:
    """Look all of a stored table up."""
    table = StoredTable.open(path)
    table.verify()
    for metric in table.metrics:
        table.values(metric, ["absent", *list(table.arch_ids)[:2]])


def describing_images(path: Path) -> None:
    """Use a user's own image archive."""
    dataset = describe_images(path).load_factory()()
    dataset.inputs(np.arange(len(dataset.labels())))


def describing_folder(path: Path) -> None:
    """Use a user's own image folder."""
    describing_images(path.parents[1])


def make_targets(scratch: Path) -> list[Target]:
    """Return all targets; ``scratch`` is an empty folder for files that are only needed while they are made."""
    data = [*_nasbench101(), *_nasbench201(scratch), *_nlp_logs(scratch), *_tables(scratch), *_images(), *_texts()]
    return [*data, *_results(scratch)]


def _frame(data: bytes) -> bytes:
    def masked(part: bytes) -> bytes:
        crc = int(google_crc32c.value(part))
        return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)

    length = struct.pack("<Q", len(data))
    return length + masked(length) + data + masked(data)


def _nasbench101() -> list[Target]:
    evaluations = [(0.0, 0.0, 0.1, 0.1, 0.1), (54.0, 900.5, 0.8, 0.7, 0.75), (108.0, 1800.25, 1.0, 0.93, 0.94)]
    metrics = official_files.model_metrics(evaluations, CELL_PARAMETERS)
    record = official_files.nasbench101_record(CELL_HASH, 108, CELL_MATRIX, CELL_OPERATIONS, metrics=metrics)
    read = importing("nasbench101")
    return [
        Target("nasbench101 .tfrecord", "a.tfrecord", 3 * _frame(record), read),
        Target("nasbench101 .tfrecord", "b.tfrecord", record, read, lambda data: _frame(record) + _frame(data)),
    ]


def _short(content: dict[str, Any]) -> dict[str, Any]:
    """Leave only the last epochs of the curves that are read, so that damage meets what is around them."""
    for info in content["arch2infos"].values():
        for results in info.values():
            for trial in results["all_results"].values():
                last = f"@{trial['epochs'] - 1}"
                accuracies = trial["eval_acc1es"].items()
                trial["eval_acc1es"] = {key: value for key, value in accuracies if key.endswith(last)}
                trial["train_times"] = None
                for curve in ("train_acc1es", "train_acc5es", "train_losses", "eval_losses", "eval_times"):
                    trial[curve] = {}
    return content


def _nasbench201(scratch: Path) -> list[Target]:
    pth, nats = importing("nasbench201"), importing("nasbench201", folders_up=1)
    seeds, epochs = {"full": (777,), "less": (777,)}, {"full": 200, "less": 12}
    content = _short(official_files.nasbench201_content(2, seeds=seeds, epochs=epochs, total=2))
    curves = official_files.nasbench201_content(1, seeds=seeds, epochs=epochs, total=1)
    legacy, zipped, whole = (
        official_files.write_nasbench201_pth(scratch / "a.pth", data, zipped=is_zip).read_bytes()
        for data, is_zip in ((content, False), (content, True), (curves, False))
    )
    renamed = {index: {"200": info["full"], "12": info["less"]} for index, info in content["arch2infos"].items()}
    packed = pickle.dumps({**content, "arch2infos": renamed}, protocol=4)
    meta = bz2.compress(pickle.dumps({**content, "arch2infos": None}, protocol=4))
    record = pickle.dumps(renamed[0], protocol=4)
    folder = "NATS-tss-v1_0-3ffb9-simple"
    return [
        Target("nasbench201 .pth", "a.pth", legacy, pth),
        Target("nasbench201 .pth", "b.pth", zipped, pth),
        Target("nasbench201 .pth", "c.pth", whole, pth),
        Target("nats-bench .pickle.pbz2", "a.pickle.pbz2", bz2.compress(packed), pth),
        Target("nats-bench .pickle.pbz2", "b.pickle.pbz2", packed, pth, bz2.compress),
        Target(
            "nats-bench folder",
            f"{folder}/000000.pickle.pbz2",
            record,
            nats,
            bz2.compress,
            beside={f"{folder}/meta.pickle.pbz2": meta},
        ),
    ]


def _zipped(name: str) -> Callable[[bytes], bytes]:
    def pack(data: bytes) -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name, data)
        return buffer.getvalue()

    return pack


def _nlp_logs(scratch: Path) -> list[Target]:
    recipe = '{"f": {"op": "linear", "input": ["x", "h_prev_0"]}, "h_new_0": {"op": "activation_tanh", "input": ["f"]}}'
    logs = [official_files.nlp_log(recipe, losses=[6.0, 5.5, 5.0]) for _ in range(2)]
    archive = official_files.write_nlp_logs(scratch / "logs.zip", logs)
    with zipfile.ZipFile(archive) as members:
        log = members.read(members.namelist()[0])
    read = importing("nasbench-nlp")
    vectors = b"recepie_id,v00,v01,v02\n1000000,0.5,-1.25,2.0\n1000001,1.5,0.125,-3.5\n"
    return [
        Target("nasbench-nlp .zip", "a.zip", archive.read_bytes(), read),
        Target("nasbench-nlp .zip", "b.zip", log, read, _zipped("log_stats_model_1.json")),
        Target("nasbench-nlp-embedding", "a.csv", vectors, importing("nasbench-nlp-embedding")),
    ]


def _tables(scratch: Path) -> list[Target]:
    import pandas as pd

    names = [official_files.nasbench201_architecture(index) for index in range(4000, 4006)]
    accuracies = np.linspace(80.5, 91.25, len(names))
    table = pd.DataFrame({"architecture": names, "cifar10/test_accuracy@200": accuracies, "index": range(len(names))})
    table["hardware/edgegpu_latency"] = 5.5
    text = table.to_csv(index=False).encode()
    read = importing("nasbench201")
    (scratch / "a.csv").write_bytes(text)
    data_source = load_data_source("nasbench201")
    (scratch / "stored").mkdir()
    data_source.import_from(scratch / "a.csv", scratch / "stored", lambda done, total: None)
    return [
        Target("interchange .csv", "a.csv", text, read),
        Target("interchange .csv", "b.csv.gz", gzip.compress(text), read),
        Target("interchange .csv", "c.csv.gz", text, read, gzip.compress),
        *_parquet(table, scratch / "a.parquet", read),
        Target("stored table", "table.h5", (scratch / "stored/table.h5").read_bytes(), opening_table),
    ]


def _parquet(table: Any, path: Path, read: Callable[[Path], None]) -> list[Target]:
    if importlib.util.find_spec("pyarrow") is None:
        return []
    table.to_parquet(path)
    return [Target("interchange .parquet", path.name, path.read_bytes(), read)]


def _tar(members: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def _images() -> list[Target]:
    from PIL import Image

    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (2, 3072), dtype=np.uint8)
    batch = pickle.dumps({b"data": pixels, b"labels": [3, 9], b"batch_label": b"batch"}, protocol=2)
    binary = b"".join(bytes([label]) + row.tobytes() for label, row in zip((3, 9), pixels, strict=True))
    small = rng.integers(0, 256, (3, 4, 4, 3), dtype=np.uint8)
    arrays, pictures = io.BytesIO(), {"png": io.BytesIO(), "jpeg": io.BytesIO()}
    np.savez(arrays, images=small, labels=np.arange(3))
    for kind, buffer in pictures.items():
        Image.fromarray(small.repeat(4, axis=1).repeat(4, axis=2)[0]).save(buffer, kind)
    archive = _tar({"cifar-10-batches-py/data_batch_1": batch})
    other = {"classes/b/other.png": pictures["png"].getvalue()}
    cifar10, in_folder = importing("cifar10"), importing("cifar10", folders_up=1)
    return [
        Target("cifar python version", "cifar-10-batches-py/data_batch_1", batch, in_folder),
        Target("cifar .tar.gz", "a.tar.gz", gzip.compress(archive), cifar10),
        Target("cifar .tar.gz", "b.tar.gz", archive, cifar10, lambda data: gzip.compress(data, 1)),
        Target("cifar binary version", "cifar-10-batches-bin/data_batch_1.bin", binary, in_folder),
        Target("images .npz", "a.npz", arrays.getvalue(), describing_images),
        Target("image folder", "classes/a/image.png", pictures["png"].getvalue(), describing_folder, beside=other),
        Target("image folder", "classes/a/image.jpg", pictures["jpeg"].getvalue(), describing_folder, beside=other),
    ]


def _texts() -> list[Target]:
    text = " = Title = \n \n the cat <unk> on the mat . \n größer \n".encode()
    read = importing("wikitext-2", folders_up=1)
    beside = {"wikitext-2/wiki.test.tokens": b"the cat \n"}
    return [Target("wikitext-2", "wikitext-2/wiki.train.tokens", text, read, beside=beside)]


def _results(scratch: Path) -> list[Target]:
    """Return a results file, one of a search, and their journals, damaged outside and inside their checksums."""
    evaluator = EvaluatorHeader("loss:seed=1", "loss", Direction.MINIMIZE, 1, {"seed": 1}, "0" * 16, "fuzz 1")
    scored = Record(Status.OK, 0.5, "", JobCost(1.0), {"value": (2.0, 0.5)}, {"16 images": "0a1b"})
    records = Records.of([scored, Record(Status.FAILED, float("nan"), "ValueError: größer"), PENDING])
    metric = Metric("cifar10", "test", "accuracy", 200, Direction.MAXIMIZE, "percent")
    column = GroundTruthColumn(metric, (90.5, 91.0, float("nan")), 0.9, "fuzz 1")
    plan = PlanHeader("nasbench101", "cifar10", 0, "uniform")
    results = Results(
        plan, ("a", "b", "c"), (column,), (EvaluatorResults(evaluator, records, 0),), {"created": "today"}
    )
    header = SearchHeader(plan.space, plan.dataset, evaluator, "evolution", {"population_size": 3}, 0, 1)
    proposals = tuple(Proposal(text, text, 0) for text in ("a", "b", "a", "c"))
    write_results(scratch / "r.h5", results)
    with new_results_file(scratch / "s.h5", results, Origin("search", header.search_id)) as file:
        write_search_group(file, StoredSearch(header, proposals, results, exhausted=False))
    run, search = (scratch / name for name in ("r.h5", "s.h5"))
    record = record_to_json((0, 2), scored)
    joined = [architecture_to_json(NewArchitecture("d", (92.0,))), proposal_to_json(4, Proposal("d", "d", 0))]
    return [
        Target("results .h5", "a.h5", run.read_bytes(), _reading_results),
        Target("results .h5", "b.h5", _descriptions(run), _reading_results, _redescribed(run)),
        Target("search .h5", "c.h5", search.read_bytes(), _reading_search),
        Target("search .h5", "d.h5", _descriptions(search), _reading_search, _redescribed(search)),
        *_journals(run, results.plan_id, [record]),
        *_journals(search, header.search_id, [record, *joined]),
    ]


def _reading_results(path: Path) -> None:
    selection = select(read_results(path))
    for part in selection.evaluators:
        part.records.count_by_status()


def _reading_search(path: Path) -> None:
    _reading_results(path)
    read_search(path)


def _reading_journal(path: Path) -> None:
    read = _reading_search if path.name.startswith("s") else _reading_results
    read(path.with_name(path.name.removesuffix(".journal")))


def _journals(path: Path, work_id: str, entries: list[dict[str, Any]]) -> list[Target]:
    header = {"format": JOURNAL_FORMAT, "format_version": JOURNAL_VERSION, "work_id": work_id}
    lines = "\n".join(json.dumps(entry) for entry in (header, *entries)).encode()
    beside = {path.name: path.read_bytes()}
    return [
        Target("journal", f"{path.name}.journal", _checksummed(lines), _reading_journal, beside=beside),
        Target("journal", f"{path.name}.journal", lines, _reading_journal, _checksummed, beside=beside),
    ]


def _checksummed(lines: bytes) -> bytes:
    return b"".join(b"%08x %s\n" % (zlib.crc32(line), line) for line in lines.split(b"\n"))


def _descriptions(path: Path) -> bytes:
    """Return all attributes of an HDF5 file: one a line, as path, name and JSON value."""
    lines: list[str] = []

    def take(name: str, element: h5py.Group | h5py.Dataset) -> None:
        for key, value in element.attrs.items():
            plain = value.decode() if isinstance(value, bytes) else value.item()
            lines.append(f"{name} {key} {json.dumps(plain)}")

    with h5py.File(path) as file:
        file.visititems(take)
    return "\n".join(lines).encode()


def _redescribed(path: Path) -> Callable[[bytes], bytes]:
    """Return what gives an HDF5 file other attributes."""
    content = path.read_bytes()

    def pack(lines: bytes) -> bytes:
        buffer = io.BytesIO(content)
        with h5py.File(buffer, "r+") as file:
            for line in lines.decode(errors="replace").replace("\0", "").split("\n"):
                name, key, value = [*line.split(" ", 2), "", ""][:3]
                if name and key and name in file:
                    with contextlib.suppress(ValueError):  # what no writer writes
                        write_attributes(file[name], **{key: _decoded(value)})
        return buffer.getvalue()

    return pack


def _decoded(text: str) -> Any:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, str | float | bool) or (type(value) is int and abs(value) < 2**63) else text
