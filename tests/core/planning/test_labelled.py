import pytest
from nasbench_toolkit.core.domain import Direction
from nasbench_toolkit.core.errors import UsageError
from nasbench_toolkit.core.planning.labelled import read_labelled


@pytest.fixture
def read(tmp_path, toy_plugins):
    """Read a text as a labelled file of the toy space."""
    space = toy_plugins.search_space("toy").info.create()

    def read(text, **options):
        file = tmp_path / "labelled.csv"
        file.write_text(text) if isinstance(text, str) else file.write_bytes(text)
        return read_labelled(file, space, "noise", option="--labels", **options)

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
        (HEADER + rows([1, 2, 3, 4, 5]) + "nonsense,3\n", "row 6: 'nonsense' is not a width"),
        (HEADER + rows([1, 2, 3, 4, 5]) + "width-2,3\n", "rows 2 and 6 are the same architecture"),
        (HEADER + rows([1, 2, 3, 4, "good"]), "row 5: the label 'good' in column 'score' is not a finite number"),
        (HEADER + rows([1, 2, 3, 4, "nan"]), "is not a finite number"),
        (HEADER + rows([1, 2, 3, 4, "0_9"]), "row 5: the label '0_9' in column 'score' is not a finite number"),
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
    with pytest.raises(UsageError, match="There is no file .*--labels takes a CSV"):
        read_labelled(tmp_path / "no.csv", space, "noise", option="--labels")


PANDAS = ",architecture,acc\n" + "".join(f"{row},width-{row + 1},{90 - row}\n" for row in range(5))


def test_what_pandas_writes_by_default_has_its_index_left_out(read) -> None:
    labelled = read(PANDAS)
    assert (labelled.label, labelled.labels) == ("acc", (90.0, 89.0, 88.0, 87.0, 86.0))


@pytest.mark.parametrize("name", ["index", "Unnamed: 0", "level_0", "Index", "id", "#"])
def test_an_index_is_left_out_whatever_its_numbers(read, name) -> None:
    table = f"{name},architecture,acc\n" + "".join(f"{width * 7},width-{width},{9 - width}\n" for width in range(1, 6))
    assert read(table).label == "acc"


@pytest.mark.parametrize("first", [0, 1])
def test_a_column_that_counts_is_left_out_unless_it_is_asked_for_or_alone(read, first) -> None:
    table = "architecture,place,acc\n" + "".join(f"width-{row + 1},{row + first},{9 - row}\n" for row in range(5))
    assert read(table).label == "acc"
    assert read(table.replace(",acc", ",index")).label == "place"
    assert read(table, label="place").labels == tuple(float(row + first) for row in range(5))


def test_row_numbers_alone_are_no_labels(read) -> None:
    table = ",architecture\n" + "".join(f"{row},width-{row + 1}\n" for row in range(5))
    with pytest.raises(UsageError, match="no column of labels beside 'architecture': '' numbers the rows"):
        read(table)
    with pytest.raises(UsageError, match="the column 'index' numbers the rows"):
        read("index" + table, label="index")


@pytest.mark.parametrize(
    "name", ["loss", "test_error", "valLoss", "Perplexity", "ppl", "RMSE", "training time", "latency", "top1err"]
)
def test_direction_of_what_looks_like_a_loss_is_asked_for(read, name) -> None:
    table = f"architecture,{name}\n" + rows([5, 4, 3, 2, 1.5])
    with pytest.raises(UsageError, match=f"lower or higher values of '{name}' .*--lower-is-better or --higher"):
        read(table)
    assert read(table, lower_is_better=True).direction is Direction.MINIMIZE
    assert read(table, lower_is_better=False).direction is Direction.MAXIMIZE


@pytest.mark.parametrize("name", ["accuracy", "score", "top1", "f1", "miou", "bleu", "timmy"])
def test_direction_of_other_labels_is_higher(read, name) -> None:
    assert read(f"architecture,{name}\n" + rows([5, 4, 3, 2, 1.5])).direction is Direction.MAXIMIZE


def test_direction_of_a_metric_of_the_table_is_known(read) -> None:
    table = "architecture,test_cross_entropy\n" + rows([5, 4, 3, 2, 1.5])
    assert read(table).direction is Direction.MINIMIZE
    with pytest.raises(UsageError, match="is better the lower it is: leave --higher-is-better out"):
        read(table, lower_is_better=False)


@pytest.mark.parametrize(("delimiter", "name"), [(";", "semicolons"), ("\t", "tabs"), ("|", "vertical bars")])
def test_another_delimiter_is_named(read, delimiter, name) -> None:
    for quote in ("", '"'):
        header = delimiter.join(f"{quote}{column}{quote}" for column in ("architecture", "score"))
        with pytest.raises(UsageError, match=f"its columns are separated by {name} .*, expected commas"):
            read(header + "\n" + rows([5, 4, 3, 2, 1.5]).replace(",", delimiter))


def test_a_byte_order_mark_is_no_part_of_the_first_name(read) -> None:
    assert read(("\ufeff" + HEADER + rows([5, 4, 3, 2, 1.5])).encode()).label == "score"
