"""A configuration is read whole, or refused with everything that is wrong with it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lockstep import documents, errors
from lockstep.topology import load

HERE = Path(__file__).parent
BROKEN = sorted(path for path in (HERE / "broken").iterdir() if path.is_dir())
VALID = sorted(path for path in (HERE / "valid").iterdir() if path.is_dir())
EXAMPLES = sorted((HERE.parents[2] / "examples").glob("*/configuration"))

SITE = "apiVersion: lockstep.dev/v1alpha1\nkind: Site\nmetadata: {name: seoul}\nspec: {git: {directory: ../git}}\n"


def problems_of(directory: Path) -> list[str]:
    """What is wrong with a configuration, a line each."""
    with pytest.raises(errors.ConfigurationError) as caught:
        load.load(directory)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize("folder", BROKEN, ids=lambda folder: folder.name)
def test_a_broken_configuration_is_refused_with_every_problem_at_its_place(folder: Path) -> None:
    """Each golden folder gives exactly the problems of its expected.txt: file, line, field, message and remedy."""
    assert problems_of(folder) == (folder / "expected.txt").read_text().splitlines()


@pytest.mark.parametrize("folder", BROKEN, ids=lambda folder: folder.name)
def test_every_problem_says_what_to_do(folder: Path) -> None:
    """No problem comes without a remedy, and each names a file that is there."""
    with pytest.raises(errors.ConfigurationError) as caught:
        load.load(folder)
    for problem in caught.value.problems:
        assert problem.remedy
        assert (folder / problem.file).exists()
        assert "pydantic" not in str(problem).lower()


@pytest.mark.parametrize("folder", [*VALID, *EXAMPLES], ids=lambda folder: f"{folder.parent.name}-{folder.name}")
def test_a_sound_configuration_is_loaded_whole(folder: Path) -> None:
    """Every document of a valid folder, and of the examples, is in the topology."""
    topology = load.load(folder)
    texts = [path for suffix in ("*.yaml", "*.yml", "*.json") for path in folder.rglob(suffix)]
    written = [document for path in texts for document in documents.read(path.read_bytes(), file=path.name)]
    tables = (
        topology.sites,
        topology.pairs,
        topology.applications,
        topology.git_mirrors,
        topology.image_mirrors,
        topology.webhooks,
        topology.expected_differences,
        topology.drills,
        topology.notifications,
        topology.tekton,
    )
    assert sum(len(table) for table in tables) == len(written)


def test_a_missing_directory_is_a_problem_not_a_traceback(tmp_path: Path) -> None:
    """A directory that is not there is said to be missing."""
    [problem] = problems_of(tmp_path / "nowhere")
    assert "no such file or directory" in problem


def test_a_file_instead_of_a_directory_is_a_problem(tmp_path: Path) -> None:
    """A file is not read as a directory of one."""
    (tmp_path / "site.yaml").write_text(SITE)
    [problem] = problems_of(tmp_path / "site.yaml")
    assert "is not a directory" in problem


def test_an_empty_directory_holds_no_configuration(tmp_path: Path) -> None:
    """Nothing is configured by nothing."""
    [problem] = problems_of(tmp_path)
    assert "holds no configuration" in problem


def test_a_file_larger_than_the_bound_is_a_problem(tmp_path: Path) -> None:
    """Fifty megabytes are refused by their size, and the other files are still checked."""
    with (tmp_path / "big.yaml").open("wb") as file:
        file.truncate(50 * 2**20)
    (tmp_path / "site.yaml").write_text(SITE.replace("spec", "spce"))
    big, *rest = problems_of(tmp_path)
    assert big.startswith("big.yaml: the file is larger than 16 MiB.")
    assert any("spce" in problem for problem in rest)


def test_anchors_that_explode_are_a_problem(tmp_path: Path) -> None:
    """A few lines that expand to more values than fit are refused before they are expanded."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    (tmp_path / "bomb.yaml").write_text("\n".join(lines))
    [problem] = problems_of(tmp_path)
    assert "aliases are expanded" in problem


