"""What a results file was made with: software, hardware and command, as texts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import h5py

from ...hdf5.stored import StoredGroup
from ...hdf5.writing import create_group, write_attributes
from .encoding import TYPE, VERSION, Encoding, read_text

ENCODING = Encoding("nasbench-environment", 1)
NAME = "environment"


def write_environment(file: h5py.Group, environment: Mapping[str, Any]) -> None:
    """Write names and values; what is no text becomes JSON."""
    group = create_group(file, NAME)
    ENCODING.mark(group)
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in environment.items()}
    # A command may name files in no encoding at all.
    write_attributes(group, **{name: text.encode(errors="backslashreplace").decode() for name, text in texts.items()})


def read_environment(file: StoredGroup) -> dict[str, str]:
    """Return the texts by name."""
    group = file.group(NAME)
    ENCODING.check(group)
    return {name: read_text(group.attrs, name) for name in sorted(group.attrs) if name not in (TYPE, VERSION)}
