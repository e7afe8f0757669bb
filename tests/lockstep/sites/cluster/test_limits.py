"""The limits of a site's configuration are those that its door keeps."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from lockstep import errors
from lockstep.sites import cluster
from lockstep.sites.cluster import Limits
from lockstep.topology import kinds, secrets
from tests.lockstep.sites.cluster import calling
from tests.support import scripted


def test_what_the_configuration_gives_is_kept() -> None:
    """Field by field; a server may be silent for half of a call's time."""
    given = kinds.ClusterLimits(
        connections=3,
        requestsPerSecond=7,
        timeout=timedelta(seconds=10),
        readTimeout=timedelta(minutes=9),
        page=50,
        watches=20,
    )
    end = kinds.ClusterEnd(kubeconfig=kinds.SecretRef(file="anything"), limits=given)
    kept = cluster.open_cluster(end, reader=secrets.Reader(Path("/"), {}), path=Path).api.limits
    assert kept == Limits(
        at_once=3,
        requests_per_second=7,
        call_seconds=10,
        silence_seconds=5,
        read_seconds=540,
        page=50,
        most_watches=20,
    )


def test_what_the_configuration_leaves_out_is_what_its_reference_says() -> None:
    """The defaults are written in two places, and are the same."""
    assert Limits.of(kinds.ClusterLimits()) == Limits.of(None) == Limits()


def test_requests_wait_for_their_turns_and_tries_are_requests() -> None:
    """A server that fails is not asked faster than agreed either."""
    waits: list[float] = []
    broken = scripted.said(calling.status(503), 503)
    with scripted.serving(calling.after(1, broken, calling.config)) as server:
        api = calling.api(server, waits=waits, requests_per_second=1)
        for _ in range(3):
            api.send(calling.CALL)
        assert len(server.asked) == 4
    # One wait is the pause before the second try; the other requests but the first waited for their turns.
    assert len(waits) == 4
    assert sum(waits) > 5  # as none is really waited here, each turn is a second further away


def test_a_request_whose_turn_comes_too_late_is_not_sent() -> None:
    """And the message names the bound that is in the way."""
    with scripted.serving(lambda _: calling.config()) as server:
        api = calling.api(server, requests_per_second=1, call_seconds=1.5)
        api.send(calling.CALL)
        api.send(calling.CALL)
        with pytest.raises(errors.UnreachableError, match="requestsPerSecond"):
            api.send(calling.CALL)
        assert len(server.asked) == 2
