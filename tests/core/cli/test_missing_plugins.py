"""A file that needs a plugin which is not installed says so, with its distribution and version."""

import pytest

TOY_RUN = ("--space", "toy", "-e", "toy-width", "-n", "3", "-o", "out.h5")


def test_resumed_run_names_the_distribution_of_a_space_that_is_missing(nasbench, run_nasbench) -> None:
    assert nasbench("run", *TOY_RUN).returncode == 0
    done = run_nasbench("run", *TOY_RUN, "--resume")
    assert done.returncode == 2
    assert (
        "Error: 'out.h5' was made with the search space 'toy' of toy-plugin 1.0, which is not installed here or was "
        "left out. Install that version, and run the command again; 'nasbench plugins' lists what is installed."
    ) in done.stderr


def test_resumed_run_names_the_distribution_of_an_evaluator_that_is_missing(nasbench, run_nasbench) -> None:
    args = ("-e", "toy-random", "-e", "params", "-n", "2", "-o", "out.h5")
    assert nasbench("run", *args).returncode == 0
    done = run_nasbench("run", *args, "--resume")
    assert "was made with the evaluator 'toy-random' of toy-plugin 1.0, which is not installed here" in done.stderr


def test_resumed_search_names_the_distribution_of_a_strategy_that_is_missing(nasbench, run_nasbench) -> None:
    args = ("-s", "toy-first-come", "-e", "params", "-n", "2", "-o", "out.h5")
    done = nasbench("search", *args)
    assert done.returncode == 0, done.stderr
    done = run_nasbench("search", *args, "--resume")
    assert "was made with the search strategy 'toy-first-come' of toy-plugin 1.0, which is not" in done.stderr


@pytest.mark.parametrize("options", [(), ("--resume",)])
def test_names_that_no_file_knows_are_unknown_as_before(run_nasbench, options) -> None:
    done = run_nasbench("run", *TOY_RUN, *options)
    assert "Error: Unknown search space 'toy'." in done.stderr


def test_inspect_shows_the_versions_that_are_stored(nasbench) -> None:
    nasbench("run", *TOY_RUN)
    shown = nasbench("inspect", "out.h5").stdout
    for line in ("version of the space", "version of the dataset", "toy-plugin 1.0", "definition"):
        assert line in shown
