"""What a newcomer reads leads somewhere."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.ship import installing

# [words](where): not a picture's, not on the web, not within the page.
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\((?!https?:|#)([^)#\s]+)[^)]*\)")


def _documents() -> list[str]:
    listed = ["git", "ls-files", "*.md"]
    return subprocess.run(listed, cwd=installing.ROOT, check=True, capture_output=True, text=True).stdout.split()


@pytest.mark.parametrize("document", _documents())
def test_every_link_leads_to_a_file(document: str) -> None:
    """A page that was renamed takes its links along."""
    page = installing.ROOT / document
    links = _LINK.findall(page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_target_of_make_is_explained() -> None:
    """``make help`` leaves nothing out."""
    makefile = (installing.ROOT / "Makefile").read_text(encoding="utf-8")
    (phony,) = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    explained = set(re.findall(r"^([a-z-]+):.*##", makefile, re.MULTILINE))
    assert set(phony.split()) == explained


def test_the_programs_in_deploy_are_explained() -> None:
    """Each variable that a script reads is said in its head and in the documentation."""
    said = (installing.ROOT / "docs" / "image.md").read_text(encoding="utf-8")
    for script in (installing.ROOT / "deploy").glob("*.sh"):
        text = script.read_text(encoding="utf-8")
        for variable in set(re.findall(r"\$\{([A-Z_]+):-", text)) - {"BUILDAH_ISOLATION"}:
            assert f"#   {variable}=" in text, (script.name, variable)
            assert variable in said, (script.name, variable)
