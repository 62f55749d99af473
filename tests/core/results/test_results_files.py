import contextlib
import dataclasses
import fcntl
import math
import os
import resource
import shutil
import zlib

import h5py
import numpy as np
import pytest
from nasbench_toolkit.core.domain import Direction, JobCost, Metric, Record, Status
from nasbench_toolkit.core.errors import ResultsFileError, ResultsWriteError
from nasbench_toolkit.core.hdf5.writing import write_attributes
from nasbench_toolkit.core.results.journal import Journal, journal_path, read_journal, record_to_json
from nasbench_toolkit.core.results.lines import LockedLines
from nasbench_toolkit.core.results.merge import merge_results
from nasbench_toolkit.core.results.run_writer import ResultsWriter
from nasbench_toolkit.core.results.store import open_results, read_results, write_results

RECORD = Record(Status.OK, 0.1 + 0.2, "", JobCost(0.5, 0.25, 1.0), {"loss": (1.0, 0.5)}, {"16 images": "0a1b"})
FAILURE = Record(Status.FAILED, float("nan"), "ValueError: größer als 5")


@pytest.fixture
def plan(toy_plan):
    return toy_plan(("toy-width", "toy-random:mode=a/b"), samples=4)


@pytest.fixture
def finished(plan, tmp_path):
    path = tmp_path / "r.h5"
    with ResultsWriter.create(path, plan, {"created": "today"}, overwrite=False) as writer:
        writer.add((0, 0), RECORD)
        writer.add((1, 3), FAILURE)
    return path


def test_results_come_back_as_they_were_written(plan, finished) -> None:
    results = read_results(finished)
    assert results.plan == plan.header
    assert results.arch_ids == plan.arch_ids
    assert results.ground_truth == plan.ground_truth
    assert results.environment == {"created": "today"}
    assert [part.header for part in results.evaluators] == [spec.header for spec in plan.evaluators]
    assert results.evaluators[0].records[0] == RECORD
    failure = results.evaluators[1].records[3]
    assert (failure.status, failure.message) == (FAILURE.status, FAILURE.message)
    assert results.evaluators[0].records[1].status is Status.PENDING
    assert not journal_path(finished).exists()


def test_results_are_readable_with_plain_h5py(plan, finished) -> None:
    with h5py.File(finished) as file:
        assert file.attrs["format"] == b"nasbench-results"
        assert file["architectures"].asstr()[0] == plan.arch_ids[0]
        assert file["evaluators/toy-width/score"][0] == RECORD.score
        assert file["evaluators/toy-width/curves/loss"][0].tolist() == [1.0, 0.5]
        assert file["evaluators/toy-random:mode=a_b"].attrs["label"] == b"toy-random:mode=a/b"
        assert file["evaluators/toy-width"].attrs["batches"] == b'{"16 images": "0a1b"}'
        assert file["ground_truth/noise_test_accuracy@5"].attrs["unit"] == b"percent"


def test_seeds_of_an_evaluator_are_groups_of_their_own(toy_plan, tmp_path) -> None:
    plan, path = toy_plan(("toy-width",), samples=2, seeds=2), tmp_path / "r.h5"
    with ResultsWriter.create(path, plan, {}, overwrite=False) as writer:
        writer.add((1, 0), RECORD)
    with h5py.File(path) as file:
        assert file["evaluators/toy-width-seed1/score"][0] == RECORD.score
        assert [file[f"evaluators/toy-width-seed{seed}"].attrs["seed"] for seed in (0, 1)] == [0, 1]
    results = read_results(path)
    assert (results.plan.seeds, [part.seed for part in results.evaluators]) == ((0, 1), [0, 1])
    assert results.headers == (plan.evaluators[0].header,)


@pytest.mark.parametrize("seed", [0, 2], ids=["twice", "unknown"])
def test_seeds_that_are_not_those_of_the_plan_are_refused(toy_plan, tmp_path, seed) -> None:
    plan, path = toy_plan(("toy-width",), samples=2, seeds=2), tmp_path / "r.h5"
    with ResultsWriter.create(path, plan, {}, overwrite=False):
        pass
    with h5py.File(path, "r+") as file:
        file["evaluators/toy-width-seed1"].attrs["seed"] = seed
    with pytest.raises(ResultsFileError, match="damaged"):
        read_results(path)


