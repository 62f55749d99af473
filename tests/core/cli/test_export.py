import subprocess
import sys
from pathlib import Path

import pytest
import torch
from nasbench_toolkit.core.plugin_manager import installed_plugins

CELL_201 = "|nor_conv_3x3~0|+|avg_pool_3x3~0|nor_conv_1x1~1|+|skip_connect~0|nor_conv_3x3~1|skip_connect~2|"
CELL_101 = "110010101001101:conv3x3-bn-relu,conv3x3-bn-relu,conv1x1-bn-relu,conv3x3-bn-relu"
RECIPE = '{"f":{"op":"linear","input":["x","h_prev_0"]},"h_new_0":{"op":"activation_tanh","input":["f"]}}'
DESIGN = "d1w16 d2w24 d3w32"

# A process that has no toolkit: neither installed nor on the path, and refused where it might be.
STRANGER = """
import importlib.util, sys
class Refusing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "nasbench_toolkit":
            raise ImportError(name)
sys.meta_path.insert(0, Refusing())
import torch
torch.set_num_threads(1)
for folder in sys.argv[1:]:
    spec = importlib.util.spec_from_file_location("model", folder + "/model.py")
    model = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(model)
    network = model.Network()
    network.load_state_dict(torch.load(folder + "/model.pt"))
    images, expected, trained = torch.load(folder + "/expected")
    assert torch.equal(network.train()(images), trained)
    network.load_state_dict(torch.load(folder + "/model.pt"))
    assert torch.equal(network.eval()(images), expected)
    program = torch.export.load(folder + "/model.pt2").module()
    torch.testing.assert_close(program(images), expected)
    torch.testing.assert_close(program(images[:1]), expected[:1], rtol=1e-4, atol=1e-5)
    network(images).sum().backward()
assert "nasbench_toolkit" not in sys.modules
"""


def expect(folder: Path, space: str, architecture: str, network: str) -> None:
    """Write what the network of the toolkit itself makes of some images, with the weights that were exported."""
    provider = installed_plugins()
    info = provider.dataset("cifar10").info
    built = provider.search_space(space).info.create().build_network(architecture, info, network)
    images = torch.randn(3, *info.input_shape)
    weights = torch.load(folder / "model.pt")
    built.load_state_dict(weights)
    trained = built.train()(images).detach()
    built.load_state_dict(weights)
    torch.save((images, built.eval()(images).detach(), trained), folder / "expected")


