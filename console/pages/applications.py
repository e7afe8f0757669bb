"""One application: its verdicts, what differs side by side, and what was deployed where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from console import comparing, evidence, presenting, security
from console.comparing import Compared
from console.context import Context
from console.evidence import Protected
from console.language import mark
from lockstep import errors, work
from lockstep.store import deployments, mirrors, runs, stances
from lockstep.store.runs import Filter
from lockstep.store.views import drift
from lockstep.store.views.drift import Finding

# A page with more differences than this is read by nobody; the list of findings has the rest.
_MOST_FINDINGS = 300
_RUNS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A pair of the application with its objects that differ."""

    protected: Protected
    objects: tuple[Compared, ...]


def create_blueprint(context: Context) -> Blueprint:
    """The page, comparing now, and deploying to a standby again."""
    blueprint = Blueprint("applications", __name__)
    _reading(blueprint, context)
    _acting(blueprint, context)
    return blueprint


def _reading(blueprint: Blueprint, context: Context) -> None:
    @blueprint.get("/applications/<name>")
    def show(name: str) -> str:
        topology = context.topology()
        application = topology.application(name)
        with context.database.read() as connection:
            known = evidence.protected(
                topology,
                stances.in_force(connection, topology.pairs),
                drift.scans_of(connection, name),
                now=g.now,
                stale=timedelta(seconds=context.serving.stale_seconds),
            )
            found = drift.of_application(connection, name, limit=_MOST_FINDINGS + 1)
            source = mirrors.source(connection, application.spec.source.repository)
            standings = mirrors.standings(connection, application.spec.source.repository)
            deployed = deployments.newest(connection, name)
            started = runs.page(connection, Filter(application=name), limit=_RUNS)
        return render_template(
            "application.html",
            application=application,
            sides=sides([one for one in known if one.application.name == name], found[:_MOST_FINDINGS]),
            more=len(found) > _MOST_FINDINGS,
            sites=topology.sites_of(application),
            deployed={one.site: one for one in deployed},
            runs=started,
            head=source.refs.get(f"refs/heads/{application.spec.source.branch}", "") if source else "",
            lags={one.site: one.lag(g.now) for one in standings},
        )


def _acting(blueprint: Blueprint, context: Context) -> None:
    @blueprint.post("/applications/<name>/compare")
    def compare(name: str) -> Response:
        context.topology().application(name)
        with context.database.write() as connection:
            context.queue.enqueue(connection, work.scan(name, urgent=True))
        flash(presenting.gettext(mark("It is being compared.")))
        return redirect(url_for("applications.show", name=name), 303)

    @blueprint.post("/applications/<name>/redeploy")
    def redeploy(name: str) -> Response:
        topology = context.topology()
        site = request.form.get("site", "")
        if site not in topology.sites_of(topology.application(name)):
            raise errors.InputError(
                mark("This application does not go to that site."), remedy=mark("Choose one of its sites.")
            )
        run = context.actions.redeploy(name, site, by=security.who())
        context.audit(security.who(), f"deployed {name} to {site} again")
        flash(presenting.gettext(mark("It is being deployed.")))
        return redirect(url_for("runs.show", name=run) if run else url_for("applications.show", name=name), 303)


def sides(protected: Sequence[Protected], findings: Sequence[Finding]) -> list[Side]:
    """The differences of each pair. Pure."""
    return [
        Side(
            protected=one,
            objects=tuple(
                comparing.by_object((found for found in findings if found.pair == one.pair.name), unread=one.unread)
            ),
        )
        for one in protected
    ]
