"""``lockstep preflight`` of a pair whose standby is served: by a registry, by git repositories and by an API server."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from console.demo import ground
from lockstep import settings
from lockstep.sites import directory, ends
from lockstep.sites import open as opening
from lockstep.store import tables
from lockstep.store.database import open_database
from lockstep.topology import load, secrets
from lockstep.values import Json
from tests.console.cli.conftest import Terminal
from tests.support import apiserver, images, kubernetes_double, registries
from tests.support.kubernetes_double.double import Double
from tests.support.kubernetes_double.requests import Request

pytestmark = [pytest.mark.needs("git"), pytest.mark.needs("docker-registry")]
PAIR = "seoul-sejong"
NODE: Json = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"}}
# What its kubelet says of it.
NODE_STATUS: Json = {
    "conditions": [{"type": "Ready", "status": "True"}],
    "allocatable": {"cpu": "8", "memory": "16Gi", "pods": "110"},
    "nodeInfo": {"operatingSystem": "linux", "architecture": "amd64"},
}
KEYS: Json = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "keys", "namespace": "shop"},
    "data": {"one": "MQ==", "two": "Mg=="},
}


class House:
    """The shop, delivered to seoul on disk and to sejong behind servers."""

    def __init__(self, terminal: Terminal, registry: registries.Registry, server: Double, doors: opening.Doors) -> None:
        self.terminal = terminal
        self.server = server
        self.registry = registry
        self.sejong = doors.cluster("sejong")
        self.seoul = directory.DirectoryCluster(root=terminal.ground.site("seoul") / "cluster")

    def preflight(self, *arguments: str) -> tuple[int, Json]:
        """The exit code and the report."""
        said = self.terminal.types("preflight", PAIR, "-o", "json", *arguments)
        return said.code, said.json

    @property
    def database(self) -> str:
        """Where what was found is kept."""
        return f"sqlite:///{self.terminal.ground.state / 'lockstep.db'}"


def _configure(made: ground.Ground, kubeconfig: Path, url: str) -> None:
    """Serve sejong, name a drill, and let a Secret live outside git."""
    sites, application = made.config / "sites.yaml", made.config / "application.yaml"
    documents = list(yaml.safe_load_all(sites.read_text(encoding="utf-8")))
    (site,) = [one for one in documents if one["metadata"]["name"] == "sejong"]
    site["spec"]["cluster"] = {"kubeconfig": {"file": str(kubeconfig)}}
    site["spec"]["registry"] = {"url": url, "imagePrefix": site["spec"]["registry"]["imagePrefix"]}
    spec = {"pair": PAIR, "pipeline": "deliver"}
    drill = {"apiVersion": "lockstep.dev/v1alpha1", "kind": "Drill", "metadata": {"name": "yearly"}, "spec": spec}
    sites.write_text(yaml.safe_dump_all([*documents, drill]), encoding="utf-8")
    shop, *rest = yaml.safe_load_all(application.read_text(encoding="utf-8"))
    shop["spec"]["outOfGit"] = ["Secret/*"]
    application.write_text(yaml.safe_dump_all([shop, *rest]), encoding="utf-8")


def _drilled(url: str, days_ago: int) -> None:
    """A drill of the pair ended well."""
    ended = datetime.now(UTC) - timedelta(days=days_ago)
    snapshot = {"run": {"spec": {"params": [{"name": "pair", "value": PAIR}]}}}
    with contextlib.closing(open_database(url)) as database, database.write() as connection:
        connection.execute(
            tables.runs.insert().values(
                name="rehearsed",
                pipeline="deliver",
                snapshot=snapshot,
                cause={},
                state="ended",
                status="True",
                reason="Succeeded",
                created_at=ended,
                started_at=ended,
                ended_at=ended,
            )
        )


@pytest.fixture
def house(terminal: Terminal, tmp_path: Path) -> Iterator[House]:
    """Delivered, drilled, and in step."""
    made = terminal.ground
    with contextlib.ExitStack() as stack:
        registry = stack.enter_context(registries.serve(tmp_path / "registry"))
        server = stack.enter_context(kubernetes_double.serving(tmp_path / "server", tls=False))
        kubeconfig = server.kubeconfig()
        kubeconfig.chmod(0o600)
        terminal.push()
        store = images.new_store(made.site("seoul") / "registry")
        images.Maker(store=store, repository="shop/web").image(images.tar_gz({"app": b"1"}), tag="latest")
        for command in (("sync", "git"), ("sync", "images"), ("deploy", "shop", "--by", "lee")):
            assert terminal.types(*command).code == 0
        held = directory.DirectoryCluster(root=made.site("sejong") / "cluster").read(
            ends.Selection(namespaces=frozenset({"shop"}))
        )
        _configure(made, kubeconfig, f"http://{registry.host}")
        assert terminal.types("sync", "images").code == 0
        topology = load.load(made.config)
        places = settings.Places(config=made.config, state=tmp_path, database="")
        doors = opening.Doors(lambda: topology, reader=secrets.Reader(made.config, {}), places=places)
        stack.callback(doors.close)
        built = House(terminal, registry, server, doors)
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
        for manifest in (namespace, NODE, *held.objects, KEYS):
            built.sejong.apply(manifest)
        with contextlib.closing(apiserver.Admin(server)) as kubelet:
            kubelet.move("/api/v1/nodes/n1", NODE_STATUS)
            kubelet.merge("/api/v1/nodes/n1", {"spec": {"taints": None}})
        built.seoul.apply(KEYS)
        _drilled(built.database, 3)
        yield built


def _outcomes(report: Json) -> dict[str, str]:
    return {one["id"]: one["outcome"] for one in report["checks"]}


def test_a_pair_in_step_is_conditional_and_the_same_facts_have_the_same_digest(house: House) -> None:
    """What nobody has built keeps it from GO; a waiver and what is declared are listed with who nobody verified."""
    code, report = house.preflight()
    assert (code, report["verdict"], report["counts"]["blockers"]) == (1, "CONDITIONAL", 0), report["reasons"]
    assert report["statement"] == f"no blocker found in {report['counts']['ran']} of 50"
    assert _outcomes(report)["DAT-01"] == "NOT_COVERED"
    assert all(one["readAt"] and one["ageSeconds"] < 600 for one in report["coverage"] if one["of"] == "shop")
    (hosts,) = [one for one in report["expected"] if one["rule"] == "hosts"]
    assert (hosts["acceptedBy"], hosts["identity"]) == ("dr-manager", "not verified")
    assert report["identities"] == "not verified"
    _, again = house.preflight()
    assert again["factsSha256"] == report["factsSha256"]
    assert again["sha256"] != report["sha256"]
    house.sejong.apply({**KEYS, "data": {**KEYS["data"], "two": "Mw=="}})
    _, changed = house.preflight()
    assert changed["factsSha256"] != report["factsSha256"]


def _lose_a_blob(house: House) -> None:
    """A layer is gone from the disk of the standby's registry, and its manifest is still there."""
    stored = (house.registry.root / "images").rglob("blobs/sha256/*/*/data")
    (layer,) = [file for file in stored if file.read_bytes().startswith(b"\x1f\x8b")]
    shutil.rmtree(layer.parent)


