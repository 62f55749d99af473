"""What can be wrong with a GenNAS task."""

from __future__ import annotations

from ....core.errors import InvalidSettingError


class InvalidTaskError(InvalidSettingError):
    """A task that breaks the task schema."""
