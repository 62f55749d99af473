import signal
import subprocess
import sys
import time

import pytest
from nasbench_toolkit.core.domain import Status
from nasbench_toolkit.core.jobs.messages import Job, WorkerSetup
from nasbench_toolkit.core.planning.requests import RunRequest, make_plan
from nasbench_toolkit.core.plugin_manager import installed_plugins
from nasbench_toolkit.core.results.store import read_results

ray = pytest.importorskip("ray", reason="needs the extra 'ray'")


RUN = ["run", "-e", "gennas-combo:iterations=10", "-n", "12", "-j", "1"]

SECONDS_TO_WAIT = 600


@pytest.fixture
def start_cluster():
    """Start clusters of two nodes with a processor each."""
    from ray.cluster_utils import Cluster

    started = []

    def start() -> Cluster:
        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
        started.append(cluster)
        cluster.add_node(num_cpus=1)
        cluster.wait_for_nodes()
        return cluster

    yield start
    ray.shutdown()
    for cluster in started:
        cluster.shutdown()


@pytest.fixture
def kill_run(tmp_path):
    """Run a command until so many jobs more are done, and kill its process, which hands out jobs."""
    started = []

    def kill(*args, jobs: int) -> None:
        process = subprocess.Popen([sys.executable, "-m", "nasbench_toolkit", *args], cwd=tmp_path)
        started.append(process)
        deadline = time.monotonic() + SECONDS_TO_WAIT
        journal, done = tmp_path / "remote.h5.journal", 0
        while done < jobs:
            assert process.poll() is None, "it ended"
            assert time.monotonic() < deadline
            done = journal.read_bytes().count(b'"record"') if journal.exists() else 0
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()

    yield kill
    for process in started:
        process.kill()


def scores(path):
    [part] = read_results(path).evaluators
    assert part.records.ok.all()
    return part.records.scores.tolist()


def test_a_lost_node_costs_nothing_but_time(start_cluster) -> None:
    from nasbench_toolkit.core.jobs.executor import ProcessExecutor
    from nasbench_toolkit.plugins.executors.ray_cluster import RayExecutor
    from nasbench_toolkit.plugins.executors.settings import RaySettings

    cluster = start_cluster()
    ray.init(address=cluster.address, log_to_driver=False)
    [second] = cluster.worker_nodes
    plan = make_plan(RunRequest("nasbench201-tiny", ("synflow",), samples=12), installed_plugins())
    jobs = [Job((0, arch), plan.evaluators[0], arch_id) for arch, arch_id in enumerate(plan.arch_ids)]
    setup = WorkerSetup.of(plan, 1)
    with ProcessExecutor(setup, ("cpu",), None) as executor:
        local = {index: record.score for index, record in executor.run(jobs)}
    remote = {}
    with RayExecutor(setup, ("cpu",), 100.0, RaySettings()) as executor:
        assert executor._slots == 2
        for index, record in executor.run(jobs):
            assert record.status is Status.OK, record.message
            remote[index] = record.score
            if len(remote) == 3:
                cluster.remove_node(second, allow_graceful=False)
    assert remote == local


def test_a_lost_head_costs_nothing_but_time(start_cluster, kill_run, run_nasbench, tmp_path) -> None:
    assert run_nasbench(*RUN, "-o", "local.h5").returncode == 0
    first = start_cluster()
    command = [*RUN, "-o", "remote.h5", "--resume", "--executor", f"ray:address={first.address}"]
    # The main process alone, and then with its cluster, as when the machine of both is lost.
    kill_run(*command, jobs=3)
    kill_run(*command, jobs=3)
    for node in first.list_all_nodes():
        first.remove_node(node, allow_graceful=False)
    second = start_cluster()
    done = run_nasbench(*RUN, "-o", "remote.h5", "--resume", "--executor", f"ray:address={second.address}")
    assert done.returncode == 0, done.stderr
    assert scores(tmp_path / "remote.h5") == scores(tmp_path / "local.h5")


def test_address_without_a_cluster_is_named(run_nasbench) -> None:
    done = run_nasbench("run", "-e", "params", "-n", "2", "--executor", "ray:address=127.0.0.1:1")
    assert done.returncode == 2
    assert "There is no Ray cluster at '127.0.0.1:1'" in done.stderr
    assert "ray start --head" in done.stderr