def _lose_a_key(house: House) -> None:
    """A key of a Secret is missing at the standby."""
    house.sejong.apply({**KEYS, "data": {"one": KEYS["data"]["one"]}})


@pytest.mark.parametrize(("lose", "check"), [(_lose_a_blob, "IMG-02"), (_lose_a_key, "CFG-02")])
def test_one_blob_or_one_key_that_is_missing_is_no_go(house: House, lose: Callable[[House], None], check: str) -> None:
    """It is named, with both values or parts, and no value of a Secret is."""
    lose(house)
    code, report = house.preflight()
    assert (code, report["verdict"], _outcomes(report)[check]) == (2, "NO-GO", "FAIL")
    (found,) = [one for one in report["results"] if one["check"] == check and one["outcome"] == "FAIL"]
    assert found["severity"] == "B"
    assert ("parts are missing" in found["message"]) == (check == "IMG-02")
    assert KEYS["data"]["two"] not in str(report)


def test_a_waived_blocker_is_conditional_and_says_who_nobody_verified(house: House) -> None:
    """With why, and until when."""
    _lose_a_key(house)
    house.preflight()
    listed = house.terminal.types("findings", "list", "-o", "json").json
    (finding,) = [one["id"] for one in listed if one["kind"] == "Secret"]
    arguments = ("waive", str(finding), "--until", "2099-01-01", "--by", "kim", "--note", "not used")
    assert house.terminal.types("findings", *arguments).code == 0
    code, report = house.preflight()
    assert (code, report["verdict"]) == (1, "CONDITIONAL"), report["reasons"]
    (waived,) = [one["waiver"] for one in report["waivers"] if one["check"] == "CFG-02"]
    assert (waived["by"], waived["reason"], waived["identity"]) == ("kim", "not used", "not verified")
    # To the end of the last day.
    assert waived["until"].startswith("2099-01-02T00:00")


def test_evidence_that_is_older_than_it_counts_for_is_stale_and_no_go(house: House) -> None:
    """The dry run takes longer than evidence counts for: what was read before it proves nothing any more."""
    slowed: list[str] = []

    def meant(request: Request) -> bool:
        if slowed or request.method == "GET" or "dryRun" not in request.query:
            return False
        slowed.append(request.path)
        return True

    house.server.faults.slow(1.2, meant=meant)
    said = house.terminal.types("--stale-after", "1", "preflight", PAIR, "-o", "json")
    outcomes = _outcomes(said.json)
    assert (said.code, said.json["verdict"]) == (2, "NO-GO")
    assert {outcomes[check] for check in ("APP-02", "CFG-02", "SLF-02")} == {"STALE"}
    assert said.json["evidenceCountsForSeconds"] == 1
