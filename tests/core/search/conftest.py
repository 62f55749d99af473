import dataclasses
import runpy
from pathlib import Path

import pytest
from nasbench_toolkit.core.asktell.options import SearchOptions
from nasbench_toolkit.core.search.loop import run_search

CLIMB = Path(__file__).with_name("climb.py")


@pytest.fixture
def climb(toy_plugins):
    """Return the names in climb.py: ``make_search_plan``, ``make_spec`` and ``Climb``."""
    return runpy.run_path(str(CLIMB))


@pytest.fixture
def search_plan(climb):
    """Make a plan of a search of the toy space."""
    return climb["make_search_plan"]


@pytest.fixture
def search(tmp_path):
    """Run a search to its end and return its history."""

    def run(plan, name="s.h5", on_step=lambda *_: None, devices=("cpu",), **options):
        return run_search(plan, SearchOptions(tmp_path / name, devices, **options), on_step)

    return run


@pytest.fixture
def without_times():
    """Return all of a history that must not depend on time."""

    def strip(history):
        return [
            (
                step.architecture,
                step.arch_id,
                step.repeated,
                step.fitness,
                repr(dataclasses.replace(step.record, cost=None)),
            )
            for step in history.steps
        ]

    return strip
