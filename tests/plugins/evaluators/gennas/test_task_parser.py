import copy
import json
import os

import pytest
from nasbench_toolkit.plugins.evaluators.gennas import published_tasks
from nasbench_toolkit.plugins.evaluators.gennas.errors import InvalidTaskError
from nasbench_toolkit.plugins.evaluators.gennas.task import frequency_grid, task_to_json, task_to_text
from nasbench_toolkit.plugins.evaluators.gennas.task_parser import MAX_FILE_BYTES, parse_task, read_task_file

PUBLISHED = {
    task.name: task
    for task in (
        published_tasks.SINGLE,
        published_tasks.COMBO,
        published_tasks.SEARCH_N,
        published_tasks.SEARCH_D,
        published_tasks.SEARCH_R,
    )
}
DELETE = object()


@pytest.fixture
def example(example_task_file):
    return json.loads(example_task_file.read_text())


def changed(example, path, value):
    """Return a copy of the task with the field at ``path`` set, added or deleted."""
    task = copy.deepcopy(example)
    inner = task
    for step in path[:-1]:
        inner = inner[step]
    if value is DELETE:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return task


SIGNAL = ("stages", 0, "signals", 0)
DOTS = ("stages", 1, "signals", 0)
BAD_FIELDS = {
    "no-noise": (("noise",), DELETE, r"task lacks the field 'noise'. Its fields are name, batch"),
    "typo": (("train_weight",), [1, 1, 1], r"unknown field \"train_weight\". Did you mean 'train_weights'"),
    "recurrent": (("dim",), 48, r"task has an unknown field \"dim\""),
    "name": (("name",), 3, r"name must be a text, got 3"),
    "batch-zero": (("batch",), 0, r"batch must be a whole number from 1 to 1024, got 0"),
    "batch-fraction": (("batch",), 16.0, r"batch must be a whole number from 1 to 1024, got 16.0"),
    "batch-true": (("batch",), True, r"batch must be a whole number from 1 to 1024, got true"),
    "noise-kind": (("noise", "kind"), "gausian", r"noise.kind must be one of gaussian, uniform.*mean 'gaussian'"),
    "noise-level": (("noise", "level"), 1.5, r"noise.level must be a number, at least 0 and at most 1, got 1.5"),
    "two-stages": (("stages",), [], r"stages must be a list of 3, got 0 items"),
    "stages-object": (("stages",), {}, r"stages must be a list of 3, got {}"),
    "channels": (("stages", 2, "channels"), 2000, r"stages\[2\].channels must be a whole number from 1 to 1024"),
    "signals": (("stages", 1, "signals"), "dot", r"stages\[1\].signals must be a list, got \"dot\""),
    "signal": (SIGNAL, "dot", r"stages\[0\].signals\[0\] must be an object with basis, got \"dot\""),
    "no-basis": ((*SIGNAL, "basis"), DELETE, r"stages\[0\].signals\[0\] lacks the field 'basis'"),
    "basis": ((*SIGNAL, "basis"), "sin1", r"signals\[0\].basis must be one of .* got \"sin1\". .*'sin1d'"),
    "basis-list": ((*SIGNAL, "basis"), ["dot"], r"signals\[0\].basis must be one of"),
    "amp-text": ((*SIGNAL, "amp"), "1", r"signals\[0\].amp must be a number, finite, got \"1\""),
    "amp-nan": ((*SIGNAL, "amp"), float("nan"), r"signals\[0\].amp must be a number, finite, got NaN"),
    "amp-huge": ((*SIGNAL, "amp"), 10**400, r"signals\[0\].amp must be a number, finite, got 1000"),
    "scope": ((*SIGNAL, "scope"), "batch", r"signals\[0\].scope must be one of local, global, got \"batch\""),
    "band": ((*SIGNAL, "freqs"), "H11", r"signals\[0\].freqs must be one of L10, M10, H10, got \"H11\""),
    "nine-freqs": ((*SIGNAL, "freqs"), [0.1] * 9, r"freqs must be a list of 10 or one of L10, .* got 9 items"),
    "freq-zero": ((*SIGNAL, "freqs"), [0.1] * 9 + [0], r"freqs\[9\] must be above 0 cycles per pixel, got 0"),
    "freq-high": ((*SIGNAL, "freqs"), [0.6] * 10, r"freqs\[0\] must be a number, at least 0 and at most 0.5"),
    "sine-density": ((*SIGNAL, "density"), 0.5, r"signals\[0\] has an unknown field \"density\""),
    "density-none": ((*DOTS, "density"), 0.01, r"stages\[1\].signals\[0\].density must be .* at least 0.015625"),
    "density-high": ((*DOTS, "density"), 1.1, r"stages\[1\].signals\[0\].density must be .* at most 1, got 1.1"),
    "resize-scope": (("stages", 2, "signals", 1, "scope"), "local", r"unknown field \"scope\""),
    "weights-two": (("train_weights",), [1, 1], r"train_weights must be a list of 3, got 2 items"),
    "weights-null": (("eval_weights",), None, r"eval_weights must be a list of 3, got null"),
    "weights-negative": (("eval_weights",), [1, -1, 1], r"eval_weights\[1\] must be a number, at least 0, got -1"),
    "weights-zero": (("train_weights",), [0, 0, 0], r"train_weights must have a weight above 0, got three zeros"),
}  # fmt: skip


