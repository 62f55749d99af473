import dataclasses
import os

import numpy as np
import pytest
from nasbench_toolkit import Dataset, DatasetInfo
from nasbench_toolkit.core.domain import Direction, JobKey
from nasbench_toolkit.core.errors import (
    InvalidArchitectureError,
    SampleSizeError,
    UnknownNameError,
    UnsupportedSearchSpaceError,
    UsageError,
)
from nasbench_toolkit.core.plan import EvaluatorHeader, Plan, PlanHeader, make_job_key, plan_id
from nasbench_toolkit.core.planning.requests import RunRequest, make_plan
from nasbench_toolkit.core.plugin_manager import installed_plugins


def key_of(plan: Plan, column: int = 0) -> JobKey:
    """Return the key of a column's first job."""
    spec, seed = plan.columns[column]
    return make_job_key(plan.header.space, plan.header.dataset, seed, spec, plan.arch_ids[0])


def test_make_plan_same_seed_same_architectures(toy_plan) -> None:
    assert toy_plan(samples=20, seed=3).arch_ids == toy_plan(samples=20, seed=3).arch_ids
    assert toy_plan(samples=20, seed=3).arch_ids != toy_plan(samples=20, seed=4).arch_ids


def test_make_plan_stores_every_metric_of_the_table(toy_plan) -> None:
    plan = toy_plan(samples=3)
    assert [column.metric.key for column in plan.ground_truth] == [
        "noise/test_accuracy@5",
        "noise/test_cross_entropy@5",
    ]
    widths = tuple(float(arch_id.removeprefix("width-")) for arch_id in plan.arch_ids)
    assert plan.ground_truth[0].values == widths
    assert plan.ground_truth[0].noise_ceiling == 0.95


def test_make_plan_job_key_names_all_a_score_depends_on(toy_plan) -> None:
    plan = toy_plan(("toy-width", "toy-random:mode=b"), samples=2, seed=7)
    key = key_of(plan, 1)
    assert (key.space, key.dataset, key.evaluator, key.seed) == ("toy", "noise", "toy-random", 7)
    assert key.arch_id == plan.arch_ids[0]
    assert key.settings_hash != key_of(plan).settings_hash


PLAN_HEADER = PlanHeader("space", "dataset", 3, "uniform", "plugin 1.0", "plugin 1.0")
EVALUATOR = EvaluatorHeader("naswot", "naswot", Direction.MAXIMIZE, 1, {}, "0123", "plugin 1.0")


@pytest.mark.parametrize(
    ("changed", "counts"),
    [
        ({"space": "other"}, True),
        ({"dataset": "other"}, True),
        ({"seed": 4}, True),
        ({"further_seeds": (4,)}, True),
        ({"space_version": "plugin 1.1"}, True),
        ({"dataset_version": "plugin 1.1"}, True),
        ({"sampling": "a list of the user's"}, False),
        ({"name": "swap"}, True),
        ({"settings_hash": "4567"}, True),
        ({"distribution": "plugin 1.1"}, True),
        ({"label": "naswot:batch_size=128"}, False),
    ],
)
def test_plan_id_tells_all_that_decides_scores(changed, counts) -> None:
    of_plan = {name: value for name, value in changed.items() if hasattr(PLAN_HEADER, name)}
    of_evaluator = {name: value for name, value in changed.items() if name not in of_plan}
    other = plan_id(
        dataclasses.replace(PLAN_HEADER, **of_plan), ("a", "b"), (dataclasses.replace(EVALUATOR, **of_evaluator),)
    )
    assert (other != plan_id(PLAN_HEADER, ("a", "b"), (EVALUATOR,))) == counts
    assert plan_id(PLAN_HEADER, ("b", "a"), (EVALUATOR,)) != plan_id(PLAN_HEADER, ("a", "b"), (EVALUATOR,))


def test_plan_id_ignores_labels_but_not_settings(toy_plan) -> None:
    assert toy_plan(("toy-width:mode=fast",)).plan_id == toy_plan(("toy-width",)).plan_id
    assert toy_plan(("toy-width:mode=slow",)).plan_id != toy_plan(("toy-width",)).plan_id
    assert toy_plan(seed=1).plan_id != toy_plan(seed=2).plan_id


