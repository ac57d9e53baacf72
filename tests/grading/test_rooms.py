"""The rooms of grading and the steps that teachers' scripts call share a name space."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

from course_lib import grading


def test_a_step_is_a_function_whatever_was_imported() -> None:
    for module in pkgutil.walk_packages(grading.__path__, f"{grading.__name__}."):
        importlib.import_module(module.name)
    assert not [name for name in grading.__all__ if inspect.ismodule(getattr(grading, name))]