@pytest.mark.parametrize(("path", "value", "message"), BAD_FIELDS.values(), ids=BAD_FIELDS)
def test_parse_task_refuses(example, path, value, message) -> None:
    with pytest.raises(InvalidTaskError, match=message):
        parse_task(changed(example, path, value))


def test_parse_task_refuses_a_list() -> None:
    with pytest.raises(InvalidTaskError, match=r"task must be an object with name, batch, noise, stages, got \[\]"):
        parse_task([])


def test_parse_task_refuses_a_second_signal_of_a_basis(example) -> None:
    example["stages"][2]["signals"].append({"basis": "resize", "amp": 1})
    with pytest.raises(InvalidTaskError, match=r"stages\[2\].signals\[2\].basis is a second 'resize'"):
        parse_task(example)


@pytest.mark.parametrize(("stage", "basis", "most"), [(0, "sin1d", 640), (2, "resize", 1000)], ids=["sin1d", "resize"])
def test_parse_task_refuses_more_channels_than_maps(example, stage, basis, most) -> None:
    assert parse_task(changed(example, ("stages", stage, "channels"), most)).stages[stage].channels == most
    with pytest.raises(InvalidTaskError, match=rf"must be at most {most} with basis '{basis}', got {most + 1}"):
        parse_task(changed(example, ("stages", stage, "channels"), most + 1))


def test_parse_task_reads_every_field(example) -> None:
    task = parse_task(example)
    assert (task.name, task.batch, task.noise.kind, task.noise.level) == ("example", 8, "uniform", 0.1)
    assert [stage.channels for stage in task.stages] == [16, 16, 32]
    assert (task.train_weights, task.eval_weights) == ((0.5, 0.5, 1.0), (0.25, 0.5, 1.0))
    (blurred,) = task.stages[1].signals
    assert (blurred.basis, blurred.amp, blurred.scope, blurred.density) == ("gdot", 0.5, "local", 0.25)
    assert task_to_json(task) == example


@pytest.mark.parametrize("name", PUBLISHED)
def test_task_survives_its_json(name) -> None:
    task = PUBLISHED[name]
    assert parse_task(json.loads(task_to_text(task))) == task


def test_frequency_grids_are_those_of_the_original_code() -> None:
    assert frequency_grid("H10") == pytest.approx([0.375 + 0.0125 * k for k in range(10)], abs=1e-15)
    assert frequency_grid("M10") == pytest.approx([0.125 + 0.025 * k for k in range(10)], abs=1e-15)
    assert frequency_grid("L10") == pytest.approx([0.0125 * (k + 0.5) for k in range(10)], abs=1e-15)


def describe(task):
    """Return (channels, [(basis, amp, scope, density, band or mean frequency)]) for each stage."""

    def parameter(signal):
        if isinstance(signal.freqs, tuple):
            return round(sum(signal.freqs) / 10, 6)
        return signal.freqs or signal.density

    return [
        (stage.channels, [(signal.basis, signal.amp, signal.scope, parameter(signal)) for signal in stage.signals])
        for stage in task.stages
    ]


