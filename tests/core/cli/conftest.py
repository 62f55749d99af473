from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest


@pytest.fixture
def otherwise() -> Callable[[Sequence[str], Sequence[str]], list[str]]:
    """Return a command, whose options all have a value, with some options that take the place of its own."""

    def replace(command: Sequence[str], options: Sequence[str]) -> list[str]:
        name, *given = command
        pairs = zip(given[::2], given[1::2], strict=True)
        return [name, *(word for pair in pairs if pair[0] not in options for word in pair), *options]

    return replace
