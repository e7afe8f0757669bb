"""``lockstep diff``: two ends on disk, compared whole."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from console.cli import frame
from console.cli.main import group
from lockstep import documents
from lockstep.values import Json

# Two clusters that run the same application: addresses, ids, times, ports, owned Pods and spellings differ too.
ENDS = Path(__file__).parent / "ends"
SEOUL, SEJONG, RULES = ENDS / "seoul.json", ENDS / "sejong.json", ENDS / "rules.yaml"
FIVE = [
    ("ConfigMap", "/data/SITE"),
    ("ConfigMap", "/data/application.yaml#/db/host"),
    ("CronJob", "/spec/jobTemplate/spec/template/spec/containers/0/image"),
    ("Ingress", "/spec/rules/0/host"),
    ("PersistentVolumeClaim", "/spec/storageClassName"),
]


def run(*arguments: str | Path) -> int:
    """The command in this process; its exit code."""
    code: int = group.main(["diff", *(str(one) for one in arguments)], standalone_mode=False)
    return code


def told(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, dict[str, Json]]:
    """The exit code and the report."""
    code = run(*arguments, "-o", "json")
    return code, json.loads(capsys.readouterr().out)


def test_two_clusters_differ_where_they_differ_and_nowhere_else(capsys: pytest.CaptureFixture[str]) -> None:
    """Five fields, one of them inside a text; what belongs to one cluster alone is no difference."""
    code, report = told(capsys, SEOUL, SEJONG)
    assert (code, report["verdict"]) == (1, "Diverged")
    assert [(one["kind"], one["path"]) for one in report["differences"]] == FIVE
    assert [scan["objects"] for scan in report["scans"]] == [7]
    assert {name: read["method"] for name, read in report["coverage"][0]["sites"].items()} == {
        "seoul.json": "backup",
        "sejong.json": "backup",
    }
    assert report["scans"][0]["health"] == {"seoul.json": "NotApplicable", "sejong.json": "NotApplicable"}


def test_five_rules_explain_five_differences(capsys: pytest.CaptureFixture[str]) -> None:
    """And then nothing differs that may not; each rule is named."""
    code, report = told(capsys, SEOUL, SEJONG, "--rules", RULES)
    assert (code, report["verdict"], report["differences"], report["rules"]) == (0, "InSync", [], [])
    assert [(one["kind"], one["path"]) for one in report["explained"]] == FIVE
    assert [one["rules"] for one in report["explained"]] == [
        ["site"],
        ["database"],
        ["registry"],
        ["host"],
        ["storage"],
    ]


def test_a_rule_that_covers_nothing_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever reads the report can take it out."""
    code, report = told(capsys, SEOUL, SEOUL, "--rules", RULES)
    assert code == 0
    assert {one["problem"] for one in report["rules"]} == {"unused"}
    assert len(report["rules"]) == 5


def test_a_directory_that_is_a_site_is_read_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every name space and what has none; the dump of one compared with the other finds the same."""
    for name, source in (("seoul", SEOUL), ("sejong", SEJONG)):
        for manifest in json.loads(source.read_text())["items"]:
            group_ = manifest["apiVersion"].rpartition("/")[0] or "core"
            folder = tmp_path / name / "shop" / f"{manifest['kind']}.{group_}"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{manifest['metadata']['name']}.yaml").write_text(documents.dump(manifest))
    code, report = told(capsys, tmp_path / "seoul", tmp_path / "sejong")
    assert code == 1
    assert [(one["kind"], one["path"]) for one in report["differences"]] == FIVE
    assert told(capsys, SEOUL, tmp_path / "seoul")[0] == 0


def test_any_folder_of_manifests_is_an_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Several documents to a file, in whatever folders."""
    for name, source in (("old", SEOUL), ("new", SEJONG)):
        (tmp_path / name / "deep").mkdir(parents=True)
        items = json.loads(source.read_text())["items"]
        for number, part in enumerate((items[:5], items[5:])):
            text = "---\n".join(documents.dump(manifest) for manifest in part)
            (tmp_path / name / ("deep" if number else "") / f"part-{number}.yaml").write_text(text)
    code, report = told(capsys, tmp_path / "old", tmp_path / "new")
    assert code == 1
    assert [(one["kind"], one["path"]) for one in report["differences"]] == FIVE


def test_an_empty_directory_is_an_empty_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Everything is missing there."""
    code, report = told(capsys, SEOUL, tmp_path)
    assert (code, {one["verdict"] for one in report["differences"]}) == (1, {"MissingAtStandby"})


def test_a_site_that_cannot_be_read_whole_is_unknown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is no manifest may be the one that differs."""
    folder = tmp_path / "shop" / "ConfigMap.core"
    folder.mkdir(parents=True)
    (folder / "broken.yaml").write_text("{")
    code, report = told(capsys, tmp_path, tmp_path)
    assert (code, report["verdict"]) == (2, "Unknown")


def test_site_values_of_the_rules_explain_their_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An end that is said to be a Site has its values: no rule is needed for them."""
    sites = [
        {
            "apiVersion": "lockstep.dev/v1alpha1",
            "kind": "Site",
            "metadata": {"name": name},
            "spec": {"cluster": {"directory": name}, "values": {"domain": f"{name}.example"}},
        }
        for name in ("seoul", "sejong")
    ]
    (tmp_path / "sites.yaml").write_text("---\n".join(documents.dump(site) for site in sites))
    names = ("--left-site", "seoul", "--right-site", "sejong")
    _, report = told(capsys, SEOUL, SEJONG, "--rules", tmp_path, *names)
    explained = [one["path"] for one in report["explained"]]
    assert "/spec/rules/0/host" in explained
    assert [scan["truth"] for scan in report["scans"]] == ["seoul"]


def test_the_value_of_a_secret_is_compared_and_never_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In no form."""
    shutil.copy(SEOUL, tmp_path / "other.json")
    text = SEOUL.read_text().replace("aHVudGVyMg==", "aHVudGVyMw==")
    (tmp_path / "other.json").write_text(text)
    for form in ("table", "json", "yaml", "markdown", "junit", "html"):
        assert run(SEOUL, tmp_path / "other.json", "--all", "-o", form) == 1
        said = capsys.readouterr().out
        assert "password" in said
        assert not any(value in said for value in ("aHVudGVyM", "hunter2", "hunter3"))


@pytest.mark.parametrize(
    "arguments",
    [
        (SEOUL, "nowhere.json"),
        (SEOUL, Path(__file__)),
        (SEOUL, SEJONG, "--rules", "nowhere.yaml"),
        (SEOUL, SEJONG, "--rules", SEOUL),
        (SEOUL, SEJONG, "--rules", RULES, "--left-site", "busan"),
    ],
)
def test_what_cannot_be_read_is_two(arguments: tuple[str | Path, ...]) -> None:
    """An end, or a rule: an error is never a verdict of equal or different."""
    with pytest.raises(frame.CommandError) as caught:
        run(*arguments)
    assert caught.value.code == 2


def test_a_kustomization_has_to_be_rendered_first(tmp_path: Path) -> None:
    """Its files are no manifests as they stand, and the error says what to do."""
    (tmp_path / "kustomization.yaml").write_text("resources: []\n")
    with pytest.raises(frame.CommandError, match="kubectl kustomize"):
        run(tmp_path, SEOUL)