def test_published_tasks_are_those_of_the_paper() -> None:
    dense = ("dot", 1.0, "local", 1.0)
    high, resized = ("sin1d", 1.0, "local", "H10"), ("resize", 1.0, None, None)
    assert describe(published_tasks.SINGLE) == [(64, []), (64, []), (64, [dense])]
    assert describe(published_tasks.COMBO) == [
        (64, [high, ("sin2d", 1.0, "local", "H10"), dense]),
        (64, [high, ("sin2d", 1.0, "local", "M10"), resized]),
        (64, [high, resized, dense]),
    ]
    assert describe(published_tasks.SEARCH_D) == [
        (80, [("resize", 1.3, None, None), ("gdot", 1.6, "local", 0.5)]),
        (
            32,
            [("resize", 2.1, None, None), ("dot", 2.2, "local", 0.71875), ("gdot", 1.0, "global", 0.609375)],
        ),
        (80, [("resize", 0.5, None, None), ("gdot", 1.7, "local", 0.5625)]),
    ]
    assert describe(published_tasks.SEARCH_N) == [
        (64, [("sin2d", 1.1, "local", 0.017152)]),
        (48, [("sin1d", 1.8, "local", 0.298668), ("sin2d", 2.9, "local", 0.347915), ("resize", 2.4, None, None),
              ("gdot", 1.1, "local", 0.578125)]),
        (16, [("sin1d", 1.5, "global", 0.123855), ("sin2d", 0.9, "global", 0.166618), ("resize", 2.2, None, None),
              ("gdot", 2.1, "global", 0.4375)]),
    ]  # fmt: skip
    assert describe(published_tasks.SEARCH_R) == [
        (16, [("sin1d", 1.1, "global", 0.315472), ("dot", 0.5, "global", 0.09375)]),
        (16, [("sin2d", 1.2, "local", 0.158621), ("resize", 2.3, None, None), ("dot", 2.9, "local", 0.3125)]),
        (32, [("sin2d", 1.8, "local", 0.331515), ("gdot", 2.1, "global", 0.5)]),
    ]


@pytest.mark.parametrize(
    ("name", "kind", "level"),
    [("single", "gaussian", 0), ("combo", "gaussian", 0), ("search-N", "uniform", 0.1),
     ("search-D", "gaussian", 0.2), ("search-R", "gaussian", 0.9)],
)  # fmt: skip
def test_published_noise_and_batch(name, kind, level) -> None:
    task = PUBLISHED[name]
    assert (task.noise.kind, task.noise.level, task.batch) == (kind, level, 16)


def test_read_task_file(example_task_file, example) -> None:
    assert read_task_file(str(example_task_file), parse_task) == parse_task(example)


def test_read_task_file_ignores_layout(tmp_path, example_task_file, example) -> None:
    (tmp_path / "other.json").write_text(json.dumps(dict(reversed(example.items())), indent=7))
    assert task_to_text(read_task_file(str(tmp_path / "other.json"), parse_task)) == task_to_text(parse_task(example))


BAD_FILES = {
    "text": ("not json", r"is not JSON: Expecting value"),
    "bytes": (b"\xff\xfe{}x", r"is not JSON"),
    "deep": ("[" * 200_000, r"is not JSON"),
    "no-task": ("{}", r"is not valid: task lacks the field 'name'"),
    "long": (" " * (MAX_FILE_BYTES + 1), r"is longer than 1,000,000 bytes"),
}


@pytest.mark.parametrize(("content", "message"), BAD_FILES.values(), ids=BAD_FILES)
def test_read_task_file_refuses(tmp_path, content, message) -> None:
    file = tmp_path / "task.json"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InvalidTaskError, match=message):
        read_task_file(str(file), parse_task)


def test_read_task_file_refuses_a_missing_file(tmp_path) -> None:
    with pytest.raises(
        InvalidTaskError, match=r"There is no file '.*nothing.json'. A GenNAS task is a JSON file: give its path"
    ):
        read_task_file(str(tmp_path / "nothing.json"), parse_task)


def test_read_task_file_refuses_a_directory(tmp_path) -> None:
    with pytest.raises(InvalidTaskError, match=r"is a directory. A GenNAS task is a JSON file: give its path"):
        read_task_file(str(tmp_path), parse_task)


def test_read_task_file_ignores_a_byte_order_mark(tmp_path, example_task_file) -> None:
    marked = tmp_path / "task.json"
    marked.write_bytes(b"\xef\xbb\xbf" + example_task_file.read_bytes())
    assert read_task_file(str(marked), parse_task) == read_task_file(str(example_task_file), parse_task)


def test_read_task_file_refuses_a_pipe(tmp_path) -> None:
    os.mkfifo(tmp_path / "task.json")
    with pytest.raises(InvalidTaskError, match=r"task.json' is a pipe \(FIFO\)"):
        read_task_file(str(tmp_path / "task.json"), parse_task)
