"""Portion after portion: what sites have, all asked at once, and what is sent to them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from lockstep import errors
from sync import copy
from sync.loads import Load, Portion
from sync.stocktaking import Stocktaking


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What is to be done for one portion: steps by image, and the sites that could not say what they have."""

    units: Mapping[str, copy.Unit]
    seen: Collection[str]
    silent: Mapping[str, errors.LockstepError]

    def unit(self, root: str, site: str) -> copy.Unit | None:
        """The steps of an image, if a site does not have all of it."""
        unit = self.units.get(root)
        return unit if unit is not None and site in unit.lacking else None


class Planning:
    """Plans the portions of a load, for one thread; ``deep`` takes nothing at a site for granted."""

    def __init__(self, load: Load, *, deep: bool) -> None:
        self._deep = deep
        self._planner = copy.Planner()
        self._stocktakings = {
            site: Stocktaking(shelf, looks=load.bounds.looks, deep=deep) for site, shelf in load.sites.items()
        }

    def plan(self, portion: Portion, sites: Collection[str]) -> Planned:
        """What these sites lack of a portion, and of those before it nothing again."""
        with ThreadPoolExecutor(max(1, len(sites))) as pool:
            looks = {site: pool.submit(self._have, site, portion) for site in sites if portion.at(site)}
        haves, silent = {}, {}
        for site, look in looks.items():
            error = look.exception()
            if isinstance(error, errors.LockstepError):
                silent[site] = error
            else:
                haves[site] = look.result()
        units = self._planner.plan(portion.graph, portion.wanted, haves)
        return Planned(units={unit.root: unit for unit in units}, seen=haves.keys(), silent=silent)

    def _have(self, site: str, portion: Portion) -> copy.Have:
        wanted = portion.at(site)
        return self._stocktakings[site].of(
            portion.graph,
            wanted,
            list(dict.fromkeys(tag for want in wanted for tag in want.at[site])),
            known=None if self._deep else portion.known.get(site),
            counted_on=self._planner.counted_on(site),
        )
