import pytest
from nasbench_toolkit.core.domain import Status
from nasbench_toolkit.core.jobs.messages import Job, WorkerSetup
from nasbench_toolkit.core.planning.requests import RunRequest, make_plan
from nasbench_toolkit.core.plugin_manager import installed_plugins

ray = pytest.importorskip("ray", reason="needs the extra 'ray'")


@pytest.fixture
def cluster():
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    ray.init(address=made.address, log_to_driver=False)
    yield made
    ray.shutdown()
    made.shutdown()


def test_a_lost_node_costs_nothing_but_time(cluster) -> None:
    from nasbench_toolkit.core.jobs.executor import ProcessExecutor
    from nasbench_toolkit.plugins.executors.ray_cluster import RayExecutor
    from nasbench_toolkit.plugins.executors.settings import RaySettings

    second = cluster.add_node(num_cpus=1)
    cluster.wait_for_nodes()
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


def test_address_without_a_cluster_is_named(run_nasbench) -> None:
    done = run_nasbench("run", "-e", "params", "-n", "2", "--executor", "ray:address=127.0.0.1:1")
    assert done.returncode == 2
    assert "There is no Ray cluster at '127.0.0.1:1'" in done.stderr
    assert "ray start --head" in done.stderr
