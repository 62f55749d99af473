"""A short run of what ``experiments/robustness/damaged_sources.py`` does, with examples that Hypothesis shrinks."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nasbench_toolkit.core.errors import DataError, ResultsFileError
from nasbench_toolkit.experiments.robustness.damaged_sources import PIECES
from nasbench_toolkit.experiments.robustness.damaged_sources_targets import make_targets

READERS = (
    "nasbench101 .tfrecord",
    "nasbench201 .pth",
    "nats-bench .pickle.pbz2",
    "nats-bench folder",
    "nasbench-nlp .zip",
    "nasbench-nlp-embedding",
    "interchange .csv",
    "interchange .parquet",
    "stored table",
    "cifar python version",
    "cifar .tar.gz",
    "cifar binary version",
    "images .npz",
    "image folder",
    "wikitext-2",
    "results .h5",
    "search .h5",
    "journal",
)

# Each replaces a part of the file: where it begins (in millionths of the file), its length, what comes instead.
edits = st.lists(
    st.tuples(st.integers(0, 1_000_000), st.integers(0, 40), st.sampled_from(PIECES) | st.binary(max_size=8)),
    min_size=1,
    max_size=4,
)


def apply(data: bytes, replacements) -> bytes:
    for place, length, piece in replacements:
        start = place * len(data) // 1_000_000
        data = data[:start] + piece + data[start + length :]
    return data


@pytest.fixture(scope="module")
def targets(tmp_path_factory):
    return make_targets(tmp_path_factory.mktemp("scratch"))


def targets_of(reader, targets):
    if "parquet" in reader:
        pytest.importorskip("pyarrow", reason="Parquet files need pyarrow, an optional package")
    return [target for target in targets if target.reader == reader]


def test_every_reader_is_damaged(targets) -> None:
    without_parquet = {reader for reader in READERS if "parquet" not in reader}
    assert without_parquet <= {target.reader for target in targets} <= set(READERS)


@pytest.mark.parametrize("reader", READERS)
def test_undamaged_file_is_read(reader, targets, tmp_path) -> None:
    for target in targets_of(reader, targets):
        path = target.write(tmp_path, target.content)
        try:
            target.read(path)
        except (DataError, ResultsFileError) as error:
            pytest.fail(f"{reader} refuses a file without damage: {error}")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("reader", READERS)
def test_damaged_file_is_read_or_refused(reader, targets, tmp_path_factory, data_directory) -> None:
    own_targets = targets_of(reader, targets)

    @settings(max_examples=150, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(own_targets), edits)
    def check(target, replacements) -> None:
        path = target.write(tmp_path_factory.mktemp("work"), apply(target.content, replacements))
        try:
            target.read(path)
        except (DataError, ResultsFileError) as error:
            assert str(error)
        assert not list(data_directory.iterdir())

    check()
