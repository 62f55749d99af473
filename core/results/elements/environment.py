"""What a results file was made with: software, hardware and command, as texts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import h5py

from .encoding import TYPE, VERSION, Encoding, read_text

ENCODING = Encoding("nasbench-environment", 1)
NAME = "environment"


def write_environment(file: h5py.Group, environment: Mapping[str, Any]) -> None:
    """Write names and values; what is no text becomes JSON."""
    group = file.create_group(NAME)
    ENCODING.mark(group)
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in environment.items()}
    group.attrs.update(texts)


def read_environment(file: h5py.Group) -> dict[str, str]:
    """Return the texts by name."""
    ENCODING.check(file[NAME])
    attrs = file[NAME].attrs
    return {name: read_text(attrs, name) for name in attrs if name not in (TYPE, VERSION)}
