"""An installation on disk: three sites, two pairs, and applications whose repositories nobody has."""

from __future__ import annotations

from pathlib import Path

from console.cli.main import group
from lockstep import documents
from lockstep.values import Json


def documents_of(directory: Path) -> list[tuple[str, str, Json]]:
    """Three sites, two pairs, and applications whose repositories nobody has."""
    sites = ("seoul", "sejong", "daegu")
    for site in sites:
        (directory / site).mkdir()

    def application(name: str, pair: str) -> tuple[str, str, Json]:
        protection = {pair: {"tier": "hot"}}
        return "Application", name, {"source": {"repository": name}, "namespace": name, "protection": protection}

    url = f"{directory.as_uri()}/forge/{{repository}}.git"
    return [
        *(
            (
                "Site",
                site,
                {
                    "cluster": {"directory": f"../{site}"},
                    "git": {"url": f"{directory.as_uri()}/git/{site}/{{repository}}"},
                },
            )
            for site in sites
        ),
        ("GitMirror", "all", {"source": {"url": url}, "repositories": ["*"], "sites": list(sites)}),
        ("Pair", "seoul-sejong", {"primary": "seoul", "standby": "sejong"}),
        ("Pair", "seoul-daegu", {"primary": "seoul", "standby": "daegu"}),
        application("pay", "seoul-sejong"),
        application("alone", "seoul-daegu"),
    ]


def run(directory: Path, *arguments: str) -> int:
    """A command of an installation in this process; its exit code."""
    config = directory / "config"
    if not config.exists():
        config.mkdir()
        for kind, name, spec in documents_of(directory):
            document = {
                "apiVersion": "lockstep.dev/v1alpha1",
                "kind": kind,
                "metadata": {"name": name},
                "spec": spec,
            }
            (config / f"{kind}-{name}.yaml").write_text(documents.dump(document))
    code: int = group.main(["--config", str(config), *arguments], standalone_mode=False)
    return code