def test_results_of_an_unfinished_run_include_its_journal(plan, tmp_path) -> None:
    path = tmp_path / "r.h5"
    writer = ResultsWriter.create(path, plan, {}, overwrite=False)
    writer.add((0, 2), RECORD)
    assert read_results(path).evaluators[0].records[2] == RECORD
    with h5py.File(path) as file:
        assert file["evaluators/toy-width/status"].asstr()[2] == "pending"


def test_interrupt_while_a_record_is_written_loses_nothing(plan, tmp_path, monkeypatch) -> None:
    append = LockedLines.append_line

    def append_and_interrupt(lines, entry) -> None:
        append(lines, entry)
        if entry.get("job") == (0, 2):
            raise KeyboardInterrupt

    monkeypatch.setattr(LockedLines, "append_line", append_and_interrupt)
    path = tmp_path / "r.h5"
    with pytest.raises(KeyboardInterrupt), ResultsWriter.create(path, plan, {}, overwrite=False) as writer:
        writer.add((0, 2), RECORD)
    assert not journal_path(path).exists()
    assert read_results(path).evaluators[0].records[2] == RECORD


def test_journal_cut_at_any_place_loses_only_the_line_that_is_cut(plan, tmp_path) -> None:
    path = journal_path(tmp_path / "r.h5")
    writer = ResultsWriter.create(tmp_path / "r.h5", plan, {}, overwrite=False)
    for arch in range(3):
        writer.add((0, arch), RECORD)
    content = path.read_bytes()
    for cut in range(len(content) + 1):
        path.write_bytes(content[:cut])
        whole_lines = content[:cut].count(b"\n")
        assert list(read_journal(path).records) == [(0, arch) for arch in range(whole_lines - 1)]


@pytest.mark.parametrize("cut", [1, 10, 60])
def test_journal_line_cut_short_by_a_kill_loses_only_its_own_job(plan, tmp_path, cut: int) -> None:
    path = tmp_path / "r.h5"
    writer = ResultsWriter.create(path, plan, {}, overwrite=False)
    writer.add((0, 0), RECORD)
    writer.add((0, 1), RECORD)
    os.truncate(journal_path(path), journal_path(path).stat().st_size - cut)
    assert [record.status for record in read_results(path).evaluators[0].records[:2]] == ["ok", "pending"]


def test_journal_with_a_damaged_line_is_refused(plan, tmp_path) -> None:
    path = tmp_path / "r.h5"
    writer = ResultsWriter.create(path, plan, {}, overwrite=False)
    writer.add((0, 0), RECORD)
    writer.add((0, 1), RECORD)
    content = journal_path(path).read_bytes().replace(b'"job":[0,0]', b'"job":[0,3]')
    journal_path(path).write_bytes(content)
    with pytest.raises(ResultsFileError, match=r"r.h5.journal' is damaged at line 2"):
        read_results(path)
    assert journal_path(path).read_bytes() == content


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (b"[1]", "has no valid entry at line 2"),
        (b"{", "has no valid entry at line 2"),
        (b'{"job":[0,0]}', "has no valid entry at line 2: it names no kind"),
        (b'{"kind":"record"}', "has no valid record at line 2: it has no 'job'"),
        (
            b'{"kind":"architecture","arch_id":"a","ground_truth":["b"]}',
            "has no valid architecture at line 2",
        ),
        (
            b'{"kind":"record","job":[0,0],"status":"ok","score":null,"message":"","cost":[0,0,0,0,0,0],"curves":{},'
            b'"batches":{},"traceback":""}',
            "has no valid record at line 2: status ok and score nan",
        ),
    ],
)
def test_journal_with_an_entry_that_says_nothing_is_refused(plan, tmp_path, entry, message) -> None:
    path = tmp_path / "r.h5"
    ResultsWriter.create(path, plan, {}, overwrite=False)
    with journal_path(path).open("ab") as file:
        file.write(b"%08x %s\n" % (zlib.crc32(entry), entry))
    with pytest.raises(ResultsFileError, match=message):
        read_results(path)


