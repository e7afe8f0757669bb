"""Putting the last good revision back, wherever a deploy that failed has been, and waiting until it runs.

That it is to be done is written down before it is done: who takes over from a process that was killed goes on
with it, and deploys nothing new to a site that was already put back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from lockstep import errors
from lockstep.store import deployments
from lockstep.store.deployments import Deployment
from pipelines.delivery.reaching import Reaching, failures
from pipelines.deploy import models, rollout

GOING = (deployments.ROLLING_BACK, deployments.RECOVERING)
"""States in which a site is on its way back."""
_UNTOUCHED = (deployments.HELD, deployments.ROLLED_BACK)


class RollingBack:
    """What a run does at the sites where it has to go back.

    Args:
        reaching: What it does at single sites.
    """

    def __init__(self, reaching: Reaching) -> None:
        self._reaching = reaching

    def begin(self, begun: Mapping[str, Deployment]) -> bool:
        """Write down which sites have to go back, and why; whether there is any."""
        back = [
            replace(row, state=deployments.ROLLING_BACK, message=_why(row))
            for row in begun.values()
            if row.state not in _UNTOUCHED
        ]
        self._reaching.remember(*back)
        return bool(back)

    def go_on(self, begun: Mapping[str, Deployment]) -> dict[str, Deployment]:
        """Put back what is not yet, and look how the rest is; how all sites stand then."""
        due = [row for row in begun.values() if row.state == deployments.ROLLING_BACK]
        put = {row.site: row for row in self._reaching.side_by_side(self._put, due)}
        now = {**begun, **put}
        waiting = [row for row in now.values() if row.state == deployments.RECOVERING]
        return {**now, **{row.site: row for row in self._reaching.side_by_side(self._look, waiting)}}

    def _put(self, row: Deployment) -> Deployment:
        """Write the last good revision."""
        good = self._reaching.last_good(row)
        if good is None:
            return self._failed(row, "there is no older revision to put back")
        name = good.revision[:12]
        try:
            # What this deploy has made goes again, however much it is. What nobody could read may be anything.
            report = self._reaching.write(good, approve=(models.Why.DELETES,))
        except errors.LockstepError as error:
            return self._failed(row, f"{name} could not be put back: {error}")
        if not report.whole:
            return self._failed(row, f"{name} could not be put back whole: {'; '.join(failures(report))}")
        return self._reaching.settled(row, deployments.RECOVERING, row.message)

    def _look(self, row: Deployment) -> Deployment:
        """Whether the last good revision runs."""
        good = self._reaching.last_good(row)
        if good is None:
            return self._failed(row, "the older revision is not known any more")
        name = good.revision[:12]
        found = self._reaching.stands(replace(good, ended_at=row.ended_at))
        if found.progress is rollout.Progress.OVER:
            told = f"{row.message}; rolled back to {name}"
            return self._reaching.settled(row, deployments.ROLLED_BACK, told)
        if found.progress is rollout.Progress.FAILED:
            return self._failed(row, f"{name} was put back, but {found.why}")
        return row

    def _failed(self, row: Deployment, what: str) -> Deployment:
        return self._reaching.settled(row, deployments.FAILED, f"{row.message}; {what}")


def _why(row: Deployment) -> str:
    return row.message if row.state == deployments.FAILED and row.message else "another site failed"
