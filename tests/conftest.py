import contextlib
import io
import os
import random
import select
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType

import hypothesis
import numpy as np
import pytest
from nasbench_toolkit.core.cli import main
from nasbench_toolkit.core.planning.requests import RunRequest, make_plan
from nasbench_toolkit.core.plugin_manager import PluginManager, installed_plugins

# Before torch is imported: small tensors are slower on several threads, much slower on a busy machine.
os.environ.setdefault("OMP_NUM_THREADS", "1")

CHECKOUT = Path(__file__).parents[1]
TOY_PLUGIN = CHECKOUT / "tests" / "toy_plugin"
SECONDS_TO_WAIT = 60

hypothesis.settings.register_profile("same-examples", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("same-examples")


class CheckoutIsNoPackage:
    """Keeps pytest from importing the checkout itself, which has an ``__init__.py``, under the name of its folder."""

    @staticmethod
    def pytest_collect_directory(path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        return pytest.Dir.from_parent(parent, path=path) if path == CHECKOUT else None


def pytest_configure(config: pytest.Config) -> None:
    # The hooks of this file alone are called for the folders below it only.
    config.pluginmanager.register(CheckoutIsNoPackage())


@pytest.fixture(autouse=True)
def seeded_generators() -> None:
    """Seed the global generators, so that a test draws the same numbers whatever ran before it."""
    random.seed(0)
    np.random.seed(0)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)


@pytest.fixture(autouse=True)
def data_directory(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give every test an empty data directory, so that what this machine's user imported changes nothing."""
    folder = tmp_path_factory.mktemp("data")
    monkeypatch.setenv("NASBENCH_DATA", str(folder))
    return folder


@contextlib.contextmanager
def plugins_in(folders: Sequence[Path]) -> Iterator[None]:
    """Install the plugins of folders besides those installed already, in this process and in worker processes."""
    with pytest.MonkeyPatch.context() as patch:
        for folder in folders:
            patch.syspath_prepend(str(folder))
        installed_plugins.cache_clear()
        yield
    installed_plugins.cache_clear()


@pytest.fixture
def toy_plugins() -> Iterator[PluginManager]:
    """Install the toy plugin, in this process and in worker processes."""
    with plugins_in([TOY_PLUGIN]):
        yield installed_plugins()


@pytest.fixture
def toy_plan(toy_plugins):
    """Make a plan of the toy space."""

    def make(evaluators=("toy-random",), samples=6, seed=0, architectures=None, metric=None, seeds=1):
        request = RunRequest(
            "toy", tuple(evaluators), samples=samples, seed=seed, architectures=architectures, metric=metric,
            seeds=seeds,
        )  # fmt: skip
        return make_plan(request, toy_plugins)

    return make


@dataclass(frozen=True)
class Done:
    """How a command line ended, and what it printed."""

    returncode: int | str | None
    stdout: str
    stderr: str


@contextlib.contextmanager
def like_a_new_process(args: Sequence[str], directory: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """Arrange what a command line finds when its process starts, and put back what it changes."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    with pytest.MonkeyPatch.context() as patch, contextlib.chdir(directory), warnings.catch_warnings():
        patch.setattr(sys, "argv", ["nasbench", *args])
        for name, value in environment.items():
            patch.setenv(name, value)
        warnings.resetwarnings()
        for hidden in (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning):
            warnings.simplefilter("ignore", hidden)
        warnings.filterwarnings("error", category=DeprecationWarning, module="nasbench_toolkit")
        try:
            yield
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)


@pytest.fixture
def run_nasbench(tmp_path):
    """Run the command line in this process, in an empty directory, with the plugins of some folders installed."""

    def run(*args, plugins: Sequence[Path] = (), env: Mapping[str, str] = MappingProxyType({})) -> Done:
        texts = [str(arg) for arg in args]
        output, errors = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
        with (
            like_a_new_process(texts, tmp_path, {"COLUMNS": "120", **env}),
            plugins_in(plugins),
            contextlib.redirect_stdout(output),
            contextlib.redirect_stderr(errors),
            pytest.raises(SystemExit) as ended,
        ):
            main(texts)
        return Done(ended.value.code, *(stream.buffer.getvalue().decode() for stream in (output, errors)))

    return run


@pytest.fixture
def nasbench(run_nasbench):
    """Run the command line like :func:`run_nasbench`, with the toy plugin installed."""
    return partial(run_nasbench, plugins=[TOY_PLUGIN])


class HeldCommand:
    """A command in a process group of its own, each of whose toy jobs waits until it is allowed."""

    def __init__(self, command: Sequence[str], directory: Path) -> None:
        pipe = directory / "tickets"
        if not pipe.exists():
            os.mkfifo(pipe)
        # Opened for both, so that neither end waits for the other, and a job never finds the pipe closed.
        self._tickets = os.open(pipe, os.O_RDWR)
        self._process = subprocess.Popen(
            command, cwd=directory, env=os.environ | {"PYTHONPATH": str(TOY_PLUGIN), "TOY_TICKETS": str(pipe)},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
            preexec_fn=_heed_interrupts,
        )  # fmt: skip

    def allow(self, jobs: int) -> None:
        """Let some jobs more begin."""
        os.write(self._tickets, b"." * jobs)

    def wait_for(self, file: Path, mark: bytes, count: int) -> None:
        """Wait until the command wrote so many marks into a file."""
        for _ in self._until_written(file, mark, count):
            pass

    def allow_until(self, file: Path, mark: bytes, count: int) -> None:
        """Let jobs begin, one after the other, until the command wrote so many marks into a file."""
        for _ in self._until_written(file, mark, count):
            if not select.select([self._tickets], [], [], 0)[0]:
                self.allow(1)

    def _until_written(self, file: Path, mark: bytes, count: int) -> Iterator[None]:
        deadline = time.monotonic() + SECONDS_TO_WAIT
        while not (file.exists() and file.read_bytes().count(mark) >= count):
            assert self._process.poll() is None, f"it ended: {self._process.communicate()}"
            assert time.monotonic() < deadline, f"'{file}' has fewer than {count} of {mark!r}"
            yield
            time.sleep(0.01)

    def end(self, number: signal.Signals) -> Done:
        """Send a signal to the whole group, and wait for the end of the command."""
        os.killpg(self._process.pid, number)
        output, errors = self._process.communicate(timeout=SECONDS_TO_WAIT)
        return Done(self._process.returncode, output, errors)

    def close(self) -> None:
        """Leave nothing behind, whatever happened."""
        os.close(self._tickets)
        if self._process.poll() is None:
            self.end(signal.SIGKILL)


def _heed_interrupts() -> None:
    # A shell lets what it starts in the background ignore Ctrl-C, and tests may be started so.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture
def start_held(tmp_path):
    """Start Python with some arguments in an empty directory, with the toy plugin installed; see HeldCommand."""
    started = []

    def start(*args) -> HeldCommand:
        started.append(HeldCommand([sys.executable, *map(str, args)], tmp_path))
        return started[-1]

    yield start
    for command in started:
        command.close()
