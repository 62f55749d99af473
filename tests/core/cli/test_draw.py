CELL = "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_1x1~1|nor_conv_3x3~2|"


def test_an_architecture_is_drawn(nasbench, tmp_path) -> None:
    result = nasbench("draw", CELL, "--space", "nasbench201", "-o", tmp_path / "cell.svg")
    assert result.returncode == 0
    assert "Picture: " in result.stderr
    assert (tmp_path / "cell.svg").read_text().startswith("<?xml")


def test_an_existing_picture_is_replaced_only_if_told(nasbench, tmp_path) -> None:
    picture = tmp_path / "cell.svg"
    picture.write_text("mine")
    result = nasbench("draw", CELL, "--space", "nasbench201", "-o", picture)
    assert result.returncode == 2
    assert "exists" in result.stderr
    assert picture.read_text() == "mine"
    assert nasbench("draw", CELL, "--space", "nasbench201", "-o", picture, "--overwrite").returncode == 0
    assert picture.read_text() != "mine"


def test_what_is_no_architecture_or_nothing_is_refused(nasbench, tmp_path) -> None:
    assert nasbench("draw", "nonsense", "--space", "nasbench201", "-o", tmp_path / "cell.svg").returncode == 2
    result = nasbench("draw")
    assert result.returncode == 2
    assert "Name what to draw" in result.stderr


def test_a_search_leaves_a_picture_of_what_it_found(nasbench, tmp_path) -> None:
    options = ("-e", "params", "-s", "random-search", "-n", "3", "--workers", "1", "-o", tmp_path / "s.h5")
    result = nasbench("search", *options)
    assert result.returncode == 0
    assert "s.svg" in result.stderr
    found = (tmp_path / "s.svg").read_bytes()
    assert nasbench("draw", "--search", tmp_path / "s.h5", "-o", tmp_path / "again.svg").returncode == 0
    assert (tmp_path / "again.svg").read_bytes() == found


def test_a_search_leaves_a_strangers_picture_alone(nasbench, tmp_path) -> None:
    (tmp_path / "s.svg").write_text("mine")
    options = ("-e", "params", "-s", "random-search", "-n", "3", "--workers", "1", "-o", tmp_path / "s.h5")
    result = nasbench("search", *options)
    assert result.returncode == 0
    assert "was left" in result.stderr
    assert (tmp_path / "s.svg").read_text() == "mine"
