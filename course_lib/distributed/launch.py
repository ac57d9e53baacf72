"""Start a program on several local processes with ``torchrun``, and wait for it.

The processes find each other through a file, so that no port has to be free.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence

__all__ = ["torchrun"]


def torchrun(
    module: str, arguments: Sequence[str] = (), *, workers: int = 2, limit: float = 120
) -> str:
    """Run a module on several processes of this machine.

    Parameters
    ----------
    module : str
        As for ``python -m``.
    arguments : sequence of str
    workers : int
        Processes.
    limit : float
        Seconds after which all of them are ended.

    Returns
    -------
    str
        What they wrote to the standard output.

    Raises
    ------
    RuntimeError
        If one of them fails, with the end of what the processes wrote to the standard error; or if
        they take longer than the limit.
    """
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nnodes=1"]
    command += [f"--nproc-per-node={workers}", "--module", module, *arguments]
    # Side by side, each process with one thread is fastest. Processes of one machine speak over
    # the loopback device, also where the machine's own name is not known.
    env = {**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": _loopback()}
    process = subprocess.Popen(
        command,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        out, err = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired as error:
        raise RuntimeError(
            f"{module} on {workers} processes took longer than {limit} seconds and was ended. One "
            "of them may wait for a message that nobody sends."
        ) from error
    finally:
        _end(process)
    if process.returncode:
        raise RuntimeError(
            f"{module} on {workers} processes failed ({process.returncode}):\n{_own(err)}"
        )
    return out


#: The launcher's own lines, in which a warning or an error of its begins.
_LAUNCHER = re.compile(r"^[WE]\d{4} \S+ \d+ \S*torch/distributed/elastic/", re.MULTILINE)


def _own(err: str, lines: int = 40) -> str:
    """Return the end of what the processes wrote, without the launcher's longer report below it."""
    report = _LAUNCHER.search(err)
    own = err[: report.start()] if report else err
    return "\n".join((own.strip() or err).splitlines()[-lines:])


def _end(process: subprocess.Popen[str]) -> None:
    """End a process and those that it started, if they still run."""
    if process.poll() is not None:
        return
    if os.name == "posix":
        os.killpg(process.pid, 9)
    else:
        process.kill()
    process.communicate()


def _loopback() -> str:
    if sys.platform == "darwin":
        return "lo0"
    return os.environ.get("GLOO_SOCKET_IFNAME", "lo") if sys.platform == "linux" else ""
