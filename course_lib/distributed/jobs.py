"""Training jobs as three clouds want them described, checked by their own clients, never sent.

`vertex`, `sagemaker` and `azure` write one `Job` in the words of Google, Amazon and Microsoft.
`check` lets the clients judge: they live in an environment of their own, and run there without a
network, without credentials and without a home folder.
"""

from __future__ import annotations

import copy
import json
import os
import subprocess
import tempfile
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from course_lib.extras import cloud_python
from course_lib.paths import find_root

__all__ = ["Job", "Verdict", "azure", "changed", "check", "sagemaker", "vertex"]


#: Graphics cards in each of the machines that are described here.
CARDS = 8


class Job(NamedTuple):
    """What is to run, whoever runs it."""

    name: str
    image: str
    program: str
    """A script that a process for each card runs."""
    machines: int
    """At least 2, with eight cards each."""
    hours: int
    """Longest time that it may run."""
    bucket: str
    """Where results and checkpoints go, without the scheme."""

    @property
    def command(self) -> list[str]:
        """What each machine runs where the cloud leaves it to the job to find the others."""
        return ["python", "-m", "course_lib.distributed.meet", str(CARDS), self.program]


class Verdict(NamedTuple):
    """What a vendor's client said of a description."""

    accepted: bool
    says: str
    """Its message, if it refused."""
    request: dict[str, Any]
    """What it would send, if it accepted."""


def vertex(job: Job, *, account: str) -> dict[str, Any]:
    """Describe a job for Vertex AI: a ``CustomJob`` that acts as the service account."""

    def pool(machines: int) -> dict[str, Any]:
        return {
            "machine_spec": {
                "machine_type": "a2-highgpu-8g",
                "accelerator_type": "NVIDIA_TESLA_A100",
                "accelerator_count": CARDS,
            },
            "replica_count": machines,
            "container_spec": {"image_uri": job.image, "command": job.command},
        }

    return {
        "display_name": job.name,
        "job_spec": {
            # The first pool is the one machine that reports for all.
            "worker_pool_specs": [pool(1), pool(job.machines - 1)],
            "service_account": account,
            "base_output_directory": {"output_uri_prefix": f"gs://{job.bucket}"},
            "scheduling": {"strategy": "SPOT", "timeout": f"{3600 * job.hours}s"},
        },
    }


def sagemaker(job: Job, *, role: str) -> dict[str, Any]:
    """Describe a job for SageMaker: arguments of ``create_training_job``. `role` is an ARN."""
    return {
        "TrainingJobName": job.name,
        "RoleArn": role,
        "AlgorithmSpecification": {
            "TrainingImage": job.image,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": job.command,
        },
        "ResourceConfig": {
            "InstanceType": "ml.p4d.24xlarge",
            "InstanceCount": job.machines,
            "VolumeSizeInGB": 200,
        },
        "OutputDataConfig": {"S3OutputPath": f"s3://{job.bucket}/out"},
        "CheckpointConfig": {"S3Uri": f"s3://{job.bucket}/checkpoints"},
        "EnableManagedSpotTraining": True,
        "StoppingCondition": {
            "MaxRuntimeInSeconds": 3600 * job.hours,
            "MaxWaitTimeInSeconds": 2 * 3600 * job.hours,
        },
    }


def azure(job: Job, *, compute: str) -> dict[str, Any]:
    """Describe a job for Azure ML: a command job on a cluster, which may be of spot machines."""
    return {
        "type": "command",
        "display_name": job.name,
        # Azure ML starts a process for each card, and tells each its rank.
        "command": f"python {job.program}",
        "environment": {"image": job.image},
        "compute": f"azureml:{compute}",
        "resources": {"instance_count": job.machines},
        "distribution": {"type": "pytorch", "process_count_per_instance": CARDS},
        "limits": {"timeout": 3600 * job.hours},
    }


def changed(
    description: dict[str, Any], path: str, value: Any = None, *, name: str = ""
) -> dict[str, Any]:
    """Return a copy of a description with one entry changed, renamed or left out.

    Parameters
    ----------
    description : dict
    path : str
        Keys and positions on the way to the entry, with dots between them; empty for no change.
    value : object
        What to put there. None leaves the entry out, or as it is when it gets a name.
    name : str
        A new name for the entry.

    Returns
    -------
    dict

    Raises
    ------
    KeyError
        If there is no such entry.

    Examples
    --------
    >>> changed({"a": [{"b": 1}]}, "a.0.b", name="c")
    {'a': [{'c': 1}]}
    """
    whole = copy.deepcopy(description)
    if not path:
        return whole
    part: Any = whole
    *way, last = path.split(".")
    for key in way:
        part = part[int(key)] if isinstance(part, list) else part[key]
    before = part.pop(last)
    if name or value is not None:
        part[name or last] = before if value is None else value
    return whole


def check(
    descriptions: Mapping[Hashable, tuple[str, dict[str, Any]]],
    *,
    root: Path | None = None,
    limit: float = 120,
) -> dict[Hashable, Verdict]:
    """Let the vendors' clients judge descriptions. Nothing is sent anywhere.

    Parameters
    ----------
    descriptions : mapping to (vendor, description)
        Under any name, ``"vertex"``, ``"sagemaker"`` or ``"azure"`` and what to judge.
    root : Path, optional
        The course, which has the clients' environment.
    limit : float
        Seconds.

    Returns
    -------
    dict of Verdict
        Under the same names.

    Raises
    ------
    ModuleNotFoundError
        If the environment is missing, naming the command that makes it.
    RuntimeError
        If the clients fail altogether, or try to reach anything.
    """
    python = cloud_python(root or find_root())
    program = Path(__file__).with_name("clients.py")
    with tempfile.TemporaryDirectory() as nowhere:
        # Nothing of this process's environment: no credentials, no proxies, no home.
        env = {
            "HOME": nowhere,
            "USERPROFILE": nowhere,
            "TMPDIR": nowhere,
            "PATH": os.defpath,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        done = subprocess.run(
            [str(python), "-I", str(program)],
            input=json.dumps(list(descriptions.values())),
            env=env,
            cwd=nowhere,
            capture_output=True,
            text=True,
            timeout=limit,
        )
    if done.returncode:
        raise RuntimeError(f"The clouds' clients failed:\n{done.stderr[-2000:]}")
    answer = json.loads(done.stdout.splitlines()[-1])
    if answer["reached"]:
        raise RuntimeError(f"The clouds' clients tried to reach {', '.join(answer['reached'])}.")
    verdicts = (Verdict(*verdict) for verdict in answer["verdicts"])
    return dict(zip(descriptions, verdicts, strict=True))
