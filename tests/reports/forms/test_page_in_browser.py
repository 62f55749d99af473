"""A page in a real browser, where there is one: charts are drawn, nothing errs, nothing is wider than a phone."""

import re
import shutil
import subprocess

import pytest
from nasbench_toolkit.reports import run_report
from nasbench_toolkit.reports.forms import write_report

pytest.importorskip("altair", reason="charts need the extra 'report'")
pytest.importorskip("vl_convert", reason="charts need the extra 'report'")

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="there is no Chromium here")

PHONE = 360

# Sorts by the second column, hides an evaluator, and tells the page around it what came of it.
PROBE = """<script>
(async () => {
  while (document.documentElement.dataset.drawn !== "all") await new Promise((resolve) => setTimeout(resolve, 50));
  const told = {
    charts: document.querySelectorAll(".panel svg.marks").length,
    tooWide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    dark: getComputedStyle(document.body).backgroundColor,
  };
  document.querySelectorAll("thead button")[1].click();
  told.sorted = document.querySelector("[aria-sort=descending]").textContent;
  told.first = document.querySelector("tbody th").textContent;
  document.querySelector("#evaluators input").click();
  told.hidden = [...document.querySelectorAll("tr[hidden] th, .panel[hidden]")].map(
    (element) => element.dataset.evaluator ?? element.textContent);
  parent.postMessage(JSON.stringify(told), "*");
})();
</script>"""


@pytest.mark.parametrize(("scheme", "background"), [("1", "rgb(255, 255, 255)"), ("0", "rgb(20, 23, 28)")])
def test_a_page_is_whole_on_a_phone(small_results, tmp_path, scheme, background) -> None:
    report = run_report(small_results, None, "worst")
    write_report(report, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    (tmp_path / "probed.html").write_text(PROBE.join(page.rsplit("</body>", 1)))
    (tmp_path / "frame.html").write_text(
        f'<iframe src="probed.html" width="{PHONE}" height="800" style="border:0"></iframe><pre></pre>'
        '<script>addEventListener("message", (event) => document.querySelector("pre").append(event.data))</script>'
    )
    options = [
        "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--virtual-time-budget=60000",
        f"--blink-settings=preferredColorScheme={scheme}", f"--user-data-dir={tmp_path / 'profile'}",
    ]  # fmt: skip
    done = subprocess.run(
        [BROWSER, *options, "--dump-dom", (tmp_path / "frame.html").as_uri()],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert [line for line in done.stderr.splitlines() if "CONSOLE" in line] == []
    told = re.search("<pre>(.*)</pre>", done.stdout)[1].replace("&amp;", "&")
    panels = sum(len(figure.panels) for figure in report.figures)
    assert f'"charts":{panels}' in told
    assert '"tooWide":0' in told
    assert f'"dark":"{background}"' in told
    assert '"sorted":"Spearman rho"' in told
    assert '"hidden":["jacob_cov","jacob_cov"]' in told
