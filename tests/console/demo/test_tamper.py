"""What the demo changes by hand."""

from __future__ import annotations

from pathlib import Path

import yaml

from console.demo import ground, tamper


def test_the_example_offers_a_config_map_first_and_a_variable_next() -> None:
    """The drift of the demo is in a ConfigMap, its hot fix in an environment variable."""
    first, second, *_ = tamper.spots(ground.example() / "application")
    assert (first.kind, first.pointer) == ("ConfigMap", "/data/GREETING")
    assert (second.kind, second.pointer) == ("Deployment", "/spec/template/spec/containers/0/env/0/value")


def test_the_same_change_is_made_at_the_site_and_in_git(tmp_path: Path) -> None:
    """What is committed as the hot fix is what stands at the primary, so that deploying it destroys nothing."""
    work, cluster = tmp_path / "work", tmp_path / "cluster"
    work.mkdir()
    (work / "map.yaml").write_text(
        "kind: Service\nmetadata: {name: a}\n---\nkind: ConfigMap\nmetadata: {name: b}\ndata: {x~/y: old}\n"
    )
    live = cluster / "shop" / "ConfigMap.core" / "b.yaml"
    live.parent.mkdir(parents=True)
    live.write_text("kind: ConfigMap\nmetadata: {name: b}\ndata: {x~/y: old}\n")
    (spot,) = tamper.spots(work)
    assert spot.pointer == "/data/x~0~1y"
    tamper.change_at_site(cluster, spot, mark="hotfix")
    tamper.change_in_git(spot, mark="hotfix")
    in_git = list(yaml.safe_load_all((work / "map.yaml").read_text()))[1]
    assert yaml.safe_load(live.read_text())["data"] == in_git["data"] == {"x~/y": "old-hotfix"}