def test_make_plan_reads_a_list_and_collapses_duplicates(toy_plan, tmp_path) -> None:
    listed = tmp_path / "archs.txt"
    listed.write_text("# two networks\nwidth-5\nwidth-005  # the same\n\nwidth-2\n")
    assert toy_plan(architectures=listed).arch_ids == ("width-5", "width-2")


def test_make_plan_reads_a_list_with_a_byte_order_mark(toy_plan, tmp_path) -> None:
    listed = tmp_path / "archs.txt"
    listed.write_bytes(b"\xef\xbb\xbfwidth-5\r\nwidth-2\r\n")
    assert toy_plan(architectures=listed).arch_ids == ("width-5", "width-2")


def test_make_plan_list_that_is_a_pipe_is_refused(toy_plan, tmp_path) -> None:
    os.mkfifo(tmp_path / "archs.txt")
    with pytest.raises(UsageError, match=r"archs.txt' is a pipe \(FIFO\): save what it holds in a file"):
        toy_plan(architectures=tmp_path / "archs.txt")


def test_make_plan_list_with_a_bad_line_names_it(toy_plan, tmp_path) -> None:
    listed = tmp_path / "archs.txt"
    listed.write_text("width-5\ndepth-5\n")
    with pytest.raises(InvalidArchitectureError, match=r"archs.txt', line 2: 'depth-5' is not a width"):
        toy_plan(architectures=listed)
    listed.write_text("architecture,label\nwidth-5,1\ndepth-5,2\n")
    with pytest.raises(InvalidArchitectureError, match=r"archs.txt', row 2: 'depth-5' is not a width"):
        toy_plan(architectures=listed)
    listed.write_text("# my list; architecture\nwidth-5\n")
    assert toy_plan(architectures=listed).arch_ids == ("width-5",)
    listed.write_text("architecture;label\nwidth-5;1\n")
    with pytest.raises(UsageError, match="its columns are separated by semicolons"):
        toy_plan(architectures=listed)


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "There is no file"), ("", "lists no architecture"), (b"\xff\xfe\x00", "is not a text")],
    ids=["missing", "empty", "binary"],
)
def test_make_plan_unusable_list(toy_plan, tmp_path, content, message: str) -> None:
    listed = tmp_path / "archs.txt"
    if content is not None:
        listed.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UsageError, match=message):
        toy_plan(architectures=listed)


def test_make_plan_more_than_the_space_has(toy_plan) -> None:
    with pytest.raises(SampleSizeError, match="'toy' has 3,000 architectures, 3,001 were asked for"):
        toy_plan(samples=3001)


@pytest.mark.parametrize(
    ("evaluators", "error", "message"),
    [
        ((), UsageError, "No evaluator was given"),
        (("toy-widht",), UnknownNameError, "Did you mean 'toy-width'"),
        (("toy-width", "toy-width:mode=fast"), UsageError, "is given twice"),
        (("toy-width:mode",), UsageError, "'mode' has no '='"),
        (("toy-width:mode=a,mode=b",), UsageError, "'mode=b' is given twice"),
        (
            ("gennas-combo",),
            UnsupportedSearchSpaceError,
            "does not support search space 'toy': it needs networks that return the feature maps",
        ),
    ],
)
def test_make_plan_refuses_evaluators(toy_plan, evaluators, error, message: str) -> None:
    with pytest.raises(error, match=message):
        toy_plan(evaluators)


def test_make_plan_a_setting_behind_the_name(toy_plan) -> None:
    texts = ("toy-walk@ep5", "toy-walk:steps=5", "toy-walk@ep5:mode=a", "toy-walk:mode=a,steps=5", "toy-walk:steps=3")
    headers = [toy_plan((text,)).evaluators[0].header for text in texts]
    assert [header.label for header in headers] == [
        "toy-walk@ep5", "toy-walk@ep5", "toy-walk@ep5:mode=a", "toy-walk@ep5:mode=a", "toy-walk@ep3",
    ]  # fmt: skip
    assert headers[0].settings_hash == headers[1].settings_hash
    assert headers[0].settings == {"steps": 5, "mode": "fast"}
    assert toy_plan(("toy-walk",)).plan_id == toy_plan(("toy-walk@ep3",)).plan_id


