"""What a test can make go wrong at the double, and what it can make it forget."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.kubernetes_double.asking import Asker
from tests.support import kubernetes_double
from tests.support.kubernetes_double.requests import Request

_MAPS = "/api/v1/namespaces/default/configmaps"


def _lists(request: Request) -> bool:
    return request.method == "GET"


def test_a_throttled_request_says_when_to_come_back(double: kubernetes_double.Double, asker: Asker) -> None:
    """429 with Retry-After, as often as is said, and only where it is meant."""
    double.faults.throttle(seconds=7, times=2, meant=_lists)
    answers = [asker.ask("GET", _MAPS) for _ in range(3)]
    assert [one.status for one in answers] == [429, 429, 200]
    assert answers[0].headers["retry-after"] == "7"
    assert answers[0].body["details"] == {"retryAfterSeconds": 7}
    double.faults.throttle(meant=_lists)
    assert asker.ask("POST", _MAPS, {"metadata": {"name": "a"}}).status == 201


def test_a_share_of_the_requests_fails_the_same_way_for_the_same_seed(
    double: kubernetes_double.Double, asker: Asker
) -> None:
    """Chances are drawn, not thrown: a test that fails can be run again."""
    double.faults.fail(share=0.5)
    first = [asker.ask("GET", _MAPS).status for _ in range(20)]
    assert set(first) == {200, 500}
    double.faults.clear()
    assert {asker.ask("GET", _MAPS).status for _ in range(20)} == {200}


def test_a_slow_answer_holds_up_nobody_else(double: kubernetes_double.Double, asker: Asker) -> None:
    """Whoever is meant waits; the others are answered in the meantime."""
    double.faults.slow(60, meant=lambda request: request.path == _MAPS)
    other = Asker(double)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(asker.ask, "GET", _MAPS)
        assert other.ask("GET", "/version").status == 200
        assert not waiting.done()
        double.faults.end()
        assert waiting.result().status == 200
    other.close()


def test_a_connection_can_end_without_an_answer(double: kubernetes_double.Double, asker: Asker) -> None:
    """As when a load balancer is restarted."""
    double.faults.hang_up(times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        asker.ask("GET", _MAPS)
    assert asker.ask("GET", _MAPS).status == 200


def test_what_is_compacted_is_too_old_to_go_on_from(double: kubernetes_double.Double, asker: Asker) -> None:
    """A continue token, an older revision and a watch expire; the token says how to go on all the same."""
    for n in range(4):
        asker.ask("POST", _MAPS, {"metadata": {"name": f"m{n}"}})
    page = asker.ask("GET", f"{_MAPS}?limit=2").body
    revision, token = page["metadata"]["resourceVersion"], page["metadata"]["continue"]
    asker.ask("DELETE", f"{_MAPS}/m3")
    assert [one["metadata"]["name"] for one in asker.ask("GET", f"{_MAPS}?continue={token}").body["items"]] == [
        "m2",
        "m3",
    ]
    double.store.compact()
    lost = asker.ask("GET", f"{_MAPS}?continue={token}")
    assert (lost.status, lost.body["reason"]) == (410, "Expired")
    rest = asker.ask("GET", f"{_MAPS}?continue={lost.body['metadata']['continue']}").body
    assert [one["metadata"]["name"] for one in rest["items"]] == ["m2"]
    assert asker.ask("GET", f"{_MAPS}?resourceVersion={revision}&resourceVersionMatch=Exact").status == 410
    (event,) = asker.lines(f"{_MAPS}?watch=1&resourceVersion={revision}")
    assert (event["type"], event["object"]["code"], event["object"]["reason"]) == ("ERROR", 410, "Expired")


def test_a_watch_sends_bookmarks_while_nothing_happens(double: kubernetes_double.Double, asker: Asker) -> None:
    """They say how far it has come, also where the changes were of other kinds."""
    revision = asker.ask("POST", "/api/v1/namespaces", {"metadata": {"name": "x"}}).body["metadata"]["resourceVersion"]
    lines = asker.lines(f"{_MAPS}?watch=1&resourceVersion=1&allowWatchBookmarks=true&timeoutSeconds=1")
    assert lines
    assert {one["type"] for one in lines} == {"BOOKMARK"}
    assert lines[-1]["object"]["metadata"]["resourceVersion"] == revision


def test_a_watch_ends_with_the_server(double: kubernetes_double.Double) -> None:
    """Nobody who watches keeps a test from ending."""
    asker = Asker(double)
    with asker.client.stream("GET", f"{_MAPS}?watch=1&allowWatchBookmarks=true") as stream:
        lines = stream.iter_lines()
        assert next(lines)
        double.ended.set()
        assert all("BOOKMARK" in line for line in lines)
    asker.close()


def test_writers_at_the_same_time_lose_nothing(double: kubernetes_double.Double) -> None:
    """Each write has a revision of its own, and a watch sees them in order."""
    askers = [Asker(double) for _ in range(4)]

    def write(number: int) -> list[int]:
        made = [askers[number].ask("POST", _MAPS, {"metadata": {"name": f"w{number}-{n}"}}) for n in range(10)]
        return [int(one.body["metadata"]["resourceVersion"]) for one in made]

    with ThreadPoolExecutor(4) as pool:
        revisions = sorted(revision for made in pool.map(write, range(4)) for revision in made)
    assert len(set(revisions)) == 40
    lines = askers[0].lines(f"{_MAPS}?watch=1&resourceVersion={revisions[0] - 1}&timeoutSeconds=1")
    assert [int(one["object"]["metadata"]["resourceVersion"]) for one in lines] == revisions
    for asker in askers:
        asker.close()


def test_a_definition_is_served_only_once_it_is_established(double: kubernetes_double.Double, asker: Asker) -> None:
    """Whoever does not wait for it finds nothing there."""
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"kind": "Thing", "plural": "things"}
    spec = {"group": "a.example", "scope": "Cluster", "names": names, "versions": [version]}
    definition = {"metadata": {"name": "things.a.example"}, "spec": spec}
    with double.background.held():
        made = asker.ask("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition)
        assert made.body["status"]["conditions"] is None
        assert asker.ask("GET", "/apis/a.example/v1/things").status == 404
    until = time.monotonic() + 10
    while asker.ask("GET", "/apis/a.example/v1/things").status == 404:
        assert time.monotonic() < until
    assert asker.ask("POST", "/apis/a.example/v1/things", {"metadata": {"name": "one"}, "free": {"a": 1}}).body["free"]
