import decimal
import locale
import os
import re
import signal
import warnings
from pathlib import Path

import pytest
from nasbench_toolkit.core.asktell.loop import AskTellLoop, PendingProposal, Proposal
from nasbench_toolkit.core.asktell.strategy import StrategySpec
from nasbench_toolkit.core.descriptions import SearchStrategyInfo
from nasbench_toolkit.core.errors import InvalidArchitectureError, PluginError, UnsupportedSearchSpaceError
from nasbench_toolkit.core.global_state.state import global_state_kept
from nasbench_toolkit.core.interfaces import DesignSpace, PartialEvaluation, SearchStrategy
from nasbench_toolkit.core.settings import Settings


class Numbers(DesignSpace):
    """Whole numbers; leading zeros are another spelling."""

    name = "numbers"
    size = None

    def canonicalize(self, text):
        if not text.isdigit():
            raise InvalidArchitectureError(f"'{text}' is no number")
        return str(int(text))

    def _sample(self, count, rng):
        raise NotImplementedError


class Scripted(SearchStrategy):
    """Proposes what ``batches`` says, one batch an ask, then nothing; writes what happens into ``events``."""

    def __init__(self, batches, events):
        self.left, self.events = list(batches), events

    def ask(self, count):
        batch = self.left.pop(0) if self.left else []
        self.events.append(("ask", count, batch))
        return batch

    def tell(self, architecture, fitness):
        self.events.append(("tell", architecture, fitness))


class Evaluator:
    """The fitness is the number; 13 has none, and numbers from 90 on do not count."""

    def __init__(self):
        self.started = []

    def start(self, proposal):
        self.started.append(proposal)
        number = float(proposal.canonical)
        return PendingProposal(proposal, lambda: number, counts=number < 90)

    def objectives(self, outcome):
        return None if outcome in (13.0, 90.0, 91.0) else (outcome, -1.0)


@pytest.fixture
def run():
    """Run a loop over scripted batches to its end; return outcomes, what the strategy saw, and what was evaluated."""

    def run(*batches, evaluations=10, parallel=1, strategy=Scripted):
        events, evaluator = [], Evaluator()
        info = SearchStrategyInfo(
            name="scripted", summary="Scripted.", source="the tests", factory=lambda *_: strategy(batches, events)
        )
        spec = StrategySpec(info, Settings(), "tests 1.0", Numbers(), 0)
        outcomes = list(AskTellLoop(spec, evaluations, parallel, evaluator).outcomes())
        return outcomes, events, evaluator.started

    return run


def test_one_at_a_time_is_the_textbooks_loop(run) -> None:
    outcomes, events, _ = run(["3"], ["4"], ["5"], evaluations=2)
    assert outcomes == [3.0, 4.0]
    assert events == [("ask", 1, ["3"]), ("tell", "3", 3.0), ("ask", 1, ["4"]), ("tell", "4", 4.0)]


def test_window_is_filled_up_and_the_oldest_told_first(run) -> None:
    _, events, _ = run(["1"], ["2", "3"], [], ["4"], parallel=2)
    assert events == [
        ("ask", 2, ["1"]),
        ("tell", "1", 1.0),
        ("ask", 2, ["2", "3"]),
        ("tell", "2", 2.0),
        ("ask", 1, []),
        ("tell", "3", 3.0),
        ("ask", 2, ["4"]),
        ("tell", "4", 4.0),
        ("ask", 2, []),
    ]


def test_never_more_proposals_than_evaluations(run) -> None:
    outcomes, events, _ = run(["1", "2", "3"], evaluations=3, parallel=8)
    assert [event[:2] for event in events if event[0] == "ask"] == [("ask", 3)]
    assert len(outcomes) == 3


def test_proposals_that_do_not_count_come_on_top_and_keep_their_turn(run) -> None:
    outcomes, events, _ = run(["90", "1"], ["91"], ["2"], ["3"], evaluations=3, parallel=2)
    assert outcomes == [90.0, 1.0, 91.0, 2.0, 3.0]
    assert [event for event in events if event[0] == "tell"][:3] == [
        ("tell", "90", None), ("tell", "1", 1.0), ("tell", "91", None),
    ]  # fmt: skip


