import pytest
from nasbench_toolkit.core.cli.following_names import spread_names


@pytest.mark.parametrize(
    ("given", "spread"),
    [
        (["a.h5", "--compare", "x", "y"], ["a.h5", "--compare=x", "--compare=y"]),
        (["a.h5", "--compare"], ["a.h5", "--compare="]),
        (["--compare", "x", "y", "-f", "csv", "a.h5"], ["--compare=x", "--compare=y", "-f", "csv", "a.h5"]),
        (["a.h5", "--compare", "--failures", "omit"], ["a.h5", "--compare=", "--failures", "omit"]),
        (["a.h5", "--compare=x", "--compare=y"], ["a.h5", "--compare=x", "--compare=y"]),
        (["a.h5", "-f", "csv"], ["a.h5", "-f", "csv"]),
    ],
)
def test_each_word_gets_an_option_of_its_own(given, spread):
    assert spread_names(given, "--compare") == spread
