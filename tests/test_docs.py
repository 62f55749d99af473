"""The documentation says what the code does."""

import json
import re
import runpy
from pathlib import Path

import pytest
from nasbench_toolkit.core.plugin_manager import HOOKS
from nasbench_toolkit.plugins.evaluators.gennas.task import task_to_json
from nasbench_toolkit.plugins.evaluators.gennas.task_parser import parse_recurrent_task, parse_task

DOCS = Path(__file__).parents[1] / "docs"
PAGES = {"command-line.md", "data-sources.md", "evaluators.md", "search-spaces.md", "strategies.md"}


@pytest.fixture(scope="module")
def generated() -> dict[str, str]:
    return runpy.run_path(str(DOCS / "generate.py"))["pages"]()


@pytest.mark.parametrize("name", sorted(PAGES))
def test_generated_page_is_up_to_date(generated: dict[str, str], name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == generated[name], "run 'python docs/generate.py'"


def test_all_generated_pages_are_compared(generated: dict[str, str]) -> None:
    assert generated.keys() == PAGES


def test_tasks_in_the_documentation_are_tasks() -> None:
    for_images, recurrent = re.findall(r"```json\n(.*?)```", (DOCS / "tasks.md").read_text(encoding="utf-8"), re.DOTALL)
    assert task_to_json(parse_task(json.loads(for_images))) == json.loads(for_images)
    assert task_to_json(parse_recurrent_task(json.loads(recurrent))) == json.loads(recurrent)


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_is_documented(hook: str) -> None:
    assert f"### `{hook}`" in (DOCS / "plugins.md").read_text(encoding="utf-8")


def test_every_relative_link_leads_somewhere() -> None:
    pages = [DOCS.parent / "README.md", *DOCS.glob("*.md")]
    broken = [
        f"{page.name}: {target}"
        for page in pages
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert broken == []
