"""A Sphinx extension: the page of the library, which lists every module by itself.

``.. modules:: course_lib.scratch`` documents each module of a package from its docstrings, in
alphabetical order. A new module appears on the page without an edit, and the page is read again
when one comes or goes.
"""

import importlib
import pkgutil
from typing import ClassVar

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

__all__ = ["Modules", "module_names", "setup"]

_KEY = "library_modules"


def module_names(package: str) -> list[str]:
    """Return the full names of a package's modules, in alphabetical order.

    Packages in the package and names with a leading underscore are left out.
    """
    found = pkgutil.iter_modules(importlib.import_module(package).__path__)
    return sorted(
        f"{package}.{module.name}"
        for module in found
        if not module.ispkg and not module.name.startswith("_")
    )


class Modules(SphinxDirective):
    """The ``modules`` directive."""

    required_arguments = 1
    option_spec: ClassVar[dict[str, object]] = {}

    def run(self) -> list[nodes.Node]:
        """Document each module under its name."""
        package = self.arguments[0]
        names = module_names(package)
        seen = self.env.metadata[self.env.docname].setdefault(_KEY, {})
        seen[package] = names
        lines = [
            line
            for name in names
            for line in (f".. rubric:: {name}", "", f".. automodule:: {name}", "")
        ]
        source, _ = self.get_source_info()
        holder = nodes.Element()
        self.state.nested_parse(StringList(lines, source), self.content_offset, holder)
        return holder.children


def _outdated(
    _app: Sphinx, env: BuildEnvironment, _added: set[str], _changed: set[str], _removed: set[str]
) -> list[str]:
    """List the pages whose packages have other modules now."""
    return [
        page
        for page, known in env.metadata.items()
        if any(module_names(package) != names for package, names in known.get(_KEY, {}).items())
    ]


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directive."""
    app.add_directive("modules", Modules)
    app.connect("env-get-outdated", _outdated)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
