CELL = "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_1x1~1|nor_conv_3x3~2|"


def test_an_architecture_is_drawn_and_an_existing_picture_replaced_only_if_told(nasbench, tmp_path) -> None:
    picture = tmp_path / "cell.svg"
    picture.write_text("mine")
    options = ("draw", CELL, "--space", "nasbench201", "-o", picture)
    result = nasbench(*options)
    assert result.returncode == 2
    assert "exists" in result.stderr
    assert picture.read_text() == "mine"
    result = nasbench(*options, "--overwrite")
    assert result.returncode == 0
    assert "Picture: " in result.stderr
    assert picture.read_text().startswith("<?xml")


def test_what_is_no_architecture_or_nothing_is_refused(nasbench, tmp_path) -> None:
    assert nasbench("draw", "nonsense", "--space", "nasbench201", "-o", tmp_path / "cell.svg").returncode == 2
    result = nasbench("draw")
    assert result.returncode == 2
    assert "Name what to draw" in result.stderr


SEARCH = ("search", "-e", "params", "-s", "random-search", "-n", "3", "--workers", "1", "-o")


def test_a_search_leaves_a_picture_of_what_it_found(nasbench, tmp_path) -> None:
    search = tmp_path / "s.svg"  # a name that the picture must not take
    result = nasbench(*SEARCH, search)
    assert result.returncode == 0
    assert "Picture: " in result.stderr
    assert nasbench("draw", "--search", search, "-o", tmp_path / "again.svg").returncode == 0
    assert (tmp_path / "again.svg").read_bytes() == (tmp_path / "s.svg.svg").read_bytes()
    result = nasbench("draw", "--search", search, "-o", search, "--overwrite")
    assert result.returncode == 2
    assert "is the search itself" in result.stderr
    assert search.read_bytes().startswith(b"\x89HDF")


def test_a_search_succeeds_whatever_is_in_its_pictures_place(nasbench, tmp_path) -> None:
    picture = tmp_path / "s.svg"
    picture.write_text("mine")
    result = nasbench(*SEARCH, tmp_path / "s.h5")
    assert result.returncode == 0
    assert "was left" in result.stderr
    assert picture.read_text() == "mine"
    picture.unlink()
    picture.mkdir()
    result = nasbench(*SEARCH, tmp_path / "s.h5", "--resume")
    assert result.returncode == 0
    assert "Warning: no picture: '" in result.stderr
