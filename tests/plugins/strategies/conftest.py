from collections import deque

import pytest
from nasbench_toolkit.core.descriptions import SearchSpaceInfo
from nasbench_toolkit.core.errors import InvalidArchitectureError
from nasbench_toolkit.core.interfaces import SearchSpace
from nasbench_toolkit.core.plugin_manager import installed_plugins
from nasbench_toolkit.core.settings import parse_settings


class Bits(SearchSpace):
    """Texts of some bits; a mutant has one bit flipped. Canonical are they without the spaces around them."""

    def __init__(self, length):
        super().__init__(SearchSpaceInfo(name="bits", summary="Bits.", source="the tests", factory=Bits))
        self.length = length

    @property
    def size(self):
        return 2**self.length

    def canonicalize(self, text):
        if len(text.strip()) != self.length or set(text.strip()) - set("01"):
            raise InvalidArchitectureError(f"'{text}' is not {self.length} bits")
        return text.strip()

    def all(self):
        return [f"{number:0{self.length}b}" for number in range(self.size)]

    def _sample(self, count, rng):
        return [f"{number:0{self.length}b}" for number in rng.choice(self.size, count, replace=False)]

    def _mutate(self, text, rng):
        return f" {self.flip(text.strip(), rng.integers(self.length))}"

    def flip(self, text, position):
        return text[:position] + "10"[int(text[position])] + text[position + 1 :]

    def _build_network(self, arch_id, dataset, variant):
        raise NotImplementedError


class Cube(Bits):
    """Bits whose neighbours and choices are known."""

    def neighbours(self, text):
        return [self.flip(text, position) for position in range(self.length)]

    def choices(self):
        return (("0", "1"),) * self.length

    def assemble(self, options):
        return "".join(self.choices()[0][option] for option in options)


@pytest.fixture
def bits():
    return Bits


@pytest.fixture
def cube():
    return Cube


@pytest.fixture
def make():
    """Make a strategy by name, with settings as texts."""

    def make_strategy(name, space, seed=0, **settings):
        info = installed_plugins().search_strategy(name).info
        texts = {key: str(value) for key, value in settings.items()}
        return info.create(space, parse_settings(name, info.settings, texts), seed)

    return make_strategy


@pytest.fixture
def search():
    """Search as the engine does, for at most some steps; return proposals and fitness in the order of telling."""

    def run(strategy, fitness, steps, parallel=1):
        waiting, history = deque(), []
        while len(history) < steps:
            asked = strategy.ask(min(parallel - len(waiting), steps - len(history) - len(waiting)))
            waiting.extend(asked)
            if not waiting:
                break
            architecture = waiting.popleft()
            value = fitness(architecture)
            strategy.tell(architecture, value)
            history.append((architecture, value))
        return history

    return run
