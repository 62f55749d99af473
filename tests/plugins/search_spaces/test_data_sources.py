import re
import subprocess
import sys

import pytest
from nasbench_toolkit.benchmarks_data.tables.source import TableSource
from nasbench_toolkit.plugins.search_spaces.data_sources import (
    NASBENCH101_SOURCE,
    NASBENCH201_SOURCE,
    NASBENCH_NLP_SOURCE,
)

SOURCES = (NASBENCH101_SOURCE, NASBENCH201_SOURCE, NASBENCH_NLP_SOURCE)


@pytest.mark.parametrize("info", SOURCES, ids=[info.name for info in SOURCES])
def test_data_source_is_described_and_can_be_made(info) -> None:
    assert isinstance(info.create(), TableSource)
    assert info.content == "table"
    assert info.licence and info.homepage.startswith("https://")
    assert info.accepts.startswith("Takes ") and info.accepts.endswith(".")


@pytest.mark.parametrize("info", SOURCES, ids=[info.name for info in SOURCES])
def test_official_files_have_a_reader(info) -> None:
    readers = info.create().readers
    unpacked_first = ("-simple.tar",)
    for file in info.files:
        assert file.name.endswith((*readers, *unpacked_first)), file.name
        assert file.checksum is None or re.fullmatch("sha256:[0-9a-f]{64}|md5:[0-9a-f]{32}", file.checksum)
        # A zip carries a checksum of each of its members.
        assert file.url is None or file.checksum or file.name.endswith(".zip"), "what is downloaded can be checked"


def test_listing_data_sources_imports_no_reader() -> None:
    program = (
        "import sys, nasbench_toolkit.plugins.search_spaces.data_sources;"
        "print([name for name in ('torch', 'numpy', 'h5py') if name in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", program], text=True).strip() == "[]"
