"""Let the machines of a rented job find each other: ``python -m course_lib.distributed.meet``.

A cloud starts the same command on every machine of a job. ``torchrun --nproc-per-node=8 train.py``
would then be a training of its own on each of them. This program asks the cloud who belongs to the
job, and starts `torchrun` with a place to meet. On Vertex AI it reads the variable
``CLUSTER_SPEC``, on SageMaker the file ``resourceconfig.json``. Azure ML needs none of it: with a
``distribution`` of type ``pytorch`` it starts the processes itself and tells each its rank.

References
----------
Google, "Distributed training", https://cloud.google.com/vertex-ai/docs/training/distributed-training.
Amazon, "How Amazon SageMaker AI Provides Training Information", developer guide.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

__all__ = ["SAGEMAKER", "hosts", "torchrun"]

SAGEMAKER = Path("/opt/ml/input/config/resourceconfig.json")
"""Where SageMaker writes who belongs to a job.

:meta hide-value:
"""

#: Where the processes meet on the first machine.
PORT = 29500


def hosts(environ: Mapping[str, str], config: Path = SAGEMAKER) -> list[str]:
    """Return the machines of this job by name, the same order on each of them.

    Parameters
    ----------
    environ : mapping of str to str
        The environment's variables.
    config : Path
        SageMaker's file.

    Returns
    -------
    list of str
        ``["localhost"]`` where no cloud says otherwise.
    """
    if "CLUSTER_SPEC" in environ:
        pools = json.loads(environ["CLUSTER_SPEC"])["cluster"]
        return [name.rpartition(":")[0] for pool in sorted(pools) for name in pools[pool]]
    if config.is_file():
        return sorted(json.loads(config.read_text())["hosts"])
    return ["localhost"]


def torchrun(machines: Sequence[str], processes: int, command: Sequence[str]) -> list[str]:
    """Write the command that makes one training of several machines.

    Parameters
    ----------
    machines : sequence of str
        From `hosts`; they meet on the first.
    processes : int
        Per machine, one for each card.
    command : sequence of str
        The program and its arguments.

    Returns
    -------
    list of str

    Examples
    --------
    >>> torchrun(["algo-1", "algo-2"], 8, ["train.py"])[1:5]
    ['--nnodes=2', '--nproc-per-node=8', '--rdzv-backend=c10d', '--rdzv-endpoint=algo-1:29500']
    """
    meeting = ["--rdzv-backend=c10d", f"--rdzv-endpoint={machines[0]}:{PORT}", "--rdzv-id=job"]
    return [
        "torchrun",
        f"--nnodes={len(machines)}",
        f"--nproc-per-node={processes}",
        *meeting,
        *command,
    ]


if __name__ == "__main__":
    start = torchrun(hosts(os.environ), int(sys.argv[1]), sys.argv[2:])
    os.execvp(start[0], start)
