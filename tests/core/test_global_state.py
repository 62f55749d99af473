import os
import signal
import socket
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch
from nasbench_toolkit.core.global_state.functions import toolkit_parts
from nasbench_toolkit.core.global_state.numbers import PRECISIONS
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
    "torch-nnpack": (lambda: torch.backends.nnpack.set_flags(False), torch._C._get_nnpack_enabled),
    "torch-flash": (lambda: torch.backends.cuda.enable_flash_sdp(False), torch.backends.cuda.flash_sdp_enabled),
    "torch-math": (lambda: torch.backends.cuda.enable_math_sdp(False), torch.backends.cuda.math_sdp_enabled),
    "torch-memory-efficient": (
        lambda: torch.backends.cuda.enable_mem_efficient_sdp(False), torch.backends.cuda.mem_efficient_sdp_enabled,
    ),
    "torch-cudnn-attention": (
        lambda: torch.backends.cuda.enable_cudnn_sdp(False), torch.backends.cuda.cudnn_sdp_enabled,
    ),
    "torch-sparse": (
        torch.sparse.check_sparse_tensor_invariants.enable, torch.sparse.check_sparse_tensor_invariants.is_enabled,
    ),
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


@pytest.mark.skipif(not hasattr(torch.backends.mkldnn, "conv"), reason="this torch has one precision for all")
@pytest.mark.parametrize(("backend", "operation"), PRECISIONS)
def test_global_state_puts_the_precision_of_an_operation_back(backend: str, operation: str) -> None:
    def read() -> list[str]:
        precisions = [torch._C._get_fp32_precision_getter(*place) for place in PRECISIONS]
        return [*precisions, torch.get_float32_matmul_precision(), str(torch.backends.cudnn.allow_tf32)]

    before, state = read(), GlobalState.now()
    present = torch._C._get_fp32_precision_getter(backend, operation)
    other = next(value for value in ("ieee", "tf32") if value != present)
    torch._C._set_fp32_precision_setter(backend, operation, "bf16" if backend == "mkldnn" else other)
    assert state.changed()
    assert (state.put_back(), read()) == ((), before)


# (owner, name, whether it is there already)
NAMES = {
    "method": (torch.nn.Linear, "reset_parameters", True),
    "method-of-base-hidden": (torch.nn.Conv2d, "reset_parameters", False),
    "private-method": (torch.nn.Conv2d, "_conv_forward", True),
    "method-of-base": (torch.nn.modules.batchnorm._NormBase, "reset_parameters", True),
    "inherited-method": (torch.nn.ReLU, "__call__", False),
    "method-of-module": (torch.nn.Module, "_apply", True),
    "parameter": (torch.nn.Parameter, "__new__", True),
    "optimizer": (torch.optim.SGD, "step", True),
    "schedule": (torch.optim.lr_scheduler.StepLR, "get_lr", True),
    "autograd": (torch.autograd.Function, "apply", True),
    "gradient": (torch.autograd, "grad", True),
    "module-of-functions": (torch.nn, "init", True),
    "functions-of-layers": (torch.nn.modules.conv, "init", True),
    "private-function": (torch.nn.init, "_calculate_correct_fan", True),
    "hidden-built-in": (torch.nn.modules.linear, "super", False),
    "parametrizations": (torch.nn.utils.parametrize, "_cache_enabled", True),
    "norm-of-gradients": (torch.nn.utils.clip_grad, "clip_grad_norm_", True),
}  # fmt: skip


@pytest.mark.parametrize("replaced", NAMES)
def test_what_is_replaced_in_libraries_is_put_back(replaced: str) -> None:
    owner, name, is_there = NAMES[replaced]
    before, state = vars(owner).get(name), GlobalState.now(toolkit_parts())
    setattr(owner, name, 5)
    assert state.changed() == ("functions and classes of libraries",)
    assert state.put_back() == state.changed() == ()
    assert vars(owner).get(name) is before
    assert (name in vars(owner)) == is_there


def test_new_names_in_libraries_stay() -> None:
    state = GlobalState.now(toolkit_parts())
    torch.nn.Conv2d.own_name = 5
    try:
        assert state.put_back() == state.changed() == ()
        assert torch.nn.Conv2d.own_name == 5
        # What is made of them later stays as well, also what cannot be compared.
        for value in (6, torch.zeros(3), torch.ones(3)):
            torch.nn.Conv2d.own_name = value
            assert state.put_back() == state.changed() == ()
            assert torch.nn.Conv2d.own_name is value
    finally:
        del torch.nn.Conv2d.own_name


def test_the_first_optimizer_of_a_class_changes_nothing() -> None:
    state = GlobalState.now(toolkit_parts())
    torch.optim.Rprop([torch.nn.Parameter(torch.zeros(1))])
    assert state.changed() == ()


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
from nasbench_toolkit.core.global_state.functions import toolkit_parts
from nasbench_toolkit.core.global_state.numbers import PRECISIONS
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