def test_hidden_files_and_folders_are_left_out(tmp_path: Path) -> None:
    """What begins with a dot is not configuration."""
    (tmp_path / "site.yaml").write_text(SITE)
    (tmp_path / ".draft.yaml").write_text("kind: [")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config.yaml").write_text("kind: [")
    assert list(load.load(tmp_path).sites) == ["seoul"]


def test_a_link_that_leaves_the_directory_is_refused(tmp_path: Path) -> None:
    """Neither a file nor a folder outside is read through a link."""
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    (outside / "site.yaml").write_text(SITE)
    (inside / "file.yaml").symlink_to(outside / "site.yaml")
    (inside / "folder").symlink_to(outside)
    problems = problems_of(inside)
    assert [problem.partition(":")[0] for problem in problems] == ["file.yaml", "folder"]
    assert all("leads out of" in problem for problem in problems)


def test_a_link_that_leads_nowhere_or_in_a_circle_is_a_problem(tmp_path: Path) -> None:
    """Links that cannot be followed are named."""
    (tmp_path / "nowhere.yaml").symlink_to("gone.yaml")
    (tmp_path / "circle.yaml").symlink_to("circle.yaml")
    assert [problem.partition(":")[0] for problem in problems_of(tmp_path)] == ["circle.yaml", "nowhere.yaml"]


def test_a_directory_whose_links_go_round_is_a_problem(tmp_path: Path) -> None:
    """The directory itself may be a link, but one that leads somewhere."""
    (tmp_path / "circle").symlink_to("circle")
    [problem] = problems_of(tmp_path / "circle")
    assert "the directory cannot be read" in problem


def test_a_text_without_end_is_refused_by_its_length(tmp_path: Path) -> None:
    """No regular expression sees a megabyte, and no message repeats it."""
    long = "a" * 2**20 + " "
    (tmp_path / "site.yaml").write_text(
        "apiVersion: lockstep.dev/v1alpha1\nkind: Site\nmetadata: {name: seoul}\nspec:\n"
        f"  registry: {{url: 'https://r.example', imagePrefix: '{long}'}}\n"
        f"  git: {{url: '{long}'}}\n  {'k' * 1000}: 1\n"
    )
    problems = problems_of(tmp_path)
    assert len(problems) == 3
    assert all(len(problem) < 500 for problem in problems)


def test_a_kubernetes_mount_is_read_once(tmp_path: Path) -> None:
    """A ConfigMap mount keeps the files in a hidden folder behind links; each is read once, by its visible name."""
    (tmp_path / "..2026").mkdir()
    (tmp_path / "..2026" / "site.yaml").write_text(SITE)
    (tmp_path / "..data").symlink_to("..2026")
    (tmp_path / "site.yaml").symlink_to("..data/site.yaml")
    (tmp_path / "loop").symlink_to(".")
    assert list(load.load(tmp_path).sites) == ["seoul"]


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    """Something that is no file cannot hang the reader."""
    os.mkfifo(tmp_path / "pipe.yaml")
    [problem] = problems_of(tmp_path)
    assert "this is not a file" in problem


def test_a_name_that_is_not_text_can_be_reported(tmp_path: Path) -> None:
    """A file name of any bytes appears escaped, so that the report can be printed and stored."""
    with open(os.fsencode(tmp_path) + b"/\xff\n.yaml", "wb") as file:  # noqa: PTH123 - Path takes no bytes
        file.write(b"kind: [")
    [problem] = problems_of(tmp_path)
    assert problem.startswith("\\xff\\n.yaml:")


def test_the_digest_changes_with_every_byte_and_every_name(tmp_path: Path) -> None:
    """Equal directories have equal digests; a comment or a new name gives another."""
    (tmp_path / "site.yaml").write_text(SITE)
    first = load.load(tmp_path).digest
    assert load.load(tmp_path).digest == first
    (tmp_path / "site.yaml").write_text(SITE + "# a remark\n")
    second = load.load(tmp_path).digest
    (tmp_path / "site.yaml").rename(tmp_path / "seoul.yaml")
    assert len({first, second, load.load(tmp_path).digest}) == 3
