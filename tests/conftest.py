import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from nasbench_toolkit.core.planning.requests import RunRequest, make_plan
from nasbench_toolkit.core.plugin_manager import PluginManager, installed_plugins

# Before torch is imported: small tensors are slower on several threads, much slower on a busy machine.
os.environ.setdefault("OMP_NUM_THREADS", "1")

TOY_PLUGIN = Path(__file__).parent / "toy_plugin"


@pytest.fixture(autouse=True)
def data_directory(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give every test an empty data directory, so that what this machine's user imported changes nothing."""
    folder = tmp_path_factory.mktemp("data")
    monkeypatch.setenv("NASBENCH_DATA", str(folder))
    return folder


@pytest.fixture
def toy_plugins(monkeypatch: pytest.MonkeyPatch) -> PluginManager:
    """Install the toy plugin, in this process and in worker processes."""
    monkeypatch.syspath_prepend(str(TOY_PLUGIN))
    installed_plugins.cache_clear()
    yield installed_plugins()
    installed_plugins.cache_clear()


@pytest.fixture
def toy_plan(toy_plugins):
    """Make a plan of the toy space."""

    def make(evaluators=("toy-random",), samples=6, seed=0, architectures=None, metric=None):
        request = RunRequest(
            "toy", tuple(evaluators), samples=samples, seed=seed, architectures=architectures, metric=metric
        )
        return make_plan(request, toy_plugins)

    return make


@pytest.fixture
def nasbench(tmp_path):
    """Run the command line in a process of its own, in an empty directory, with the toy plugin installed."""

    def run(*args, **kwargs):
        environment = os.environ | {"PYTHONPATH": str(TOY_PLUGIN), "COLUMNS": "120"} | kwargs.pop("env", {})
        return subprocess.run(
            [sys.executable, "-m", "nasbench_toolkit", *map(str, args)],
            capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=300, **kwargs,
        )  # fmt: skip

    return run


def _heed_interrupts() -> None:
    # A shell lets what it starts in the background ignore Ctrl-C, and tests may be started so.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture
def start_nasbench(tmp_path):
    """Start the command line like :func:`nasbench`, in a process group of its own, and do not wait for it."""

    def start(*args):
        return subprocess.Popen(
            [sys.executable, "-m", "nasbench_toolkit", *map(str, args)],
            cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(TOY_PLUGIN)}, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, start_new_session=True, preexec_fn=_heed_interrupts,
        )  # fmt: skip

    return start
