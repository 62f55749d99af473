import math

import numpy as np
import pytest
from nasbench_toolkit.core.domain import JobCost, Record, Status
from nasbench_toolkit.core.results.records import PENDING, Records
from nasbench_toolkit.core.results.validity import check_record, check_records

OK = Record(Status.OK, 0.1 + 0.2, "", JobCost(0.5, 0.25, 1.0), {"loss": (1.0, 0.5)}, {"16 images": "0a1b"})
LONGER = Record(Status.OK, 2.0, "", JobCost(1.0), {"loss": (3.0, 2.5, 2.0), "rank": (1.0,)}, {"16 images": "0a1b"})
FAILED = Record(Status.FAILED, math.nan, "ValueError: größer als 5")


def test_columns_give_the_records_that_they_were_made_of() -> None:
    records = Records.of([OK, PENDING, FAILED, LONGER])
    assert [records[0], records[1], records[3]] == [OK, PENDING, LONGER]
    assert records[2] == Record(Status.FAILED, math.nan, FAILED.message, batches={"16 images": "0a1b"})
    assert list(records.curves) == ["loss", "rank"]
    assert records.curves["loss"].shape == (4, 3)
    assert records.curve_lengths("loss").tolist() == [2, 0, 0, 3]
    assert records.total_seconds.tolist() == [1.75, 0, 0, 1]
    assert records.ok.tolist() == [True, False, False, True]
    assert records.done.tolist() == [True, False, True, True]
    assert list(records.count_by_status().items()) == [(Status.OK, 2), (Status.FAILED, 1), (Status.PENDING, 1)]


def test_updated_rows_forget_what_they_were() -> None:
    before = Records.of([LONGER, PENDING, OK])
    after = before.updated({0: OK, 1: FAILED})
    assert after[0] == OK
    assert (after[1].status, after[1].message, after[1].curves) == (Status.FAILED, FAILED.message, {})
    assert after[2] == OK
    assert before == Records.of([LONGER, PENDING, OK])


def test_extended_rows_are_pending() -> None:
    records = Records.of([LONGER]).extended(3)
    assert list(records) == [LONGER, PENDING, PENDING]
    assert records.curves["loss"].shape == (3, 3)


@pytest.mark.parametrize("rows", [slice(1, 3), np.array([False, True, True]), np.array([1, 2])])
def test_taken_rows(rows) -> None:
    assert Records.of([OK, PENDING, LONGER]).take(rows)[1] == LONGER


def test_merged_rows_come_from_either_side() -> None:
    ours, theirs = Records.of([OK, PENDING]), Records.of([FAILED, LONGER])
    assert list(ours.merged(theirs, np.array([False, True]))) == [OK, LONGER]


@pytest.mark.parametrize("other", [[OK, FAILED], [OK, LONGER], [OK], [LONGER, PENDING]])
def test_records_are_equal_if_all_their_columns_are(other) -> None:
    records = Records.of([OK, PENDING])
    assert records == Records.of([OK]).extended(2)
    assert records != Records.of(other)
    assert records != [OK, PENDING]


@pytest.mark.parametrize(
    "record",
    [Record(Status.OK, math.nan), Record(Status.OK, math.inf), Record(Status.FAILED, 1.0), Record(Status.PENDING, 1.0)],
)
def test_a_record_and_a_column_with_it_are_refused_alike(record) -> None:
    with pytest.raises(ValueError, match=f"status {record.status} and score {record.score}"):
        check_record(record)
    with pytest.raises(ValueError, match=f"'e' has status {record.status} and score {record.score} in row 1"):
        check_records("e", Records.of([OK, record]))
