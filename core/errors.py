"""Every exception the toolkit raises on purpose.

An error message says what was expected, what came, and what to do next. ``exit_code`` is what the command line
returns: 2 for bad input, 1 for a run that failed.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class NasbenchError(Exception):
    """Base class of all errors of the toolkit."""

    exit_code = 1


class UsageError(NasbenchError):
    """What the user gave cannot be used."""

    exit_code = 2


class UnknownNameError(UsageError):
    """A name that no installed plugin provides."""

    def __init__(self, kind: str, name: str, known: Iterable[str], hint: str) -> None:
        """Say which names come close to ``name`` among ``known``, or name them all; ``hint`` says how to list them."""
        self.kind, self.name = kind, name
        known = sorted(known)
        choices = closest_matches(name, known) or f"Choose one of: {', '.join(known) or 'none'}. "
        super().__init__(f"Unknown {kind} '{name}'. {choices}{hint}")


class InvalidSettingError(UsageError):
    """A setting of an evaluator or strategy that does not exist or has a value outside its range."""


class InvalidArchitectureError(UsageError):
    """A text that is not an architecture of the search space."""


class UnsupportedSearchSpaceError(UsageError):
    """An evaluator that cannot score the architectures of a search space."""


class SampleSizeError(UsageError):
    """More architectures asked for than a search space has."""


class DeviceError(UsageError):
    """A device that does not exist on this machine."""


class DataError(UsageError):
    """A data file that is missing, damaged or not what its description says."""


class DataInUseError(DataError):
    """A data file that another program may be writing."""


class UnsupportedImportError(UsageError):
    """Files of a data source that cannot be imported in part."""


class DataHomeError(NasbenchError):
    """The data directory cannot be written."""


class DownloadError(NasbenchError):
    """An official file that could not be downloaded."""


class ResultsFileError(UsageError):
    """A results file that is missing, damaged, foreign, newer than this version or of another plan."""


class ResultsWriteError(NasbenchError):
    """Results could not be written (place not writable, disk full)."""


class NoFeasibleArchitectureError(NasbenchError):
    """A search that proposed no architecture within the limits on its costs."""


class PluginError(NasbenchError):
    """Plugins that contradict each other, or one that breaks its contract."""


class EvaluationError(NasbenchError):
    """Raised by an evaluator that cannot give this one architecture a score; becomes the job's status."""

    status = "failed"


class InvalidEvaluationError(EvaluationError):
    """What an evaluator returned is no score, or its curves are none."""


class DivergedError(EvaluationError):
    """A training or a sum whose value is no longer finite."""

    status = "diverged"


class DegenerateError(EvaluationError):
    """A score that is undefined for this network, such as the logarithm of zero for a disconnected one."""

    status = "degenerate"


def closest_matches(name: str, known: Iterable[str]) -> str:
    """Return ``"Did you mean 'a' or 'b'? "`` for the names in ``known`` closest to ``name``, else an empty text."""
    matches = difflib.get_close_matches(name, list(known), n=3, cutoff=0.5)
    if not matches:
        return ""
    return f"Did you mean {' or '.join(repr(match) for match in matches)}? "
