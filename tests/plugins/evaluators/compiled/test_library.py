"""A library is compiled once; where that fails, there is none."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import platformdirs
import pytest
from nasbench_toolkit.plugins.evaluators.compiled import library


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty cache directory, and no library that is loaded already."""
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda _name: tmp_path / "cache")
    library.load_library.cache_clear()
    yield tmp_path / "cache"
    library.load_library.cache_clear()


def write_compiler(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Let a shell script be the only compiler."""
    folder.mkdir(exist_ok=True)
    compiler = folder / "cc"
    compiler.write_text(f"#!/bin/sh\n{script}\n")
    compiler.chmod(0o755)
    found = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name: found(name, path=str(folder)))


@pytest.mark.skipif(not any(map(shutil.which, library.COMPILERS)), reason="no C compiler")
def test_it_is_compiled_once(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert library.load_library("pooling") is not None
    (made,) = cache.iterdir()
    assert made.name.startswith("pooling-")
    before = made.stat().st_mtime_ns
    library.load_library.cache_clear()
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    assert library.load_library("pooling") is not None
    assert made.stat().st_mtime_ns == before


def test_without_a_compiler_there_is_none(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    assert library.load_library("pooling") is None
    assert not cache.exists()


@pytest.mark.parametrize("script", ["exit 1", "true", 'while [ "$1" != -o ]; do shift; done; echo junk > "$2"'])
def test_a_compiler_that_fails_gives_none(
    script: str, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_compiler(tmp_path / "bin", monkeypatch, script)
    assert library.load_library("pooling") is None


def test_a_compiler_that_hangs_is_given_up(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_compiler(tmp_path / "bin", monkeypatch, "exec sleep 60")
    monkeypatch.setattr(library, "SECONDS_TO_COMPILE", 0.1)
    assert library.load_library("pooling") is None
    assert list(cache.iterdir()) == []


def test_a_cache_that_cannot_be_written_gives_none(tmp_path: Path, cache: Path) -> None:
    cache.write_text("a file where the folder should be")
    assert library.load_library("pooling") is None