def test_journal_of_another_run_is_refused(plan, toy_plan, tmp_path) -> None:
    writer = ResultsWriter.create(tmp_path / "a.h5", plan, {}, overwrite=False)
    writer.add((0, 0), RECORD)
    with ResultsWriter.create(tmp_path / "b.h5", toy_plan(seed=9), {}, overwrite=False):
        pass
    shutil.copy(tmp_path / "a.h5.journal", tmp_path / "b.h5.journal")
    with pytest.raises(ResultsFileError, match="belongs to another run"):
        read_results(tmp_path / "b.h5")


def test_create_never_replaces_a_file_unasked(plan, finished) -> None:
    before = finished.read_bytes()
    with pytest.raises(ResultsFileError, match="exists. Continue it with --resume, replace it with --overwrite"):
        ResultsWriter.create(finished, plan, {}, overwrite=False)
    assert finished.read_bytes() == before
    with ResultsWriter.create(finished, plan, {}, overwrite=True):
        pass
    assert read_results(finished).evaluators[0].done == 0


def test_resume_keeps_what_is_there(plan, finished) -> None:
    with ResultsWriter.resume(finished, plan, {"created": "tomorrow"}) as writer:
        assert writer.record((0, 0)) == RECORD
        assert (writer.status((0, 0)), writer.status((0, 1))) == ("ok", "pending")
        writer.add((0, 1), RECORD)
        assert (writer.status((0, 1)), writer.record((0, 1))) == ("ok", RECORD)
    results = read_results(finished)
    assert results.evaluators[0].done == 2
    assert results.environment == {"created": "today"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 5}, r"differs in: seeds \(seed 0 in the file, seed 5 now\)"),
        ({"evaluators": ("toy-width",)}, "differs in: evaluators"),
        ({"samples": 5}, r"number of architectures \(4 in the file, 5 now\)"),
        ({"evaluators": ("toy-width:seconds=2", "toy-random:mode=a/b")}, "evaluators"),
    ],
    ids=["seed", "evaluators", "samples", "settings"],
)
def test_resume_with_another_plan_says_what_differs(toy_plan, finished, change, message: str) -> None:
    before = finished.read_bytes()
    same = {"evaluators": ("toy-width", "toy-random:mode=a/b"), "samples": 4}
    with pytest.raises(ResultsFileError, match=message):
        ResultsWriter.resume(finished, toy_plan(**(same | change)), {})
    assert finished.read_bytes() == before


def test_two_runs_cannot_write_one_file(plan, tmp_path) -> None:
    path = tmp_path / "r.h5"
    with (
        ResultsWriter.create(path, plan, {}, overwrite=False),
        pytest.raises(ResultsFileError, match=r"Another run is writing 'r.h5' now"),
    ):
        ResultsWriter.resume(path, plan, {})


