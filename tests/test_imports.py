"""Modules that are left out of what is imported."""

import importlib
import importlib.util
import sys

import pytest

from course_lib.imports import without


def test_a_module_is_missing_inside_and_there_afterwards(monkeypatch):
    monkeypatch.delitem(sys.modules, "this", raising=False)
    with without(["this"]), pytest.raises(ImportError):
        importlib.import_module("this")
    assert importlib.util.find_spec("this") is not None


def test_a_module_that_is_loaded_stays():
    with without(["json"]):
        assert importlib.import_module("json") is sys.modules["json"]
    assert sys.modules["json"] is not None
