"""The check that a resumed search goes the way that its file has stored.

A search is resumed by running its strategy again from the beginning and answering from the stored records. Plugins may
have changed meanwhile, and then the stored records would answer other proposals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ..errors import ResultsFileError


class Replay:
    """Compares the proposals of a strategy with those that a file has stored.

    Args:
        path: The file, for messages.
        stored: Its proposals in their order, each as the values that identify it, by name.

    Attributes:
        stored: Number of stored proposals.
    """

    def __init__(self, path: Path, stored: Sequence[Mapping[str, str]]) -> None:
        self.stored = len(stored)
        self._path = path
        self._proposals = stored
        self._made = 0

    def take(self, proposal: Mapping[str, str]) -> int:
        """Compare the strategy's next proposal with the stored one, if there is one.

        Returns:
            Its number, from 0; from ``stored`` on it is new.

        Raises:
            ResultsFileError: The file has another one.
        """
        number, self._made = self._made, self._made + 1
        before = self._proposals[number] if number < self.stored else proposal
        for name, value in proposal.items():
            if before[name] != value:
                raise self.differs(f"proposal {number + 1} had the {name} '{before[name]}' then and has '{value}' now")
        return number

    def end(self) -> None:
        """Check that no stored proposal is left when the strategy has none any more.

        Raises:
            ResultsFileError: There are some.
        """
        if self._made < self.stored:
            raise self.differs(f"it made {self.stored} proposals then and {self._made} now")

    def differs(self, difference: str) -> ResultsFileError:
        """Return the error that says that the search went another way when the file was made."""
        return ResultsFileError(
            f"'{self._path}' was made by another version of the search strategy, the space or the evaluator: "
            f"{difference}. Bring back that version, or choose another --output."
        )
