"""The bibliography of the built-in plugins."""

import re
from collections import Counter

import pytest
from nasbench_toolkit.core.plugin_manager import installed_plugins
from nasbench_toolkit.plugins.references import _entries, references

ENTRY = re.compile(r"@(article|inproceedings|misc|techreport)\{(\w+),\n(  \w+ +=.* \{.+\},\n)+\}")


@pytest.mark.parametrize("key", _entries())
def test_entries_are_bibtex(key) -> None:
    (entry,) = references(key)
    assert ENTRY.fullmatch(entry)
    assert ENTRY.fullmatch(entry)[2] == key
    assert entry.count("{") == entry.count("}")
    fields = re.findall(r"^  (\w+)", entry, flags=re.MULTILINE)
    assert {"author", "title", "year"} <= set(fields)
    assert max(Counter(fields).values()) == 1


def test_every_entry_is_cited() -> None:
    plugins = installed_plugins()
    kinds = (
        plugins.search_spaces(), plugins.datasets(), plugins.evaluators(), plugins.aggregates(),
        plugins.search_strategies(),
    )  # fmt: skip
    cited = {entry for kind in kinds for provided in kind.values() for entry in provided.info.references}
    assert cited >= set(_entries().values())


def test_an_unknown_key_is_an_error() -> None:
    with pytest.raises(KeyError):
        references("nobody2021nothing")
