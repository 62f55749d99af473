"""A training step as one CUDA graph: small networks spend most of their time on launching kernels one by one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

import torch
from torch import Tensor

WARM_UP_STEPS = 3
"""Steps that run kernel by kernel before the graph is made, since libraries choose and allocate in the first ones."""


class Recorder(Protocol):
    """Makes graphs; that of torch on a CUDA device, another one in tests."""

    def beside(self) -> AbstractContextManager[None]:
        """Run steps where they can be recorded later."""

    def record(self, step: Callable[[], Tensor]) -> tuple[Callable[[], None], Tensor]:
        """Record a step without doing it.

        Returns:
            What does the step, and the tensor that then holds what it returned.

        Raises:
            RuntimeError: Something in it cannot be recorded.
        """


class StepGraph:
    """Does a step again and again, after some times as a graph; one that cannot be recorded goes on as it is.

    Args:
        step: Reads and changes the same tensors each time, and returns one; no value of it depends on the CPU.
        recorder: Makes the graph.
    """

    def __init__(self, step: Callable[[], Tensor], recorder: Recorder) -> None:
        self._step = step
        self._recorder = recorder
        self._done = 0
        self._replay: Callable[[], None] | None = None
        self._returned: Tensor | None = None
        self.recordable = True

    def __call__(self) -> Tensor:
        """Do the step; return a tensor of its own."""
        if self.recordable and self._replay is None and self._done >= WARM_UP_STEPS:
            self._record()
        self._done += 1
        if self._replay is None or self._returned is None:
            with self._recorder.beside():
                return self._step()
        self._replay()
        return self._returned.clone()

    def _record(self) -> None:
        try:
            self._replay, self._returned = self._recorder.record(self._step)
        except RuntimeError:
            self.recordable = False


class CudaRecorder:
    """Records steps on a CUDA device.

    Args:
        device: Where the step's tensors are.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]

    def beside(self) -> AbstractContextManager[None]:
        """Run on the stream that is recorded later."""
        return _OnStream(self._stream, self._device)

    def record(self, step: Callable[[], Tensor]) -> tuple[Callable[[], None], Tensor]:
        """Record a step. Raises RuntimeError if something in it cannot be recorded."""
        graph = torch.cuda.CUDAGraph()
        torch.cuda.synchronize(self._device)
        with torch.cuda.graph(graph, stream=self._stream):
            returned = step()
        return graph.replay, returned


class _OnStream(AbstractContextManager[None]):
    """What runs inside is done behind what ran before, and before what runs afterwards."""

    def __init__(self, stream: torch.cuda.Stream, device: torch.device) -> None:
        self._stream, self._device = stream, device

    def __enter__(self) -> None:
        self._before = torch.cuda.current_stream(self._device)
        self._stream.wait_stream(self._before)
        torch.cuda.set_stream(self._stream)

    def __exit__(self, *_: object) -> None:
        torch.cuda.set_stream(self._before)
        self._before.wait_stream(self._stream)
