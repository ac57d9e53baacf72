"""Job descriptions, judged by the vendors' own clients."""

import json

import pytest

from course_lib.distributed import jobs, meet
from course_lib.extras import cloud_python
from course_lib.paths import find_root

JOB = jobs.Job("digits", "registry.example/digits:1", "train.py", 3, 5, "bucket")
GOOD = {
    "vertex": jobs.vertex(JOB, account="train@ours.iam.gserviceaccount.com"),
    "sagemaker": jobs.sagemaker(JOB, role="arn:aws:iam::123456789012:role/Train"),
    "azure": jobs.azure(JOB, compute="a100-spot"),
}
POOL = "job_spec.worker_pool_specs.1"
FAULTS = {
    ("vertex", "misspelled"): jobs.changed(
        GOOD["vertex"], f"{POOL}.replica_count", name="replicas"
    ),
    ("vertex", "type"): jobs.changed(GOOD["vertex"], f"{POOL}.replica_count", "two"),
    ("vertex", "choice"): jobs.changed(
        GOOD["vertex"], f"{POOL}.machine_spec.accelerator_type", "NVIDIA_A9000"
    ),
    ("sagemaker", "misspelled"): jobs.changed(GOOD["sagemaker"], "RoleArn", name="Role"),
    ("sagemaker", "type"): jobs.changed(GOOD["sagemaker"], "ResourceConfig.InstanceCount", "two"),
    ("sagemaker", "role"): jobs.changed(GOOD["sagemaker"], "RoleArn"),
    ("azure", "misspelled"): jobs.changed(GOOD["azure"], "resources.instance_count", name="count"),
    ("azure", "type"): jobs.changed(GOOD["azure"], "resources.instance_count", "two"),
    ("azure", "environment"): jobs.changed(GOOD["azure"], "environment"),
}


def absent() -> bool:
    try:
        cloud_python(find_root())
    except ModuleNotFoundError:
        return True
    return False


needs_clients = pytest.mark.skipif(absent(), reason="LIGHT=1: no environment of the clouds")


@pytest.fixture(scope="module")
def verdicts():
    trials = {(vendor, ""): (vendor, body) for vendor, body in GOOD.items()}
    return jobs.check(trials | {key: (key[0], body) for key, body in FAULTS.items()})


@needs_clients
@pytest.mark.slow
def test_good_jobs_become_requests(verdicts):
    for vendor in GOOD:
        assert verdicts[vendor, ""].accepted, verdicts[vendor, ""].says
    assert verdicts["sagemaker", ""].request == GOOD["sagemaker"]
    first, others = verdicts["vertex", ""].request["jobSpec"]["workerPoolSpecs"]
    assert (first["replicaCount"], others["replicaCount"]) == ("1", "2")
    assert others["machineSpec"]["acceleratorCount"] == 8
    assert verdicts["azure", ""].request["resources"] == {"instance_count": 3}


@needs_clients
@pytest.mark.slow
@pytest.mark.parametrize(
    ("key", "says"),
    [
        (("vertex", "misspelled"), "Unknown field for WorkerPoolSpec: replicas"),
        (("vertex", "type"), "invalid literal for int() with base 10: 'two'"),
        (("vertex", "choice"), "NVIDIA_A9000"),
        (("sagemaker", "misspelled"), 'Unknown parameter in input: "Role"'),
        (("sagemaker", "type"), "Invalid type for parameter ResourceConfig.InstanceCount"),
        (("sagemaker", "role"), 'Missing required parameter in input: "RoleArn"'),
        (("azure", "misspelled"), '"count": [ "Unknown field." ]'),
        (("azure", "type"), "Not a valid integer."),
        (("azure", "environment"), "Missing data for required field."),
    ],
)
def test_faulty_jobs_are_refused_in_the_vendor_s_words(verdicts, key, says):
    verdict = verdicts[key]
    assert not verdict.accepted and says in verdict.says and verdict.request == {}


@needs_clients
@pytest.mark.slow
def test_nothing_can_be_reached_from_there(tmp_path, monkeypatch):
    # An interpreter of the clouds whose botocore would call home.
    program = tmp_path / "clients.py"
    source = (jobs.Path(jobs.__file__).with_name("clients.py")).read_text()
    program.write_text(
        source.replace("def judge(", "import urllib.request\n\ndef judge(", 1).replace(
            "    noise = io.StringIO()", "    noise = io.StringIO()\n    call_home()", 1
        )
        + "\n"
    )
    text = program.read_text().replace(
        'if __name__ == "__main__":',
        "def call_home():\n    try:\n        urllib.request.urlopen('http://169.254.169.254/')\n"
        '    except OSError:\n        pass\n\nif __name__ == "__main__":',
    )
    program.write_text(text)
    monkeypatch.setattr(jobs, "__file__", str(tmp_path / "jobs.py"))
    with pytest.raises(RuntimeError, match=r"tried to reach .*169\.254\.169\.254"):
        jobs.check({"one": ("vertex", GOOD["vertex"])})


def test_without_the_environment_the_command_is_named(tmp_path):
    with pytest.raises(ModuleNotFoundError, match="make env LIGHT=0"):
        jobs.check({}, root=tmp_path)


def test_changes_leave_the_original_alone():
    before = json.dumps(GOOD)
    jobs.changed(GOOD["vertex"], f"{POOL}.container_spec.command.0".rsplit(".", 1)[0], ["x"])
    assert json.dumps(GOOD) == before
    assert jobs.changed({"a": 1, "b": 2}, "a") == {"b": 2}
    with pytest.raises(KeyError):
        jobs.changed({"a": 1}, "b")


def test_machines_find_each_other_where_the_cloud_says_who_there_is(tmp_path):
    spec = {
        "cluster": {"workerpool1": ["b-0:2222", "b-1:2222"], "workerpool0": ["a-0:2222"]},
        "task": {"type": "workerpool1", "index": 1},
    }
    nowhere = tmp_path / "none.json"
    assert meet.hosts({"CLUSTER_SPEC": json.dumps(spec)}, nowhere) == ["a-0", "b-0", "b-1"]
    file = tmp_path / "resourceconfig.json"
    file.write_text(json.dumps({"current_host": "algo-2", "hosts": ["algo-2", "algo-1"]}))
    assert meet.hosts({}, file) == ["algo-1", "algo-2"]
    assert meet.hosts({}, nowhere) == ["localhost"]


def test_one_training_of_all_machines_is_started():
    command = meet.torchrun(["a", "b", "c"], 8, ["train.py", "--fast"])
    assert command[0] == "torchrun" and command[-2:] == ["train.py", "--fast"]
    assert {"--nnodes=3", "--nproc-per-node=8", "--rdzv-endpoint=a:29500"} <= set(command)
    # The options are those of torchrun itself.
    from torch.distributed.run import get_args_parser

    parsed = get_args_parser().parse_args(command[1:])
    assert (parsed.nnodes, parsed.nproc_per_node) == ("3", "8")
    assert (parsed.rdzv_backend, parsed.rdzv_endpoint) == ("c10d", "a:29500")
    assert parsed.training_script == "train.py" and parsed.training_script_args == ["--fast"]
