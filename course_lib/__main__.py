"""``python -m course_lib`` is the `course` command, and says kindly when Python is too old.

This file and the package's ``__init__`` avoid what old versions of Python cannot even read.
"""

import sys


def main():
    """Check Python's version, then hand over to the command line."""
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        sys.exit(
            "course: this is Python {}.{}; the course needs 3.11, 3.12 or 3.13. Install one of "
            "these, then make the environment again: `rm -r .venv` and `make course "
            "PYTHON=python3.11`.".format(*sys.version_info[:2])
        )
    from course_lib.cli import main as run

    run()


if __name__ == "__main__":
    main()
