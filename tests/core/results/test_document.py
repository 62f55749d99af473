"""``docs/results-file.md`` and a written file say the same."""

import re
from pathlib import Path

import h5py
import numpy as np
import pytest
from nasbench_toolkit.core.asktell.options import SearchOptions
from nasbench_toolkit.core.domain import Record, Status
from nasbench_toolkit.core.results.run_writer import ResultsWriter
from nasbench_toolkit.core.results.store import FORMAT_VERSION
from nasbench_toolkit.core.search.loop import run_search
from nasbench_toolkit.core.search.planning import SearchRequest, make_search_plans

DOCUMENT = (Path(__file__).parents[3] / "docs" / "results-file.md").read_text(encoding="utf-8")

KINDS = {
    "text": lambda value: isinstance(value, np.bytes_),
    "JSON": lambda value: isinstance(value, np.bytes_) and value[:1] in (b"[", b"{"),
    "number": lambda value: isinstance(value, np.float64),
    "whole number": lambda value: isinstance(value, np.int64),
    "boolean": lambda value: isinstance(value, np.bool_),
    "group": lambda element: isinstance(element, h5py.Group),
    "texts": lambda element: element.dtype.kind == "S" and element.ndim == 1,
    "numbers": lambda element: element.dtype == np.float64 and element.ndim == 1,
    "rows of numbers": lambda element: element.dtype == np.float64 and element.ndim == 2,
    "whole numbers": lambda element: element.dtype == np.int64 and element.ndim == 1,
}


def documented():
    """Return kind, encoding and whether it must be there, of every element, and of every attribute, by path."""
    elements, attributes = {}, {}
    for path, what, must in re.findall(r"^\| `(/[^`]*)` \| ([^|]+) \| (MUST|MAY) \|", DOCUMENT, re.MULTILINE):
        if match := re.fullmatch(r"`(\w+)`: ([\w ]+)", what):
            attributes.setdefault(path, {})[match[1]] = (match[2], must == "MUST")
        elif what != "any name: text":
            kind, _, encoding = what.partition(" of `")
            elements[path] = (kind, tuple(encoding.split("` ")) if encoding else None, must == "MUST")
    return elements, attributes


ELEMENTS, ATTRIBUTES = documented()


def pattern_of(path):
    """Return the path as the document writes it."""
    path = re.sub(r"^/ground_truth/[^/]+", "/ground_truth/KEY", path)
    path = re.sub(r"^/evaluators/[^/]+", "/evaluators/LABEL", path)
    path = re.sub(r"^/supernet/figures/[^/]+", "/supernet/figures/FIGURE", path)
    return re.sub(r"/curves/[^/]+", "/curves/CURVE", path)


def contents(path):
    """Return all elements of a file by path."""
    with h5py.File(path) as file:
        found = {"/": file}
        file.visititems(lambda name, element: found.update({f"/{name}": element}))
        yield from found.items()


@pytest.fixture
def run_file(toy_plan, tmp_path):
    plan = toy_plan(("toy-width", "toy-random:mode=a/b"), samples=4)
    with ResultsWriter.create(tmp_path / "r.h5", plan, {"created": "today"}, overwrite=False) as writer:
        writer.add((0, 0), Record(Status.OK, 1.0, curves={"loss": (1.0, 0.5)}))
    return tmp_path / "r.h5"


@pytest.fixture
def search_file(toy_plugins, tmp_path):
    request = SearchRequest("toy", "toy-random", "random-search", evaluations=3, limits=(("toy-width", 9999),))
    (plan,) = make_search_plans(request, toy_plugins)
    run_search(plan, SearchOptions(tmp_path / "s.h5", ("cpu",)), lambda *_: None)
    return tmp_path / "s.h5"


@pytest.fixture
def supernet_file(toy_plugins, tmp_path):
    strategy = "rsps:preset=tiny,epochs=1,candidates=1,selection_batch=8"
    (plan,) = make_search_plans(SearchRequest("nasbench201-tiny", "params", strategy), toy_plugins)
    run_search(plan, SearchOptions(tmp_path / "n.h5", ("cpu",)), lambda *_: None)
    return tmp_path / "n.h5"


@pytest.fixture
def files(run_file, search_file, supernet_file):
    return run_file, search_file, supernet_file


def test_document_names_the_version_and_describes_something() -> None:
    assert f"layout version {FORMAT_VERSION}" in DOCUMENT
    assert len(ELEMENTS) > 20
    assert sum(map(len, ATTRIBUTES.values())) > 35


def test_everything_in_a_file_is_in_the_document(files) -> None:
    for path, element in (entry for file in files for entry in contents(file)):
        kind, encoding, _ = ELEMENTS[pattern_of(path)]
        assert KINDS[kind](element), (path, kind)
        attrs = dict(element.attrs)
        stored = tuple(
            attrs.pop(name).decode() if name == "encoding_type" else str(attrs.pop(name))
            for name in ("encoding_type", "encoding_version")
            if name in attrs
        )
        assert (stored or None) == encoding, path
        known = ATTRIBUTES.get(pattern_of(path), {})
        for name, value in attrs.items() if path != "/environment" else ():
            assert KINDS[known[name][0]](value), (path, name)


def test_everything_that_must_be_is_in_a_file(files) -> None:
    run, search, supernet = (
        {pattern_of(path): set(element.attrs) for path, element in contents(file)} for file in files
    )
    for path, (_, _, must) in ELEMENTS.items():
        assert path in supernet or not must, path
        assert path in search or not must or path.startswith("/supernet"), path
        assert path in run or not must or path.startswith(("/search", "/supernet")), path
    for path, attributes in ATTRIBUTES.items():
        expected = {name for name, (_, must) in attributes.items() if must}
        assert all(expected <= found[path] for found in (run, search, supernet) if path in found), path


def test_arrays_are_compressed_and_carry_a_checksum(files) -> None:
    for path, element in (entry for file in files for entry in contents(file)):
        if isinstance(element, h5py.Dataset) and element.size:
            assert (element.compression, element.fletcher32) == ("gzip", True), path
