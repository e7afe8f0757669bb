"""Which module answers which check. What stands in neither table is not covered yet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from drift.checks import (
    api_01,
    api_02,
    api_04,
    app_01,
    app_02,
    app_03,
    app_04,
    app_05,
    app_06,
    cap_01,
    cap_02,
    cap_03,
    cap_04,
    cfg_01,
    cfg_02,
    cfg_04,
    drl_01,
    git_01,
    git_02,
    img_01,
    img_02,
    img_03,
    img_04,
    img_06,
    rep_01,
    sec_01,
    sec_02,
    sec_03,
    slf_02,
    tpg_01,
)
from drift.checks.facts import Facts, Whole
from drift.checks.results import Said

_APPLICATION = (
    *(git_01, git_02),
    *(img_01, img_02, img_03, img_04, img_06),
    *(app_01, app_02, app_03, app_04, app_05, app_06),
    *(cfg_01, cfg_02, cfg_04),
    *(api_02, cap_02, cap_03, cap_04),
    *(rep_01, sec_01, sec_02, sec_03, slf_02),
)
_PAIR = (api_01, api_04, cap_01, drl_01, tpg_01)

OF_APPLICATION: Mapping[str, Callable[[Facts], Iterable[Said]]] = {module.ID: module.run for module in _APPLICATION}
"""Checks that look at one application over the pair."""

OF_PAIR: Mapping[str, Callable[[Whole], Iterable[Said]]] = {module.ID: module.run for module in _PAIR}
"""Checks that look at the pair with everything that it protects."""