@pytest.mark.parametrize(
    ("evaluators", "error", "message"),
    [
        (("toy-walk@ep",), UsageError, "'toy-walk' setting 'steps' must be a whole number, got ''"),
        (("toy-walk@ep0",), UsageError, "must be at least 1, got 0"),
        (("toy-walk@epoch5",), UsageError, "must be a whole number, got 'och5'"),
        (("toy-walk@ep5:steps=5",), UsageError, "'steps=5' is given twice"),
        (("toy-width@ep5",), UnknownNameError, "Unknown evaluator 'toy-width@ep5'"),
        (
            ("toy-walk@ep5", "toy-walk"),
            UsageError,
            "'toy-walk@ep5' and 'toy-walk@ep3' are one training, stopped at two points. Give the longer one alone",
        ),
    ],
)
def test_make_plan_refuses_settings_behind_the_name(toy_plan, evaluators, error, message) -> None:
    with pytest.raises(error, match=message):
        toy_plan(evaluators)


def test_job_seeds_do_not_depend_on_settings(toy_plan) -> None:
    keys = [key_of(toy_plan((text,))) for text in ("toy-walk", "toy-walk@ep5", "toy-walk:mode=a", "toy-width")]
    assert len({key.settings_hash for key in keys}) == 4
    assert keys[0].own_seed_parts == keys[1].own_seed_parts == keys[2].own_seed_parts != keys[3].own_seed_parts
    assert len({key.common_seed_parts for key in keys}) == 1


def test_make_plan_refuses_a_dataset_the_evaluator_cannot_use(toy_plugins) -> None:
    with pytest.raises(
        UnsupportedSearchSpaceError, match="'toy-walk' does not support .* 'nasbench201-tiny': it needs two"
    ):
        make_plan(RunRequest("nasbench201-tiny", ("toy-walk",)), toy_plugins)


def test_make_plan_adds_the_components_of_aggregates_once(toy_plan) -> None:
    plan = toy_plan(("toy-larger", "toy-width:mode=fast", "toy-random"))
    assert [spec.header.label for spec in plan.evaluators] == ["toy-width:mode=fast", "toy-random", "toy-walk@ep3"]
    assert plan.aggregates == ("toy-larger",)
    assert plan.plan_id == toy_plan(("toy-width", "toy-random", "toy-walk")).plan_id


def test_make_plan_components_that_the_user_names(toy_plan) -> None:
    plan = toy_plan(("rank_sum:toy-width+toy-random:mode=b",))
    assert [spec.header.label for spec in plan.evaluators] == ["toy-width", "toy-random:mode=b"]
    assert plan.aggregates == ("rank_sum:toy-width+toy-random:mode=b",)


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("toy-larger:mode=a", UsageError, "'toy-larger' has no settings: it is made of toy-width, toy-walk"),
        ("rank_sum", UsageError, "'rank_sum' needs two or more different evaluators"),
        ("rank_sum:toy-width", UsageError, "needs two or more different evaluators, got 'rank_sum:toy-width'"),
        ("rank_sum:toy-width+toy-width", UsageError, "needs two or more different evaluators"),
        ("rank_sum:toy-width+tpy-random", UnknownNameError, "Did you mean 'toy-random'"),
        ("toy-largr", UnknownNameError, "Did you mean 'toy-larger'"),
    ],
)
def test_make_plan_refuses_aggregates(toy_plan, text, error, message) -> None:
    with pytest.raises(error, match=message):
        toy_plan((text,))


def test_make_plan_refuses_a_dataset_the_space_has_no_networks_for(toy_plugins) -> None:
    with pytest.raises(UsageError, match="no networks for the dataset 'mnist'. Choose one of: noise"):
        make_plan(RunRequest("toy", ("toy-width",), dataset="mnist"), toy_plugins)


