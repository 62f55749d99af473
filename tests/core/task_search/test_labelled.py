import pytest
from nasbench_toolkit.core.domain import Direction
from nasbench_toolkit.core.errors import UsageError
from nasbench_toolkit.core.task_search.labelled import read_labelled


@pytest.fixture
def read(tmp_path, toy_plugins):
    """Read a text as a labelled file of the toy space."""
    space = toy_plugins.search_space("toy").info.create()

    def read(text, **options):
        file = tmp_path / "labelled.csv"
        file.write_text(text) if isinstance(text, str) else file.write_bytes(text)
        return read_labelled(file, space, "noise", **options)

    return read


def rows(labels):
    return "".join(f"width-{width},{label}\n" for width, label in enumerate(labels, start=1))


HEADER = "architecture,score\n"


def test_architectures_and_labels_are_read(read) -> None:
    labelled = read(HEADER + rows([5, 4, 3, 2, 1.5]))
    assert labelled.arch_ids == tuple(f"width-{width}" for width in range(1, 6))
    assert labelled.labels == (5.0, 4.0, 3.0, 2.0, 1.5)
    assert (labelled.label, labelled.direction) == ("score", Direction.MAXIMIZE)


def test_label_and_direction_are_the_users_choice(read) -> None:
    table = "score,architecture,loss\n" + "".join(f"{width},width-{width},{9 - width}\n" for width in range(1, 6))
    labelled = read(table, label="loss", lower_is_better=True)
    assert labelled.labels == (8.0, 7.0, 6.0, 5.0, 4.0)
    assert labelled.direction is Direction.MINIMIZE


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no column 'architecture'"),
        ("arch,score\n", "no column 'architecture'. Its first row names the columns: arch, score"),
        ("architecture\nwidth-1\n", "no column of labels"),
        (HEADER, "a header and no row"),
        (HEADER + rows([1, 2, 3, 4]), "4 labelled architectures, at least 5 are needed"),
        (HEADER + rows([1, 2, 3, 4, 5]) + "nonsense,3\n", "row 6: 'nonsense' is not a width"),
        (HEADER + rows([1, 2, 3, 4, 5]) + "width-2,3\n", "rows 2 and 6 are the same architecture"),
        (HEADER + rows([1, 2, 3, 4, "good"]), "row 5: the label 'good' in column 'score' is not a finite number"),
        (HEADER + rows([1, 2, 3, 4, "nan"]), "is not a finite number"),
        (HEADER + rows([7, 7, 7, 7, 7]), "all labels in column 'score' are 7"),
        (HEADER + "width-1,1,2\n", "row 1 has 3 fields, the header 2"),
        ("architecture,score,score\n", "names a column twice"),
        (b"\xff\xfe\x00", "is not a text"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_row(read, text, message) -> None:
    with pytest.raises(UsageError) as caught:
        read(text)
    assert message in str(caught.value)


def test_an_unknown_label_and_a_missing_file_are_refused(read, tmp_path, toy_plugins) -> None:
    with pytest.raises(UsageError, match="no column 'accuracy' for --label. It has: score"):
        read(HEADER + rows([1, 2, 3, 4, 5]), label="accuracy")
    space = toy_plugins.search_space("toy").info.create()
    with pytest.raises(UsageError, match="does not exist"):
        read_labelled(tmp_path / "no.csv", space, "noise")
