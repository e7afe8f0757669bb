"""What was built is pushed whole, under its tags, and a second push sends nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockstep import errors
from sync.push import push
from sync.stock import verify
from tests.support import images
from tests.support.images import Maker, new_store
from tests.support.stores import Watched


def test_a_push_brings_the_image_and_its_tags_and_is_repeated_for_nothing(tmp_path: Path) -> None:
    """The primary has every byte under each tag; the same push again writes nothing."""
    source, target = new_store(tmp_path / "workspace"), Watched(new_store(tmp_path / "primary"))
    made = Maker(store=source, repository="pay/api").image(b"layer")
    assert push(source, target, "pay/api", made.digest, tags=["4f2a", "main"]) > made.size
    assert target.inner.tags("pay/api") == {"4f2a": made.digest, "main": made.digest}
    assert verify(target, "pay/api", made.digest, read=True).whole
    written = list(target.writes)
    assert push(source, target, "pay/api", made.digest, tags=["4f2a", "main"]) == 0
    assert target.writes == written


def test_a_push_of_what_is_not_there_or_not_allowed_is_an_error(tmp_path: Path) -> None:
    """An absent image, an invalid tag and a target that refuses are told as what they are."""
    source, target = new_store(tmp_path / "workspace"), Watched(new_store(tmp_path / "primary"))
    with pytest.raises(errors.NotFoundError):
        push(source, target, "pay/api", images.digest(b"absent"))
    made = Maker(store=source, repository="pay/api").image(b"layer")
    with pytest.raises(errors.InputError):
        push(source, target, "pay/api", made.digest, tags=["not a tag"])

    def refuse(method: str, _about: str) -> None:
        if method == "write_manifest":
            raise errors.ForbiddenError("It says no.")

    target.hook = refuse
    with pytest.raises(errors.ForbiddenError):
        push(source, target, "pay/api", made.digest, tags=["v1"])
    assert target.inner.tags("pay/api") in (None, {})
