import re


def keys(text):
    return re.findall(r"^@\w+{(\w+),$", text, flags=re.MULTILINE)


def test_a_run_cites_space_images_evaluators_and_aggregates_once_each(nasbench) -> None:
    evaluators = ("-e", "params", "-e", "snip", "-e", "grad_norm", "-e", "vote")
    nasbench("run", "--space", "nasbench201-tiny", *evaluators, "-n", 2, "-o", "r.h5")
    cited = nasbench("cite", "r.h5", "r.h5").stdout
    assert keys(cited) == [
        "nasbenchtoolkit",
        "dong2020nasbench201",
        "lecun1998mnist",
        "lee2019snip",
        "abdelfattah2021zerocost",
        "tanaka2020synflow",
        "mellor2021naswot",
    ]
    assert "% evaluator params: size baseline, by definition" in cited
    assert cited.count("{") == cited.count("}")


def test_a_search_cites_its_strategy(nasbench) -> None:
    nasbench("search", "--space", "toy", "-e", "toy-width", "-s", "random-search", "-n", 2, "-o", "s.h5")
    cited = nasbench("cite", "s.h5").stdout
    assert keys(cited) == ["nasbenchtoolkit", "bergstra2012randomsearch"]
    assert "% evaluator toy-width: the tests" in cited


def test_what_is_not_installed_here_is_named(nasbench, run_nasbench) -> None:
    nasbench("run", "--space", "toy", "-e", "toy-width", "-n", 2, "-o", "r.h5")
    cited = run_nasbench("cite", "r.h5").stdout
    assert "% search space toy: not installed here" in cited
    assert "% evaluator toy-width: not installed here" in cited
