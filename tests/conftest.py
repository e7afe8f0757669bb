"""What holds for all tests: tools that are missing leave tests out by name, or fail them in CI."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

from tests.support import tools

pytest_plugins = ["tests.support.databases"]

# How long one example takes says how busy the machine is, and nothing about the law.
settings.register_profile("house", deadline=None)
settings.load_profile("house")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out the tests whose tools are missing; in CI nothing may be left out in silence."""
    for item in items:
        for marker in item.iter_markers("needs"):
            missing = [tool for tool in marker.args if tools.find(tool) is None]
            if missing and os.environ.get("CI") != "true":
                item.add_marker(pytest.mark.skip(reason=f"needs {', '.join(missing)}"))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """In CI a missing tool is a failure, and says so."""
    for marker in item.iter_markers("needs"):
        missing = [tool for tool in marker.args if tools.find(tool) is None]
        if missing and os.environ.get("CI") == "true":
            pytest.fail(f"needs {', '.join(missing)}: run tests/install-tools.sh", pytrace=False)