@contextlib.contextmanager
def largest_file(size: int):
    """Let writes beyond ``size`` bytes fail, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_resume_reads_nothing_before_it_holds_the_lock(plan, finished, monkeypatch) -> None:
    from nasbench_toolkit.core.results import run_writer as module

    def open_while_locked(path):
        with pytest.raises(ResultsFileError, match="Another run is writing"):
            Journal(journal_path(path), plan.plan_id)
        return open_results(path)

    monkeypatch.setattr(module, "open_results", open_while_locked)
    with ResultsWriter.resume(finished, plan, {}) as writer:
        assert writer.record((0, 0)) == RECORD


def test_journal_that_another_run_removed_meanwhile_is_opened_anew(plan, tmp_path, monkeypatch) -> None:
    path, flock = tmp_path / "r.h5.journal", fcntl.flock

    def remove_then_lock(descriptor: int, operation: int) -> None:
        monkeypatch.setattr(fcntl, "flock", flock)
        path.unlink()
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", remove_then_lock)
    journal = Journal(path, plan.plan_id)
    journal.clear()
    journal.append_line(record_to_json((0, 0), RECORD))
    assert read_journal(path).records == {(0, 0): RECORD}


def test_journal_without_its_results_file_is_kept_and_explained(plan, tmp_path) -> None:
    path = tmp_path / "r.h5"
    writer = ResultsWriter.create(path, plan, {}, overwrite=False)
    writer.add((0, 0), RECORD)
    writer._journal.close(remove=False)
    path.unlink()
    before = journal_path(path).read_bytes()
    with pytest.raises(ResultsFileError, match=r"r.h5.journal' is left from a run whose results file is gone"):
        ResultsWriter.resume(path, plan, {})
    assert journal_path(path).read_bytes() == before


def test_full_disk_while_a_record_is_written_keeps_everything_before_it(plan, tmp_path) -> None:
    path = tmp_path / "r.h5"
    writer = ResultsWriter.create(path, plan, {}, overwrite=False)
    writer.add((0, 0), RECORD)
    room = journal_path(path).stat().st_size + 30
    with (
        largest_file(room),
        pytest.raises(ResultsWriteError, match=r"File too large. Everything up to here is kept"),
    ):
        writer.add((0, 1), RECORD)
    statuses = [record.status for record in read_results(path).evaluators[0].records]
    assert statuses == ["ok", "pending", "pending", "pending"]


def test_full_disk_while_the_file_is_brought_up_to_date_keeps_file_and_journal(plan, tmp_path) -> None:
    path = tmp_path / "r.h5"
    writer = ResultsWriter.create(path, plan, {}, overwrite=False)
    writer.add((0, 0), RECORD)
    with largest_file(2000), pytest.raises(ResultsWriteError, match=r"Cannot write '.*r.h5'"), writer:
        pass
    assert read_results(path).evaluators[0].records[0] == RECORD
    assert sorted(found.name for found in tmp_path.iterdir()) == ["r.h5", "r.h5.journal"]


def damage_truncate(path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def damage_bytes(path) -> None:
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    for offset in range(middle, middle + 600):
        content[offset] ^= 0x5A
    path.write_bytes(content)


def damage_empty(path) -> None:
    path.write_bytes(b"")


def damage_text(path) -> None:
    path.write_text("not HDF5 at all")


def damage_shape(path) -> None:
    with h5py.File(path, "r+") as file:
        del file["evaluators/toy-width/score"]
        file["evaluators/toy-width/score"] = [1.0]


def damage_status(path) -> None:
    with h5py.File(path, "r+") as file:
        del file["evaluators/toy-width/status"]
        file["evaluators/toy-width/status"] = [b"great"] * 4


def damage_missing_group(path) -> None:
    with h5py.File(path, "r+") as file:
        del file["ground_truth"]


def damage_bomb(path) -> None:
    with h5py.File(path, "r+") as file:
        del file["architectures"]
        file.create_dataset("architectures", (2**31,), "S8", chunks=(2**20,), compression="gzip")


def damage_plan(path) -> None:
    with h5py.File(path, "r+") as file:
        file["plan"].attrs["seed"] = 99


def damage_description(path) -> None:
    path.write_bytes(path.read_bytes().replace(b"percent", b"percenu"))


def damage_attribute_kind(path) -> None:
    with h5py.File(path, "r+") as file:
        file["plan"].attrs["seed"] = [1, 2]


@pytest.mark.parametrize(
    "damage",
    [
        damage_truncate, damage_bytes, damage_empty, damage_text, damage_shape, damage_status, damage_missing_group,
        damage_plan, damage_bomb, damage_description, damage_attribute_kind,
    ],
)  # fmt: skip
def test_damaged_file_is_refused_named_and_left_untouched(plan, finished, damage) -> None:
    damage(finished)
    before = finished.read_bytes()
    for use in (read_results, lambda path: ResultsWriter.resume(path, plan, {})):
        with pytest.raises(ResultsFileError, match=r"r.h5' is damaged.*It was left as it is"):
            use(finished)
    assert finished.read_bytes() == before
    assert not journal_path(finished).exists()


def test_foreign_hdf5_file_is_refused(tmp_path) -> None:
    path = tmp_path / "other.h5"
    with h5py.File(path, "w") as file:
        file["weights"] = [1, 2, 3]
    with pytest.raises(ResultsFileError, match="is an HDF5 file, but not one that 'nasbench run' wrote"):
        read_results(path)


def test_newer_file_is_refused_with_the_remedy(finished) -> None:
    with h5py.File(finished, "r+") as file:
        file.attrs["format_version"] = 2
    with pytest.raises(ResultsFileError, match="layout version 2, this nasbench reads up to 1. Upgrade"):
        read_results(finished)


ACCURACY = "ground_truth/noise_test_accuracy@5"


@pytest.mark.parametrize(
    ("path", "attribute", "value", "message"),
    [
        ("plan", "seed", 1.5, "'seed' must be a whole number, it is float"),
        ("plan", "seed", 99, "its plan and its hash differ"),
        ("plan", "space", 3, "'space' must be a text, it is int"),
        ("plan", "aggregates", "[1]", "'aggregates' must hold texts"),
        ("plan", "encoding_type", "nasbench-search", "'/plan' should have encoding_type 'nasbench-plan'"),
        ("plan", "encoding_version", 0, "'/plan' has version 0 of nasbench-plan"),
        ("environment", "created", 3, "'created' must be a text"),
        (ACCURACY, "epochs", 4, "has a key that is not that of its metric"),
        (ACCURACY, "direction", "up", "'up' is not a valid Direction"),
        (ACCURACY, "noise_ceiling", "high", "'noise_ceiling' must be a number, it is str"),
        ("evaluators/toy-width", "settings", "[]", "'settings' must be a JSON object"),
        ("evaluators/toy-width", "batches", '{"16 images": 1}', "'batches' must hold texts"),
    ],
)
def test_file_with_a_wrong_description_is_refused(finished, path, attribute, value, message) -> None:
    with h5py.File(finished, "r+") as file:
        write_attributes(file[path], **{attribute: value})
    with pytest.raises(ResultsFileError, match=f"r.h5' is damaged or not a results file .*{message}"):
        read_results(finished)


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("status", [b"great"] * 4, "has the status 'great'"),
        ("status", [b"ok"] * 4, "'/evaluators/toy-width' has status ok and score nan in row 1"),
        ("status", [b"failed"] * 4, "has status failed and score 0.3.* in row 0"),
        ("message", [b"\xff"] * 4, "can't decode byte"),
        ("score", [1, 2, 3, 4], "must hold 4 numbers"),
        ("seconds_build", [1.0], "must hold 4 numbers"),
    ],
)
def test_column_with_wrong_values_is_refused(finished, column, values, message) -> None:
    with h5py.File(finished, "r+") as file:
        del file[f"evaluators/toy-width/{column}"]
        file[f"evaluators/toy-width/{column}"] = np.array(values)
    with pytest.raises(ResultsFileError, match=f"r.h5' is damaged or not a results file .*{message}"):
        read_results(finished)


@pytest.mark.parametrize(
    "element", ["plan", "environment", "architectures", "ground_truth", ACCURACY, "evaluators/toy-width"]
)
def test_newer_element_is_refused_with_the_remedy(finished, element) -> None:
    with h5py.File(finished, "r+") as file:
        known = int(file[element].attrs["encoding_version"])
        file[element].attrs["encoding_version"] = known + 1
    message = f"'/{element}' in version {known + 1} of nasbench-.* reads up to {known}. Upgrade with"
    with pytest.raises(ResultsFileError, match=message):
        read_results(finished)


def test_missing_file_is_told_of_those_beside_it(finished) -> None:
    finished.rename(finished.with_name("search-seed0.h5"))
    with pytest.raises(ResultsFileError, match=r"There is no file '.*/search.h5'. Did you mean 'search-seed0.h5'\? "):
        read_results(finished.with_name("search.h5"))


def test_missing_file_and_directory_are_named(tmp_path) -> None:
    with pytest.raises(ResultsFileError, match="There is no file"):
        read_results(tmp_path / "none.h5")
    with pytest.raises(ResultsFileError, match="is a directory"):
        read_results(tmp_path)


@pytest.mark.parametrize(("target", "message"), [("", "is a directory"), ("missing/r.h5", "does not exist. Create it")])
def test_create_in_an_impossible_place(plan, tmp_path, target: str, message: str) -> None:
    with pytest.raises(ResultsFileError, match=message):
        ResultsWriter.create(tmp_path / target, plan, {}, overwrite=False)


def test_merge_joins_shards(plan, tmp_path) -> None:
    for name, jobs in (("a", [(0, 0), (1, 0)]), ("b", [(0, 1), (1, 1)])):
        with ResultsWriter.create(tmp_path / f"{name}.h5", plan, {}, overwrite=False) as writer:
            for job in jobs:
                writer.add(job, RECORD)
    merged = merge_results([tmp_path / "a.h5", tmp_path / "b.h5"])
    write_results(tmp_path / "merged.h5", merged)
    statuses = [record.status for record in read_results(tmp_path / "merged.h5").evaluators[1].records]
    assert statuses == ["ok", "ok", "pending", "pending"]


def test_merge_refuses_other_plans_and_contradictions(plan, toy_plan, finished, tmp_path) -> None:
    with ResultsWriter.create(tmp_path / "other.h5", toy_plan(seed=4), {}, overwrite=False):
        pass
    with pytest.raises(ResultsFileError, match=r"r.h5' and '.*other.h5' come from different plans"):
        merge_results([finished, tmp_path / "other.h5"])
    with ResultsWriter.create(tmp_path / "same.h5", plan, {}, overwrite=False) as writer:
        writer.add((0, 0), Record(Status.OK, 0.5))
    with pytest.raises(ResultsFileError, match="same job must have the same score"):
        merge_results([finished, tmp_path / "same.h5"])


def test_metric_without_epochs_and_with_a_reduction_comes_back(plan, tmp_path) -> None:
    metric = Metric("hardware", "edgegpu", "latency", None, Direction.MINIMIZE, "ms", "mean of 3 runs")
    column = dataclasses.replace(plan.ground_truth[0], metric=metric)
    path = tmp_path / "r.h5"
    with ResultsWriter.create(path, dataclasses.replace(plan, ground_truth=(column,)), {}, overwrite=False):
        pass
    assert read_results(path).ground_truth[0].metric == metric


OTHER_IMAGES = dataclasses.replace(RECORD, batches={"16 images": "ffff"})


def test_resume_with_other_images_is_refused_and_keeps_the_scores(plan, finished) -> None:
    with (
        ResultsWriter.resume(finished, plan, {}) as writer,
        pytest.raises(ResultsFileError, match="made from other inputs: its batch of 16 images has the digest 0a1b"),
    ):
        writer.add((0, 1), OTHER_IMAGES)
    assert [record.status for record in read_results(finished).evaluators[0].records[:2]] == ["ok", "pending"]


def test_merge_of_shards_with_other_images_is_refused(plan, finished, tmp_path) -> None:
    other = tmp_path / "other.h5"
    with ResultsWriter.create(other, plan, {}, overwrite=False) as writer:
        writer.add((0, 1), OTHER_IMAGES)
    with pytest.raises(ResultsFileError, match="the batches of 16 images that 'toy-width' saw differ"):
        merge_results([finished, other])


@pytest.mark.parametrize(
    ("begun", "continued", "made", "shards"),
    [
        (
            {"threads_per_worker": "1"},
            {"threads_per_worker": "4"},
            "with 1 math threads a worker, and 4 would change .* Continue it with --threads 1,",
            "with 1 math threads a worker on cpu, '.*' with 4 on cpu",
        ),
        (
            {"devices": "cuda:0 (Some GPU), cuda:1 (Some GPU)"},
            {"devices": "cpu, cpu"},
            "on a device of the kind cuda, and cpu would change .* Continue it with --device cuda,",
            "with 1 math threads a worker on cuda, '.*' with 1 on cpu",
        ),
    ],
    ids=["threads", "devices"],
)
def test_last_digits_are_of_one_kind(plan, tmp_path, begun, continued, made, shards) -> None:
    paths = [tmp_path / "begun.h5", tmp_path / "other.h5"]
    for path, environment in zip(paths, (begun, continued), strict=True):
        with ResultsWriter.create(path, plan, environment, overwrite=False) as writer:
            writer.add((0, 0), RECORD)
    before = paths[0].read_bytes()
    with pytest.raises(ResultsFileError, match=made):
        ResultsWriter.resume(paths[0], plan, continued)
    with pytest.raises(ResultsFileError, match=made):
        ResultsWriter.extend(paths[0], plan, continued, "nasbench run")
    with pytest.raises(ResultsFileError, match=shards):
        merge_results(paths)
    assert paths[0].read_bytes() == before


def test_other_devices_of_the_kind_go_on(plan, tmp_path) -> None:
    with ResultsWriter.create(tmp_path / "r.h5", plan, {"devices": "cuda:0 (Some GPU)"}, overwrite=False):
        pass
    with ResultsWriter.resume(tmp_path / "r.h5", plan, {"devices": "cuda:1 (Another), cuda:2 (Another)"}) as writer:
        writer.add((0, 0), RECORD)
    assert read_results(tmp_path / "r.h5").evaluators[0].records[0].status == "ok"


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"space_version": "toy 2.0"}, "version of the space 'toy' \\(toy-plugin 1.0, then toy 2.0\\)"),
        ({"dataset_version": "toy 2.0"}, "version of the dataset 'noise' \\(toy-plugin 1.0, then toy 2.0\\)"),
    ],
)
def test_versions_are_not_mixed(plan, finished, tmp_path, change, what) -> None:
    newer = dataclasses.replace(plan, header=dataclasses.replace(plan.header, **change))
    with ResultsWriter.create(tmp_path / "newer.h5", newer, {}, overwrite=False):
        pass
    with pytest.raises(ResultsFileError, match=f"were made with different versions: {what}. Scores of two versions"):
        merge_results([finished, tmp_path / "newer.h5"])
    now = what.replace(", then ", " in the file, ").replace("\\)", " now\\)")
    with pytest.raises(ResultsFileError, match=f"was made by another plan; it differs in: {now}"):
        ResultsWriter.resume(finished, newer, {})


def test_curves_of_all_names_are_stored(plan, tmp_path) -> None:
    curves = {"train/loss": (1.0,), "train_loss": (2.0,), ".": (3.0,), "..": (4.0,), "損失": (5.0,), "n" * 600: (6.0,)}
    record = dataclasses.replace(RECORD, curves=curves, traceback="")
    with ResultsWriter.create(tmp_path / "r.h5", plan, {}, overwrite=False) as writer:
        writer.add((0, 0), record)
    assert read_results(tmp_path / "r.h5").evaluators[0].records[0].curves == curves


def test_infinite_points_of_curves_come_back(plan, tmp_path) -> None:
    curves = {"loss": (math.inf, 2.0, -math.inf)}
    record = dataclasses.replace(RECORD, curves=curves, traceback="")
    path = tmp_path / "r.h5"
    with ResultsWriter.create(path, plan, {}, overwrite=False) as writer:
        writer.add((0, 0), record)
        assert read_results(path).evaluators[0].records[0].curves == curves
    assert read_results(path).evaluators[0].records[0].curves == curves


def test_tracebacks_come_back_and_are_stored_once(plan, tmp_path) -> None:
    failures = [dataclasses.replace(FAILURE, traceback=text) for text in ("first\n", "second\n", "first\n")]
    with ResultsWriter.create(tmp_path / "r.h5", plan, {}, overwrite=False) as writer:
        for row, failure in enumerate(failures):
            writer.add((0, row), failure)
    records = read_results(tmp_path / "r.h5").evaluators[0].records
    assert [record.traceback for record in records] == ["first\n", "second\n", "first\n", ""]
    with h5py.File(tmp_path / "r.h5") as file:
        assert file["evaluators/toy-width/traceback"].shape == (2,)
