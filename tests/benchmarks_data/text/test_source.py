import zipfile
from pathlib import Path

import pytest
from nasbench_toolkit.benchmarks_data.text.tokens import StoredTokens
from nasbench_toolkit.core.data.data_home import data_home, import_data, verify_data
from nasbench_toolkit.core.errors import DataError
from nasbench_toolkit.plugins.datasets.data_sources import DATA_SOURCES

WIKITEXT = Path(__file__).parents[3] / "../shared/data/wikitext-2"
SOURCES = {info.name: info for info in DATA_SOURCES if info.content == "text"}
NAMES = {"wikitext-2": "wiki.{}.tokens", "ptb": "ptb.{}.txt", "own-text": "{}.txt"}


def ignore(done, total):
    pass


@pytest.fixture(params=sorted(SOURCES))
def name(request):
    return request.param


@pytest.fixture
def texts(tmp_path, name):
    for split, text in (("train", "a <unk> b\n"), ("valid", "b a <unk>\n"), ("test", "b\n\n")):
        (tmp_path / NAMES[name].format(split)).write_text(text)
    return tmp_path


def test_import_of_a_folder(texts, name):
    manifest = import_data(SOURCES[name].create(), texts, ignore)
    assert (manifest.items, manifest.unit, manifest.notes) == (11, "tokens", ())
    assert verify_data(SOURCES[name].create(), lambda done, total: None).items == 11
    stored = StoredTokens.open(data_home() / name)
    assert [stored.vocabulary[token] for token in stored.ids("valid")] == ["b", "a", "<unk>", "<eos>"]


def test_import_of_an_archive(texts, name):
    path = texts / "text.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for split in ("train", "valid", "test"):
            archive.write(texts / NAMES[name].format(split), f"data/{NAMES[name].format(split)}")
    assert import_data(SOURCES[name].create(), path, ignore).items == 11


def test_import_of_texts_with_a_byte_order_mark(texts, name):
    for file in texts.iterdir():
        file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert import_data(SOURCES[name].create(), texts, ignore).items == 11
    assert "a" in StoredTokens.open(data_home() / name).vocabulary


def test_import_without_one_split(texts, name):
    (texts / NAMES[name].format("valid")).unlink()
    manifest = import_data(SOURCES[name].create(), texts, ignore)
    assert manifest.notes == (f"Not there, and left out: {NAMES[name].format('valid')}.",)
    assert manifest.items == 7


@pytest.mark.parametrize(
    ("split", "contents", "message"),
    [
        pytest.param("train", None, "has no file .*train", id="no-training-text"),
        pytest.param(
            "train", b"a b\n", "valid.*line 1 has '<unk>', which the training text does not have", id="no-unk"
        ),
        pytest.param("test", b"b\na c\n", "line 2 has 'c', .* Write <unk> for words that it", id="new-word"),
        pytest.param("valid", b"a\nb \xff", "byte 4, in line 2, is not UTF-8", id="not-utf-8"),
        pytest.param("test", b"a b\n\n\0b", "byte 5, in line 3, is NUL", id="nul"),
        pytest.param("test", b" \n\n", "is empty", id="empty"),
        pytest.param("valid", b"", "is empty", id="no-bytes"),
    ],
)
def test_refused_import_leaves_nothing(texts, name, split, contents, message):
    path = texts / NAMES[name].format(split)
    path.unlink() if contents is None else path.write_bytes(contents)
    with pytest.raises(DataError, match=message):
        import_data(SOURCES[name].create(), texts, ignore)
    assert list(data_home().iterdir()) == []


def test_own_text_may_have_other_names_but_no_two_of_one_part(tmp_path):
    for split in ("train", "test"):
        (tmp_path / f"{split}.tokens").write_text("a b\n")
    assert import_data(SOURCES["own-text"].create(), tmp_path, ignore).items == 6
    (tmp_path / "wiki.train.tokens").write_text("a b\n")
    with pytest.raises(DataError, match="both train.tokens and wiki.train.tokens, which are one part"):
        import_data(SOURCES["own-text"].create(), tmp_path, ignore)


@pytest.mark.skipif(not WIKITEXT.is_dir(), reason="reads WikiText-2 in ../shared/data")
def test_real_wikitext_2_has_the_published_numbers_of_tokens():
    import_data(SOURCES["wikitext-2"].create(), WIKITEXT, ignore)
    stored = StoredTokens.open(data_home() / "wikitext-2")
    # Merity et al., 2016, table 1, counts words; each of the lines adds one <eos> here.
    assert len(stored.vocabulary) == 33_278
    assert [len(stored.ids(split)) for split in stored.splits] == [2_088_628, 217_646, 245_569]
