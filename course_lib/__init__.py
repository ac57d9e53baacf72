"""The shared library of the course *Deep Learning, Layer by Layer*.

Nothing heavy is imported here: PyTorch and Matplotlib are imported by the modules that use them.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from course_lib.devices import get_device
    from course_lib.seeding import seed_everything

__all__ = ["get_device", "seed_everything"]

__version__ = "0.1.0"


def load_ipython_extension(shell: Any) -> None:
    """Add `%check` to a notebook: ``%load_ext course_lib``."""
    from importlib import import_module

    import_module("course_lib.assignments.magic").register(shell)


def __getattr__(name: str) -> Any:
    """Import on first use, so that ``import course_lib`` stays quick."""
    if name == "seed_everything":
        from course_lib.seeding import seed_everything

        return seed_everything
    if name == "get_device":
        from course_lib.devices import get_device

        return get_device
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