def test_exported_networks_run_in_a_process_without_the_toolkit(nasbench, tmp_path) -> None:
    folders = []
    for space, text, network in (
        ("nasbench201", CELL_201, "narrow"),
        ("nasbench101", CELL_101, "narrow"),
        ("nds-resnet", DESIGN, "benchmark"),
    ):
        folder = tmp_path / space
        folder.mkdir()
        files = [option for suffix in ("py", "pt", "pt2") for option in ("-o", folder / f"model.{suffix}")]
        result = nasbench("export", text, "--space", space, "--network", network, *files)
        assert result.returncode == 0, result.stderr
        assert f"Network: {folder / 'model.py'}" in result.stderr
        arch_id = installed_plugins().search_space(space).info.create().canonicalize(text)
        assert f"Architecture: {arch_id}" in (folder / "model.py").read_text()
        expect(folder, space, arch_id, network)
        folders.append(str(folder))
    stranger = [sys.executable, "-I", "-c", STRANGER, *folders]
    ended = subprocess.run(stranger, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


def test_size_classes_and_weights_are_as_asked_for(nasbench, tmp_path) -> None:
    model, weights = tmp_path / "m.py", tmp_path / "m.pt"
    options = ("export", DESIGN, "--space", "nds-resnet", "--network", "imagenet", "-o", model, "-o", weights)
    result = nasbench(*options, "--image-size", "64", "--classes", "7", "--seed", "3")
    assert result.returncode == 0, result.stderr
    assert "Takes: images (batch, 3, 64, 64)" in model.read_text()
    assert "Returns: logits (batch, 7)" in model.read_text()
    first = torch.load(weights)
    assert first["classifier.weight"].shape == (7, 32)
    assert nasbench(*options, "--classes", "7", "--seed", "3", "--overwrite").returncode == 0
    assert torch.equal(first["stem.0.0.weight"], torch.load(weights)["stem.0.0.weight"])
    assert nasbench(*options, "--classes", "7", "--seed", "4", "--overwrite").returncode == 0
    assert not torch.equal(first["stem.0.0.weight"], torch.load(weights)["stem.0.0.weight"])


def test_what_a_search_found_is_exported(nasbench, tmp_path) -> None:
    search = tmp_path / "s.h5"
    found = nasbench("search", "-e", "params", "-s", "random-search", "-n", "3", "--workers", "1", "-o", search)
    assert found.returncode == 0
    result = nasbench("export", "--search", search, "-o", tmp_path / "best.py")
    assert result.returncode == 0, result.stderr
    assert "search space nasbench201-tiny" in (tmp_path / "best.py").read_text()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "Name what to export: either an architecture, or a search's file"),
        ((DESIGN, "--search", "s.h5"), "Name what to export"),
        (("--search", "s.h5", "--space", "nds-resnet"), "leave --space away"),
        (
            (DESIGN, "--space", "nds-resnet", "-o", "m.onnx"),
            "End its name with .py (Python source), .pt2 (a program of",
        ),
        ((DESIGN, "--space", "nds-resnet", "-o", "m.py", "-o", "m.py"), "'m.py' is named twice"),
        ((DESIGN, "--space", "nds-resnet", "-o", "none/m.py"), "The directory 'none' does not exist"),
        ((DESIGN, "--space", "nds-resnet", "-o", "folder.py"), "'folder.py' is a directory"),
        ((DESIGN, "--space", "nds-resnet", "-o", "old.py"), "'old.py' exists. Replace it with --overwrite"),
        ((DESIGN, "--space", "nds-resnets"), "Unknown search space 'nds-resnets'. Did you mean 'nds-resnet'"),
        ((DESIGN, "--space", "nds-resnet", "--network", "gennass"), "Unknown network 'gennass'. Did you mean 'gennas'"),
        ((DESIGN, "--space", "nds-resnet", "--dataset", "cifar1"), "Unknown dataset 'cifar1'. Did you mean 'cifar10'"),
        ((DESIGN, "--space", "nds-resnet", "--dataset", "none"), "has no networks for the dataset 'none'"),
        (("d1w17 d1w16 d1w16", "--space", "nds-resnet"), "stage 1 has the width 17; choose from 16, 24"),
        ((DESIGN, "--space", "nds-resnet", "--length", "5"), "takes images: leave out --length."),
        (
            (RECIPE, "--space", "nasbench-nlp", "--image-size", "32", "--classes", "5"),
            "takes sequences: leave out --image-size and --classes.",
        ),
        ((DESIGN, "--space", "nds-resnet", "--classes", "0"), "0 is not in the range"),
        ((DESIGN, "--space", "nds-resnet", "--image-size", "many"), "'many' is not a valid integer"),
    ],
)
def test_what_cannot_be_exported_is_refused_and_nothing_written(nasbench, tmp_path, monkeypatch, options, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old.py").write_text("mine")
    (tmp_path / "folder.py").mkdir()
    result = nasbench("export", *options)
    assert result.returncode == 2
    assert message in " ".join(result.stderr.split())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder.py", "old.py"]
    assert (tmp_path / "old.py").read_text() == "mine"


def test_auxiliary_head_is_written_for_training(nasbench, tmp_path) -> None:
    cells = "normal=sep3~0+skip~1,skip~0+skip~1,skip~0+skip~1,skip~0+skip~1/reduce=" + ",".join(["skip~0+max3~1"] * 4)
    files = [tmp_path / name for name in ("m.py", "m.pt", "m.pt2")]
    outputs = [option for file in files for option in ("-o", file)]
    result = nasbench("export", f"w4d3/{cells}", "--space", "nds-darts", "--auxiliary", *outputs)
    assert result.returncode == 0, result.stderr
    text = files[0].read_text()
    assert "in training a pair of them, the second of the auxiliary head" in text.replace("\n    ", " ")
    assert ", with those of the auxiliary head\n" in text
    namespace: dict = {}
    exec(text, namespace)
    network = namespace["Network"]()
    network.load_state_dict(torch.load(files[1]))
    images = torch.randn(2, 3, 32, 32)
    logits, auxiliary = network(images)
    assert logits.shape == auxiliary.shape == (2, 10)
    assert not torch.equal(logits, auxiliary)
    network.load_state_dict(torch.load(files[1]))
    torch.testing.assert_close(torch.export.load(files[2]).module()(images), network.eval()(images))


def test_auxiliary_head_where_there_is_none_is_refused(nasbench, tmp_path) -> None:
    result = nasbench("export", DESIGN, "--space", "nds-resnet", "--auxiliary", "-o", tmp_path / "m.py")
    assert result.returncode == 2
    assert "The networks of the search space 'nds-resnet' have no auxiliary head." in result.stderr


def test_network_is_for_the_images_that_the_space_exports_for(nasbench, tmp_path) -> None:
    space = installed_plugins().search_space("darts-imagenet-mobile").info.create()
    file = tmp_path / "m.py"
    result = nasbench("export", space.example(), "--space", space.name, "--network", "reduced", "-o", file)
    assert result.returncode == 0, result.stderr
    text = file.read_text()
    assert "Takes: images (batch, 3, 224, 224), as of imagenet" in text
    assert "Returns: logits (batch, 1000)" in text
    assert "M multiply-adds at 224 x 224 pixels" in text.replace("\n    ", " ")


def test_recurrent_networks_are_written_step_by_step(nasbench, tmp_path) -> None:
    """Their masks are drawn for any size of the batch; the file was compared with the network before it was written."""
    done = nasbench("export", RECIPE, "--space", "nasbench-nlp", "--length", 2, "-o", "cell.py")
    assert done.returncode == 0, done.stderr
    written = (tmp_path / "cell.py").read_text()
    assert "Takes: sequences of 2 steps" in written
    assert "torch.rand((1, inputs.shape[1], 600))" in written