def test_make_plan_the_chosen_metric_comes_first(toy_plan) -> None:
    plan = toy_plan(samples=3, metric="test_cross_entropy")
    assert [column.metric.key for column in plan.ground_truth] == [
        "noise/test_cross_entropy@5",
        "noise/test_accuracy@5",
    ]
    assert plan.plan_id == toy_plan(samples=3).plan_id


def test_make_plan_unknown_metric_lists_those_there_are(toy_plan) -> None:
    with pytest.raises(UsageError, match=r"There are: noise/test_accuracy@5, noise/test_cross_entropy@5"):
        toy_plan(metric="validation_accuracy")


def own_images() -> DatasetInfo:
    return DatasetInfo(
        name="images-of-mine", summary="Mine.", source="the tests", factory=NoiseOfMine, input_shape=(1, 16, 16),
        num_classes=2, mean=(0.5,), std=(0.25,),
    )  # fmt: skip


class NoiseOfMine(Dataset):
    def labels(self):
        return np.arange(8) % 2

    def inputs(self, positions):
        return np.random.default_rng(1).random((8, 1, 16, 16), np.float32)[positions]


def test_make_plan_own_images_are_named_in_every_job_key(toy_plugins) -> None:
    request = RunRequest("toy-imported", ("toy-random",), images=own_images(), samples=2)
    plan = make_plan(request, toy_plugins)
    assert key_of(plan).dataset == "images-of-mine"
    assert plan.images == request.images


def test_make_plan_own_images_are_refused_where_no_networks_take_them(toy_plugins) -> None:
    with pytest.raises(UsageError, match="has no networks for the dataset 'images-of-mine'. Choose one of: noise"):
        make_plan(RunRequest("toy", ("toy-random",), images=own_images()), toy_plugins)


def test_make_plan_network_that_the_space_does_not_have_is_refused(toy_plugins) -> None:
    request = RunRequest("toy", ("params:network=stem16",), samples=2)
    with pytest.raises(UsageError, match="asked to score the network 'stem16', which the search space 'toy' does not"):
        make_plan(request, toy_plugins)


def test_make_plan_the_benchmarks_network_goes_without_saying(toy_plugins) -> None:
    named, silent = (
        make_plan(RunRequest("toy", (text,), samples=2), toy_plugins).evaluators[0].header
        for text in ("params:network=benchmark", "params")
    )
    assert named.settings_hash == silent.settings_hash


@pytest.mark.parametrize(
    ("evaluator", "message"),
    [
        ("naswot", "'naswot' draws a batch of 128 images, and the dataset 'images-of-mine' has 8. "
         "Take -e naswot:batch_size=8, or bring more images"),
        ("naswot:network=narrow,batch_size=9", "Take -e naswot:network=narrow,batch_size=8, or"),
        ("zico", r"draws a batch of 128 images, .* has 8. Take -e zico:batch_size=4, or"),
        ("zico:batches=8", r"a batch of 512 images, .* has 8. Bring more images"),
        ("te_nas_regions", "draws a batch of 256 images"),
        ("gennas-combo", "'gennas-combo' draws a batch of 16 images, .* Take -e gennas-combo:batch_size=8, or"),
    ],
)  # fmt: skip
def test_make_plan_refuses_a_batch_of_more_images_than_there_are(evaluator, message) -> None:
    with pytest.raises(UsageError, match=message):
        make_plan(RunRequest("nasbench201", (evaluator,), images=own_images(), samples=2), installed_plugins())


def test_make_plan_takes_batches_of_all_images_of_noise_and_of_what_there_is() -> None:
    evaluators = ("naswot:batch_size=8", "zico:batch_size=4", "zen", "az_nas_expressivity", "cls@ep1", "params")
    plan = make_plan(RunRequest("nasbench201", evaluators, images=own_images(), samples=2), installed_plugins())
    assert len(plan.evaluators) == 6


def test_make_plan_takes_synthetic_batches_of_any_size() -> None:
    evaluators = ("gennas-rnn-combo:batch_size=100000",)
    plan = make_plan(RunRequest("nasbench-nlp", evaluators, dataset="alice", samples=2), installed_plugins())
    assert len(plan.evaluators) == 1
