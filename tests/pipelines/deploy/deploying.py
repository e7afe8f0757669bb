"""An application with a few objects, and deploying it, for the tests of this folder."""

from __future__ import annotations

from lockstep.manifests import desired
from lockstep.sites import ends
from lockstep.topology import direction, kinds
from lockstep.values import Json, ObjectKey
from pipelines.deploy import apply, look, models, plan
from tests.support import configured

SITES = {name: configured.site(name) for name in ("seoul", "sejong")}
REVISION = "1" * 40


def config(name: str = "settings", namespace: str = "pay", **data: str) -> dict[str, Json]:
    """A ConfigMap."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}, "data": data}


def thing(kind: str, name: str, api_version: str = "v1", **metadata: Json) -> dict[str, Json]:
    """An object of any kind."""
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, **metadata}}


def key(kind: str, name: str, namespace: str = "pay", group: str = "") -> ObjectKey:
    """The key of an object in the application's namespace."""
    return ObjectKey(group=group, kind=kind, namespace=namespace, name=name)


def place(tier: str | None = None, *held: direction.Direction) -> direction.Place:
    """The primary, or a standby of a tier."""
    protection: kinds.Protection | None = configured.protection(tier=tier) if tier else None
    role = direction.Role.FOLLOWER if tier else direction.Role.TRUTH
    return direction.Place(site="sejong" if tier else "seoul", role=role, protection=protection, held_by=held)


def request(
    *raw: dict[str, Json],
    name: str = "pay",
    at: direction.Place | None = None,
    revision: str = REVISION,
    hotfixes: tuple[models.Hotfix, ...] = (),
    **spec: Json,
) -> plan.Request:
    """A rendering of an application, finished for a site."""
    application = configured.application(name, **{"unmirrored": "warn", **spec})
    where = at or place()
    wanted = desired.desired(raw, application=application, place=where, sites=SITES, digests={})
    return plan.Request(wanted=wanted, application=application, place=where, revision=revision, hotfixes=hotfixes)


def planned(asked: plan.Request, cluster: ends.Cluster) -> models.Plan:
    """What a deploy would do now."""
    return plan.plan(asked, look.look(cluster, asked.wanted))


def deploy(asked: plan.Request, cluster: ends.Cluster) -> apply.Report:
    """Plan and apply, with every reason to wait approved."""
    what = planned(asked, cluster)
    return apply.apply(what, cluster, approved=what.approvals)
