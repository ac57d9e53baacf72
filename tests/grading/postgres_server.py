"""A PostgreSQL server of the tests' own: in a temporary folder, on a socket there, run by nobody.

It is Debian's (`make system`), and never one that runs on this machine already. Its server refuses
to be root, so that root starts it as the user `nobody`.
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg
import psycopg.errors

USER = "grader"
# With what is special in a URL, in a configuration file and in a pattern.
PASSWORD = "s3%cret/:@pw"
QUOTED = "s3%25cret%2F%3A%40pw"
NOBODY = 65534


def programs() -> Path:
    """Return the folder of the server's programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    path = shutil.which("initdb") or (found[-1] if found else None)
    assert path, "These tests need PostgreSQL's server: `make system` installs it, or says how."
    return Path(path).resolve().parent


class PostgresServer:
    """A server that can be started, stopped, and given new databases."""

    def __init__(self) -> None:
        # A socket's name is short, and nobody must be able to come there.
        self.folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
        self.log = self.folder / "log"
        self._numbers = itertools.count()
        secret = self.folder / "password"
        secret.write_text(PASSWORD)
        if os.geteuid() == 0:
            for path in (self.folder, secret):
                os.chown(path, NOBODY, NOBODY)
        self._do("initdb", "-U", USER, "--pwfile", str(secret), "-A", "scram-sha-256", "-N")
        self.start()

    def _do(self, program: str, *arguments: str) -> None:
        command = [str(programs() / program), "-D", str(self.folder / "data"), *arguments]
        as_nobody: dict[str, Any] = {}
        if os.geteuid() == 0:
            as_nobody = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TZ": "UTC"}
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            timeout=600,
            **as_nobody,
        )
        assert done.returncode == 0, done.stderr + (
            self.log.read_text() if self.log.exists() else ""
        )

    def start(self) -> None:
        options = f"-k {self.folder} -c listen_addresses='' -c fsync=off -c shared_buffers=8MB"
        self._do("pg_ctl", "start", "-w", "-s", "-l", str(self.log), "-o", options)

    def stop(self) -> None:
        """Stop it as a crash does: nobody is waited for."""
        self._do("pg_ctl", "stop", "-w", "-s", "-m", "immediate")

    def close(self) -> None:
        if (self.folder / "data" / "postmaster.pid").exists():
            self.stop()
        shutil.rmtree(self.folder)

    def url(self, database: str, password: str = QUOTED) -> str:
        return f"postgresql://{USER}:{password}@/{database}?host={self.folder}"

    def new_database(self, like: str = "template1") -> str:
        """Make a database that is a copy of another one; return its URL."""
        name = f"grades{next(self._numbers)}"
        end = time.monotonic() + 120
        with self.connect("postgres", autocommit=True) as connection:
            while True:
                try:
                    connection.execute(f"CREATE DATABASE {name} TEMPLATE {like}")
                except psycopg.errors.ObjectInUse:
                    # By connections that are closed, which the server has yet to notice.
                    if time.monotonic() > end:
                        raise
                else:
                    return self.url(name)

    def connect(self, database: str, **options: Any) -> psycopg.Connection:
        place = {"host": str(self.folder), "user": USER, "password": PASSWORD}
        return psycopg.connect(dbname=database, **place, **options)
