"""How large what a file holds may be; a small file can claim to unpack to far more. Writers keep to them as well."""

from __future__ import annotations

MAX_ARRAY_BYTES = 2**29
"""All of NAS-Bench-101 with a curve of 150 points."""

MAX_FILE_BYTES = 2**31
"""All that is taken from a file. A hundred evaluators on all of NAS-Bench-101 make 1.8 GB."""

MAX_TEXT_BYTES = 60_000
"""Of one attribute, in UTF-8: larger ones lie where HDF5 has no checksum for them."""

MAX_NAME_BYTES = 1_000
"""Of an attribute or of one step of a path, in UTF-8."""

MAX_DEPTH = 16
"""Groups within groups."""

MAX_OBJECTS = 100_000
"""Groups and arrays of a file."""

MAX_ATTRIBUTES = 10_000
"""Of one group or array."""
