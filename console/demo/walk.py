"""One push that walks all the way through, and two changes by hand that are found and healed.

Each step is what a person would do, in that order; the result is what each step left to be seen.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from console.demo import forge, tamper
from console.demo.ground import SITES, Ground
from console.demo.product import DemoError, Service, lockstep, until

Say = Callable[[str], None]
# What is shown of a difference.
_SHOWN = ("pair", "verdict", "kind", "namespace", "name", "site", "path")


@dataclass(slots=True)
class Walk:
    """The walk and what it saw."""

    ground: Ground
    service: Service
    say: Say
    seen: dict[str, Any] = field(default_factory=dict)

    def all(self) -> dict[str, Any]:
        """Walk; the object that ``lockstep demo --exit -o json`` prints.

        Raises:
            DemoError: Something did not go as it should.
        """
        started = time.monotonic()
        self.push("The first version")
        self.seen["run"] = self.deliver()
        self.seen["drift"] = {"before": self.drift("comparing git and the three sites: in step", clean=True)}
        fix = self.change_by_hand()
        self.heal(fix)
        self.seen |= {
            "deliveries": len(lockstep(self.ground, "events", "list")),
            "git": {site: _commit(self.ground, site) for site in SITES},
            "images": {site: _digests(self.ground.site(site) / "registry") for site in SITES},
            "seconds": round(time.monotonic() - started, 1),
        }
        keys = ("deliveries", "git", "images", "run", "deployed", "drift", "seconds")
        return {key: self.seen[key] for key in keys}

    def push(self, message: str) -> None:
        """Push to the forge, as a developer does; the forge posts, Lockstep mirrors."""
        commit = forge.push(self.ground.work, message=message)
        self.say(f"git push            {commit[:12]} to the forge: {message!r}")
        until(
            "the delivery has arrived",
            lambda: any(commit in json.dumps(item) for item in self.service.ask("/deliveries")["items"]),
        )
        self.say("delivery            signed, stored, answered 202")
        until("every site has the commit", lambda: all(_commit(self.ground, site) == commit for site in SITES))
        self.say(f"git mirrored        {', '.join(SITES)} have it")

    def deliver(self) -> dict[str, Any]:
        """Wait for the run's question, approve it, wait for its end."""
        run = until("the run waits for approval", self._waiting)
        self.say(f"pipeline            {run['name']} waits for approval")
        lockstep(
            self.ground, "pipeline", "approve", run["name"], "--by", "demo", "--comment", "given by the demo itself"
        )
        self.say("approval            given by the demo (a person does this on the page)")
        ended = until("the run has ended", lambda: self._ended(run["name"]))
        tasks = {task["name"]: task["reason"] for task in ended["tasks"]}
        if ended["reason"] not in ("Succeeded", "Completed"):
            raise DemoError(f"the run {run['name']} ended as {ended['reason']}: {ended['message']} {tasks}")
        self.seen["deployed"] = _deployed(ended)
        self.say(
            f"deployed            {', '.join(f'{site}: {n} objects' for site, n in self.seen['deployed'].items())}"
        )
        return {"name": ended["name"], "reason": ended["reason"], "tasks": tasks}

    def _waiting(self) -> dict[str, Any] | None:
        head = forge.git("rev-parse", "HEAD", cwd=self.ground.work)
        for run in self.service.ask("/runs?limit=1")["items"]:
            if run["revision"] == head and run["state"] == "ended":
                raise DemoError(f"the run {run['name']} ended as {run['reason']} before it asked: {run['message']}")
            if run["revision"] == head and run["waiting"]:
                found: dict[str, Any] = run
                return found
        return None

    def _ended(self, name: str) -> dict[str, Any] | None:
        if self.service.ask(f"/runs/{name}")["state"] != "ended":
            return None
        run: dict[str, Any] = lockstep(self.ground, "pipeline", "show", name)
        return run

    def drift(self, what: str, *, clean: bool) -> list[dict[str, Any]]:
        """Compare now; the rows, of which there must be none when it has to be clean."""
        report = lockstep(self.ground, "drift", codes=(0, 1))
        rows = [{key: row[key] for key in _SHOWN} for row in report["differences"]]
        rows.sort(key=lambda row: (row["pair"], row["kind"], row["namespace"], row["name"], row["path"], row["site"]))
        if clean and rows:
            raise DemoError(f"there should be no difference, but: {json.dumps(rows)}")
        self.say(f"compared            {what}")
        for row in rows:
            self.say(f"  {row['verdict']:<18}{row['pair']}  {row['kind']}/{row['name']} {row['path']} at {row['site']}")
        return rows

    def change_by_hand(self) -> tamper.Spot | None:
        """Change one field at the standby and another at the primary, by hand."""
        spots = tamper.spots(self.ground.work)
        if not spots:
            self.say("nothing to tamper with: the application has no field that the demo knows how to change")
            self.seen["drift"]["after"] = []
            return None
        drifted, fixed = spots[0], spots[min(1, len(spots) - 1)]
        tamper.change_at_site(self.ground.site("sejong") / "cluster", drifted, mark="by-hand")
        self.say(f"by hand             {drifted.kind}/{drifted.name} {drifted.pointer} changed at sejong, the standby")
        tamper.change_at_site(self.ground.site("seoul") / "cluster", fixed, mark="hotfix")
        self.say(f"hot fix             {fixed.kind}/{fixed.name} {fixed.pointer} changed at seoul, the primary")
        self.seen["drift"]["after"] = self.drift("both are found:", clean=False)
        return fixed

    def heal(self, fix: tamper.Spot | None) -> None:
        """Heal as a person would: redeploy the standby; commit the hot fix and deploy that."""
        lockstep(self.ground, "deploy", self.ground.application, "--site", "sejong")
        self.say("healed              sejong by deploying again what git says")
        if fix:
            tamper.change_in_git(fix, mark="hotfix")
            self.push("The hot fix, where it belongs")
            self.deliver()
        self.seen["drift"]["healed"] = self.drift("healed: in step again", clean=True)


def _commit(ground: Ground, site: str) -> str:
    head = ground.site(site) / "git" / f"{ground.application}.git"
    try:
        return forge.git("rev-parse", "--verify", "refs/heads/main", cwd=head)
    except (RuntimeError, OSError):
        return ""


def _digests(registry: Path) -> list[str]:
    return sorted(
        {
            manifest["digest"]
            for index in registry.rglob("index.json")
            for manifest in json.loads(index.read_text(encoding="utf-8"))["manifests"]
        }
    )


def _deployed(run: dict[str, Any]) -> dict[str, int]:
    sites: dict[str, Any] = next((task["detail"]["sites"] for task in run["tasks"] if task["detail"].get("sites")), {})
    return {site: result["objects"] for site, result in sorted(sites.items())}
