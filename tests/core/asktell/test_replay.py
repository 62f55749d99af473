from pathlib import Path

import pytest
from nasbench_toolkit.core.asktell.replay import Replay
from nasbench_toolkit.core.errors import ResultsFileError

STORED = [{"architecture": "a", "fidelity": "short"}, {"architecture": "b", "fidelity": "whole"}]


@pytest.fixture
def replay():
    return Replay(Path("s.h5"), STORED)


def test_proposals_as_before_and_new_ones_are_numbered(replay) -> None:
    assert replay.stored == 2
    assert [replay.take(proposal) for proposal in (*STORED, {"architecture": "c", "fidelity": "whole"})] == [0, 1, 2]
    replay.end()


@pytest.mark.parametrize(
    ("proposal", "difference"),
    [
        ({"architecture": "c", "fidelity": "whole"}, "the architecture 'b' then and has 'c' now"),
        ({"architecture": "b", "fidelity": "short"}, "the fidelity 'whole' then and has 'short' now"),
    ],
)
def test_another_proposal_is_refused_with_what_differs(replay, proposal, difference) -> None:
    replay.take(STORED[0])
    with pytest.raises(ResultsFileError) as raised:
        replay.take(proposal)
    assert str(raised.value) == (
        "'s.h5' was made by another version of the search strategy, the space or the evaluator: proposal 2 had "
        f"{difference}. Bring back that version, or choose another --output."
    )


def test_fewer_proposals_than_before_are_refused(replay) -> None:
    replay.take(STORED[0])
    with pytest.raises(ResultsFileError, match="it made 2 proposals then and 1 now. Bring back that version"):
        replay.end()
