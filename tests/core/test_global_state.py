import os
import signal
import socket
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch
from nasbench_toolkit.core.global_state.state import GlobalState, global_state_kept

# (what is changed, how it is read)
CHANGES = {
    "torch-type": (lambda: torch.set_default_dtype(torch.float64), torch.get_default_dtype),
    "torch-device": (lambda: torch.set_default_device("meta"), lambda: torch.zeros(1).device.type),
    "torch-threads": (lambda: torch.set_num_threads(torch.get_num_threads() + 1), torch.get_num_threads),
    "torch-gradients": (lambda: torch.set_grad_enabled(False), torch.is_grad_enabled),
    "torch-deterministic": (
        lambda: torch.use_deterministic_algorithms(True), torch.are_deterministic_algorithms_enabled,
    ),
    "torch-precision": (lambda: torch.set_float32_matmul_precision("medium"), torch.get_float32_matmul_precision),
    "torch-denormals": (lambda: torch.set_flush_denormal(True), lambda: (sys.float_info.min * np.float64(0.5)).item()),
    "torch-autocast": (lambda: torch.set_autocast_enabled("cpu", True), lambda: torch.is_autocast_enabled("cpu")),
    "torch-cudnn": (lambda: setattr(torch.backends.cudnn, "benchmark", True), lambda: torch.backends.cudnn.benchmark),
    "torch-hooks": (
        lambda: torch.nn.modules.module.register_module_forward_hook(print),
        lambda: len(torch.nn.modules.module._global_forward_hooks),
    ),
    "numpy-errors": (lambda: np.seterr(all="raise"), np.geterr),
    "directory": (lambda: os.chdir("/"), os.getcwd),
    "environment": (lambda: os.environ.update(OMP_NUM_THREADS="9", NEW="1"), lambda: dict(os.environ)),
    "environment-removed": (lambda: os.environ.pop("PATH"), lambda: dict(os.environ)),
    "warnings": (lambda: warnings.simplefilter("ignore"), lambda: list(warnings.filters)),
    "alarm": (lambda: signal.alarm(100), lambda: signal.getitimer(signal.ITIMER_REAL)),
    "handler": (lambda: signal.signal(signal.SIGUSR1, signal.SIG_IGN), lambda: signal.getsignal(signal.SIGUSR1)),
    "stdout": (lambda: setattr(sys, "stdout", None), lambda: sys.stdout),
    "recursion": (lambda: sys.setrecursionlimit(400), sys.getrecursionlimit),
    "sockets": (lambda: socket.setdefaulttimeout(1.0), socket.getdefaulttimeout),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_global_state_puts_back(change: str) -> None:
    make, read = CHANGES[change]
    before, state = read(), GlobalState.now()
    make()
    changed = read()
    lost = state.put_back()
    assert (lost, read()) == ((), before)
    assert changed != before


def test_global_state_puts_the_umask_back() -> None:
    state = GlobalState.now()
    before = os.umask(0o777)
    assert state.put_back() == ()
    assert os.umask(before) == before


def test_global_state_names_what_cannot_be_put_back() -> None:
    state, mode = GlobalState.now(), torch.inference_mode()
    mode.__enter__()
    try:
        assert state.put_back() == ("torch's inference mode",)
    finally:
        mode.__exit__(None, None, None)
    assert state.put_back() == ()


IMPORTS_TORCH = """
import sys
from nasbench_toolkit.core.global_state.state import GlobalState, global_state_kept
GlobalState.now()
assert not {"torch", "numpy"} & set(sys.modules)
with global_state_kept() as lost:
    import torch
    torch.set_default_dtype(torch.float64)
    torch.set_grad_enabled(False)
    torch.set_default_device("meta")
print(lost, torch.zeros(1).dtype, torch.zeros(1).device, torch.is_grad_enabled())
"""


def test_global_state_of_a_library_that_the_block_loads_is_that_of_a_fresh_one() -> None:
    done = subprocess.run([sys.executable, "-c", IMPORTS_TORCH], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("[] torch.float32 cpu True\n", "")


def test_global_state_kept_also_where_the_block_raises() -> None:
    before = list(sys.path)
    with pytest.raises(ZeroDivisionError), global_state_kept():
        sys.path.insert(0, "/own")
        1 / 0  # noqa: B018
    assert sys.path == [*before, "/own"]
    sys.path[:] = before