def test_a_proposal_is_told_as_spelled_and_evaluated_by_its_canonical_string(run) -> None:
    _, events, started = run(["007"], ["13"])
    assert started == [Proposal("007", "7", rung=0), Proposal("13", "13", rung=0)]
    assert [event for event in events if event[0] == "tell"] == [("tell", "007", 7.0), ("tell", "13", None)]


def test_a_text_is_evaluated_in_full_and_a_partial_evaluation_at_its_fidelity(run) -> None:
    class Partial(Scripted):
        fidelities = (0.1, 0.5, 1.0)

    _, _, started = run([PartialEvaluation("5", 1)], ["6"], strategy=Partial)
    assert started == [Proposal("5", "5", rung=1), Proposal("6", "6", rung=2)]


def test_strategy_that_ends_early_ends_the_loop(run) -> None:
    assert run(["1"])[0] == [1.0]


@pytest.mark.parametrize(
    ("batches", "message"),
    [
        ([[]], "made no proposal at all"),
        ([["1", "2"]], "was asked for 1 proposals and made more"),
        ([["nonsense"]], "proposed what is not of 'numbers': 'nonsense' is no number"),
        ([["1"], [7]], "proposed 7, which is no text"),
        ([[PartialEvaluation("1", 1)]], "proposed an evaluation at fidelity 1, which it does not have"),
        ([None], "failed with TypeError: 'NoneType' object is not iterable"),
    ],
)
def test_strategy_that_breaks_its_contract_is_named(run, batches, message) -> None:
    named = f"The search strategy 'scripted' of tests 1.0 {message}. This is a fault of its plugin."
    with pytest.raises(PluginError, match=f"^{re.escape(named)}$"):
        run(*batches)


def test_strategy_that_cannot_be_made_or_told_is_named(run) -> None:
    class Unmade(Scripted):
        def __init__(self, batches, events):
            raise ValueError("no batches")

    class Deaf(Scripted):
        def tell(self, architecture, fitness):
            raise KeyError(architecture)

    with pytest.raises(PluginError, match="cannot be made: ValueError: no batches"):
        run(["1"], strategy=Unmade)
    with pytest.raises(PluginError, match="failed with KeyError: '1'"):
        run(["1"], strategy=Deaf)


def surroundings():
    return (
        Path.cwd(),
        dict(os.environ),
        locale.setlocale(locale.LC_ALL),
        list(warnings.filters),
        signal.getsignal(signal.SIGUSR1),
        decimal.getcontext().prec,
    )


def disturb():
    os.chdir("/")
    os.environ["NASBENCH_DATA"] = "elsewhere"
    locale.setlocale(locale.LC_ALL, "C")
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    decimal.getcontext().prec += 1


@pytest.mark.parametrize("method", ["__init__", "fidelities", "ask", "tell"])
def test_what_a_strategy_changes_in_the_process_is_put_back(run, method) -> None:
    class Disturbing(Scripted):
        def __init__(self, batches, events):
            super().__init__(batches, events)
            self.disturb_in("__init__")

        def disturb_in(self, name):
            if name == method:
                events.append(surroundings())
                disturb()
                events.append(surroundings())

        @property
        def fidelities(self):
            self.disturb_in("fidelities")
            return (1.0,)

        def ask(self, count):
            self.disturb_in("ask")
            yield from super().ask(count)

        def tell(self, architecture, fitness):
            self.disturb_in("tell")

    events = []
    before = surroundings()
    with global_state_kept():
        run(["1"], ["2"], strategy=Disturbing)
        after = surroundings()
    assert after == before
    assert events[::2] == [before] * (len(events) // 2)
    assert before not in events[1::2]
    assert events


def test_strategys_own_errors_pass(run) -> None:
    class Mutating(Scripted):
        def ask(self, count):
            return [Numbers().mutate("1", None)]

    with pytest.raises(UnsupportedSearchSpaceError, match="'numbers' has no mutation"):
        run(strategy=Mutating)
