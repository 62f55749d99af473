"""What NumPy and torch have once in a process: types, threads, modes and flags, in as much as they are loaded."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from functools import partial
from operator import attrgetter
from typing import Any

from .parts import Part

SMALLEST = sys.float_info.min
HALF = 0.5

# (module below torch.backends, attribute); a torch that lacks one leaves it out.
TORCH_FLAGS = (
    ("cudnn", "enabled"),
    ("cudnn", "benchmark"),
    ("cudnn", "deterministic"),
    ("cudnn", "allow_tf32"),
    ("cuda.matmul", "allow_tf32"),
    ("cuda.matmul", "allow_fp16_reduced_precision_reduction"),
    ("cuda.matmul", "allow_bf16_reduced_precision_reduction"),
    ("cuda.matmul", "allow_fp16_accumulation"),
    ("mkldnn", "enabled"),
    ("mkldnn", "deterministic"),
    ("mkldnn", "allow_tf32"),
    ("opt_einsum", "enabled"),
    ("opt_einsum", "strategy"),
)

# (flag, its getter and its setter in torch._C); a torch that lacks one leaves it out.
TORCH_SWITCHES = (
    ("torch.backends.nnpack", "_get_nnpack_enabled", "_set_nnpack_enabled"),
    ("torch.backends.cuda.flash_sdp", "_get_flash_sdp_enabled", "_set_sdp_use_flash"),
    ("torch.backends.cuda.math_sdp", "_get_math_sdp_enabled", "_set_sdp_use_math"),
    ("torch.backends.cuda.mem_efficient_sdp", "_get_mem_efficient_sdp_enabled", "_set_sdp_use_mem_efficient"),
    ("torch.backends.cuda.cudnn_sdp", "_get_cudnn_sdp_enabled", "_set_sdp_use_cudnn"),
    (
        "torch.backends.cuda.fp16_bf16_reduction_math_sdp",
        "_get_math_sdp_allow_fp16_bf16_reduction",
        "_set_math_sdp_allow_fp16_bf16_reduction",
    ),
    (
        "torch.sparse.check_sparse_tensor_invariants",
        "_check_sparse_tensor_invariants",
        "_set_check_sparse_tensor_invariants",
    ),
)

# (backend, operation) whose 32-bit numbers can be shortened. One that has no value of its own shows that of the more
# general one, which is therefore put back before it.
PRECISIONS = (
    ("generic", "all"),
    *((backend, operation) for backend in ("cuda", "mkldnn") for operation in ("all", "conv", "matmul", "rnn")),
)

# What modules can be told to do to all modules.
GLOBAL_MODULE_HOOKS = (
    "_global_buffer_registration_hooks",
    "_global_module_registration_hooks",
    "_global_parameter_registration_hooks",
    "_global_backward_pre_hooks",
    "_global_backward_hooks",
    "_global_forward_pre_hooks",
    "_global_forward_hooks",
    "_global_forward_hooks_always_called",
    "_global_forward_hooks_with_kwargs",
)


def number_parts() -> tuple[Part, ...]:
    """Return the parts of those of the two libraries that are loaded."""
    parts = numpy_parts() if "numpy" in sys.modules else ()
    return parts + (torch_parts() if "torch" in sys.modules else ())


def freshen(libraries: Iterable[str]) -> tuple[str, ...]:
    """Put libraries into the state that they are loaded with, and return the names of what cannot be put back."""
    lost = []
    for library in libraries:
        parts = {part.name: part for part in (numpy_parts() if library == "numpy" else torch_parts())}
        for name, value in (_fresh_numpy() if library == "numpy" else _fresh_torch()).items():
            part = parts[name]
            if part.differs_from(value) and part.write is not None:
                part.write(value)
            if part.differs_from(value):
                lost.append(name)
    return tuple(lost)


def numpy_parts() -> tuple[Part, ...]:
    """Return the parts of NumPy."""
    import numpy as np

    return (
        Part("NumPy's errors", np.geterr, lambda value: np.seterr(**value)),
        Part("NumPy's handler of errors", np.geterrcall, np.seterrcall),
        Part("NumPy's size of buffers", np.getbufsize, np.setbufsize),
    )


def torch_parts() -> tuple[Part, ...]:
    """Return the parts of torch."""
    return (*_numbers_and_threads(), *_modes(), *_autocast(), *_flags(), *_precisions(), *_global_hooks())


def _fresh_numpy() -> dict[str, Any]:
    ignore = {"divide": "warn", "over": "warn", "under": "ignore", "invalid": "warn"}
    return {"NumPy's errors": ignore, "NumPy's handler of errors": None}


def _fresh_torch() -> dict[str, Any]:
    import torch

    return {
        "torch's default type": torch.float32,
        "torch's default device and function modes": 0,
        "torch's dispatch modes": 0,
        "the flushing of denormal numbers": False,
        "torch's gradients": True,
        "torch's inference mode": False,
        "torch's detection of anomalies": (False, True),
        "torch's deterministic algorithms": (False, False),
        "torch's precision of products": "highest",
        "torch's autocast": (False, True),
        "torch.backends.cudnn.benchmark": False,
        "torch.backends.cudnn.deterministic": False,
    }


def _numbers_and_threads() -> tuple[Part, ...]:
    import torch

    return (
        Part("torch's default type", torch.get_default_dtype, torch.set_default_dtype),
        Part(
            "torch's default device and function modes",
            torch._C._len_torch_function_stack,
            lambda _: torch.set_default_device(None),
        ),
        Part("the flushing of denormal numbers", _flushes_denormals, torch.set_flush_denormal),
        Part("torch's threads", torch.get_num_threads, torch.set_num_threads),
        Part("torch's threads between operations", torch.get_num_interop_threads, None),
        Part(
            "torch's deterministic algorithms",
            lambda: (
                torch.are_deterministic_algorithms_enabled(),
                torch.is_deterministic_algorithms_warn_only_enabled(),
            ),
            lambda value: torch.use_deterministic_algorithms(value[0], warn_only=value[1]),
        ),
        Part(
            "torch's precision of products", torch.get_float32_matmul_precision, torch.set_float32_matmul_precision
        ),
    )  # fmt: skip


def _flushes_denormals() -> bool:
    # Nobody can be asked; the flag is the processor's, so that Python's own numbers show it.
    return SMALLEST * HALF == 0.0


def _modes() -> tuple[Part, ...]:
    import torch

    def set_anomaly(value: tuple[bool, bool]) -> None:
        torch.set_anomaly_enabled(*value)

    return (
        Part("torch's dispatch modes", torch._C._len_torch_dispatch_stack, None),
        # Inference mode is left by whoever entered it, or never.
        Part("torch's inference mode", torch.is_inference_mode_enabled, None),
        Part("torch's gradients", torch.is_grad_enabled, torch._C._set_grad_enabled),
        Part(
            "torch's detection of anomalies",
            lambda: (torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()),
            set_anomaly,
        ),
    )


def _autocast() -> tuple[Part, ...]:
    import torch

    def write(value: tuple[bool, bool]) -> None:
        torch.set_autocast_enabled("cpu", value[0])
        torch.set_autocast_cache_enabled(value[1])

    def read() -> tuple[bool, bool]:
        return torch.is_autocast_enabled("cpu"), torch.is_autocast_cache_enabled()

    return (
        Part("torch's autocast", read, write),
        Part(
            "torch's autocast on CUDA",
            lambda: torch.is_autocast_enabled("cuda"),
            lambda value: torch.set_autocast_enabled("cuda", value),
        ),
        Part(
            "torch's type for autocast",
            lambda: torch.get_autocast_dtype("cpu"),
            lambda value: torch.set_autocast_dtype("cpu", value),
        ),
    )


def _flags() -> list[Part]:
    import torch

    parts = []
    for module, name in TORCH_FLAGS:
        owner = attrgetter(module)(torch.backends)
        parts.append(Part(f"torch.backends.{module}.{name}", *_access(owner, name)))
    parts += [
        Part(name, getattr(torch._C, getter), getattr(torch._C, setter))
        for name, getter, setter in TORCH_SWITCHES
        if hasattr(torch._C, getter) and hasattr(torch._C, setter)
    ]
    return parts


def _precisions() -> list[Part]:
    """Return the precisions of single operations: after those of all products, which change some of them."""
    import torch

    if not hasattr(torch._C, "_get_fp32_precision_getter"):  # before torch 2.9
        return []
    read, write = torch._C._get_fp32_precision_getter, torch._C._set_fp32_precision_setter
    return [Part(_name_of(place), partial(read, *place), partial(write, *place)) for place in PRECISIONS]


def _name_of(place: tuple[str, str]) -> str:
    return f"torch's precision of 32-bit numbers ({', '.join(place)})"


def _access(owner: Any, name: str) -> tuple[Any, Any]:
    return (lambda: getattr(owner, name)), (lambda value: setattr(owner, name, value))


def _global_hooks() -> Sequence[Part]:
    from torch.nn.modules import module

    hooks = [vars(module)[name] for name in GLOBAL_MODULE_HOOKS if name in vars(module)]

    def write(value: list[dict[Any, Any]]) -> None:
        for current, kept in zip(hooks, value, strict=True):
            current.clear()
            current.update(kept)

    return (Part("hooks of all torch modules", lambda: hooks, write, lambda value: [dict(each) for each in value]),)
