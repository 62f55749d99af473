import json
import sys

from nasbench_toolkit.experiments.nds_anynet_counts import main

# A network of ResNet_reruns, with what the release counts.
RECORD = {
    "params": 2_174_234,
    "flops": 322_469_450,
    "net": {
        "block_type": "res_basic_block",
        "bot_muls": [],
        "ds": [1, 2, 3, 3],
        "num_gs": [],
        "ss": [1, 1, 2, 2],
        "ws": [16, 32, 128, 160],
    },
}


def run(tmp_path, monkeypatch, content):
    (tmp_path / "ResNet_reruns.json").write_text(json.dumps(content))
    monkeypatch.setattr(sys, "argv", ["nds_anynet_counts", str(tmp_path)])
    return main()


def test_equal_counts_are_told(tmp_path, monkeypatch, capsys) -> None:
    assert run(tmp_path, monkeypatch, {"top": [RECORD], "mid": [RECORD]}) == 0
    assert capsys.readouterr().out == "ResNet_reruns.json: parameters 2/2, operations 2/2\n"


def test_other_counts_are_a_failure(tmp_path, monkeypatch, capsys) -> None:
    assert run(tmp_path, monkeypatch, [RECORD, {**RECORD, "flops": 1}]) == 1
    assert capsys.readouterr().out == "ResNet_reruns.json: parameters 2/2, operations 1/2\n"
