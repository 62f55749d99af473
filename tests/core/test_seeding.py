"""Seeds are the same on every machine, and tell their parts apart."""

import hashlib

from nasbench_toolkit.core.seeding import derive_seed


def test_a_seed_is_the_hash_of_its_parts_as_json() -> None:
    digest = hashlib.sha256(b'["batch", 3, "mnist"]').hexdigest()
    assert derive_seed("batch", 3, "mnist") == int(digest[:16], 16) // 2


def test_parts_are_told_apart() -> None:
    assert len({derive_seed("a", 12), derive_seed("a1", 2), derive_seed("a", "12"), derive_seed("a", 1, 2)}) == 4
