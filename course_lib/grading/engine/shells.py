"""The IPython shell that a notebook runs in, made anew or ahead of time.

A shell takes 15 ms to make, which is a tenth of what a submission costs. A warm process therefore
makes one that each of its forks can take for itself. Making a shell changes the process it is made
in: what it changed is put back, and put in place again where the shell is taken.
"""

from __future__ import annotations

import atexit
import builtins
import contextlib
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["INLINE", "Surroundings", "forget_figures", "make_ahead", "new_shell", "plots_inline"]

#: What matplotlib draws with in a notebook: figures are shown below the cell that draws them.
INLINE = "module://matplotlib_inline.backend_inline"

_MISSING = object()
_OF_SYS = (
    "displayhook",
    "excepthook",
    *("ps1", "ps2", "ps3"),
    *("last_type", "last_value", "last_traceback"),
)


@dataclass(frozen=True)
class Surroundings:
    """What a shell changes in the process that it is made in."""

    builtins: dict[str, Any]
    main: Any
    path: list[str]
    of_sys: dict[str, Any]
    environment: dict[str, str]

    @classmethod
    def now(cls) -> Surroundings:
        """Return them as they are."""
        of_sys = {name: getattr(sys, name, _MISSING) for name in _OF_SYS}
        main = sys.modules["__main__"]
        return cls(dict(vars(builtins)), main, list(sys.path), of_sys, dict(os.environ))

    def put_back(self, *, environment: bool = True) -> None:
        """Make them what they were; the environment only where it is wanted."""
        for name in vars(builtins).keys() - self.builtins:
            delattr(builtins, name)
        vars(builtins).update(self.builtins)
        sys.modules["__main__"] = self.main
        sys.path[:] = self.path
        for name, value in self.of_sys.items():
            if value is not _MISSING:
                setattr(sys, name, value)
            elif hasattr(sys, name):
                delattr(sys, name)
        if environment and os.environ != self.environment:
            os.environ.clear()
            os.environ.update(self.environment)


# A shell, and what surrounds it.
_ahead: tuple[Any, Surroundings] | None = None


def new_shell() -> Any:
    """Return an IPython shell without history that keeps no files: the one made ahead, if any."""
    global _ahead
    if _ahead is None:
        return _make()
    shell, surroundings = _ahead
    _ahead = None
    surroundings.put_back(environment=False)
    for kind in type(shell)._walk_mro():
        kind._instance = shell
    atexit.register(shell.atexit_operations)
    # Where it was made it had other folders.
    from IPython.core.profiledir import ProfileDir
    from IPython.paths import get_ipython_dir

    shell.ipython_dir = get_ipython_dir()
    shell.profile_dir = ProfileDir.create_profile_dir_by_name(shell.ipython_dir, "default")
    shell.user_ns["_dh"][:] = [Path.cwd()]
    return shell


def make_ahead() -> None:
    """Make the shell that this process, or each of its forks, takes next."""
    global _ahead
    before = Surroundings.now()
    try:
        with tempfile.TemporaryDirectory() as folder:
            os.environ["IPYTHONDIR"] = folder
            shell = _make()
        _ahead = shell, Surroundings.now()
        atexit.unregister(shell.atexit_operations)
        type(shell).clear_instance()
    finally:
        before.put_back()


def _make() -> Any:
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    shell = InteractiveShell.instance(config=config)
    # `%matplotlib inline` asks for a window system's event loop; there is none to set up.
    shell.enable_gui = lambda gui=None: None
    _show_figures(shell)
    plots_inline(shell)
    # Cells find their neighbors' modules, as in a notebook.
    sys.path.insert(0, "")
    return shell


def _show_figures(shell: Any) -> None:
    """Let figures be shown as in a notebook, also without `%matplotlib inline`."""
    # Where matplotlib is not there yet, it asks for the shell itself when it is imported.
    os.environ["MPLBACKEND"] = INLINE
    if "matplotlib" in sys.modules:
        sys.modules["matplotlib"].rcParams["backend"] = INLINE
    if "matplotlib.pyplot" in sys.modules:
        from matplotlib_inline.backend_inline import configure_inline_support
        from matplotlib_inline.config import InlineBackend

        # What it knows of the shell before this one, if there was one in this process.
        InlineBackend.clear_instance()
        configure_inline_support.current_backend = "unset"
        shell.enable_matplotlib("inline")


def plots_inline(shell: Any) -> None:
    """Show figures below their cells whatever is asked for: there are no windows and no widgets.

    At home a notebook may begin with ``%matplotlib widget`` or ``matplotlib.use("TkAgg")``, which
    would end the cell that holds the answer.
    """
    enable = shell.enable_matplotlib
    shell.enable_matplotlib = lambda gui=None: enable("inline")
    matplotlib = sys.modules.get("matplotlib")
    if matplotlib is None or hasattr(matplotlib.use, "shows_inline"):
        return
    use = matplotlib.use

    def use_inline(backend: str, *, force: bool = True) -> None:
        """Select what draws: a file's format, or what shows figures in the notebook."""
        name = str(backend).lower()
        use(backend if name in _OF_FILES else INLINE, force=force)

    use_inline.shows_inline = True  # type: ignore[attr-defined]
    matplotlib.use = use_inline


#: What draws without showing anything, by Matplotlib's names.
_OF_FILES = frozenset(("agg", "cairo", "pdf", "pgf", "ps", "svg", "template", INLINE))


def forget_figures() -> None:
    """Close what a test has drawn, which would be shown below somebody else's cell."""
    if "matplotlib.pyplot" not in sys.modules:
        return
    # A student's code may have done anything to it.
    with contextlib.suppress(Exception):
        sys.modules["matplotlib.pyplot"].close("all")
        show = sys.modules["matplotlib_inline.backend_inline"].show
        show._to_draw, show._draw_called = [], False
