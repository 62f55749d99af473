import math
import sys

from nasbench_toolkit.experiments import nds_members


def run(monkeypatch, *arguments) -> int:
    monkeypatch.setattr(sys, "argv", ["nds_members", *map(str, arguments)])
    return nds_members.main()


def test_members_are_done_once(tmp_path, monkeypatch, capsys) -> None:
    output = tmp_path / "members.csv"
    assert run(monkeypatch, "--space", "nds-resnet", "--members", 1, "--output", output) == 0
    assert capsys.readouterr().out.startswith("nds-resnet     1/1 pass; network ")
    first = nds_members.read(output)
    assert run(monkeypatch, "--space", "nds-resnet", "--members", 2, "--output", output) == 0
    second = nds_members.read(output)
    assert [member.architecture for member in second[:1]] == [member.architecture for member in first]
    assert len(second) == 2
    assert second[0].network_seconds == first[0].network_seconds > 0


def diverge(space, arch_id, iterations):
    return math.nan, "gennas-combo: the score is inf"


def test_what_is_wrong_is_told_and_an_exit_code(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(nds_members, "score_of", diverge)
    output = tmp_path / "members.csv"
    arguments = ["--space", "nds-resnet", "--members", 1, "--iterations", 2, "--output", output]
    assert run(monkeypatch, *arguments) == 1
    assert "gennas-combo: the score is inf" in capsys.readouterr().out
    assert run(monkeypatch, *arguments) == 1
    assert len(nds_members.read(output)) == 1


def test_a_score_after_more_iterations_is_made_again(tmp_path, monkeypatch, capsys) -> None:
    asked = []
    monkeypatch.setattr(
        nds_members, "score_of", lambda space, arch_id, iterations: asked.append(iterations) or (0.5, "")
    )
    for iterations in (2, 2, 100, 0, 100):
        arguments = ["--members", 1, "--iterations", iterations, "--output", tmp_path / "members.csv"]
        assert run(monkeypatch, "--space", "nds-resnet", *arguments) == 0
    assert asked == [2, 100]
    assert "gennas-combo" in capsys.readouterr().out.splitlines()[-1]
