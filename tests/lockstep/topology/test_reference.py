"""The documentation of the configuration is made from the code, and true."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockstep import documents
from lockstep.topology import examples, fields, kinds, load, reference
from lockstep.values import Health, Stance, Tier, Verdict

DOCS = Path(__file__).parents[3] / "docs"


def test_the_reference_is_current() -> None:
    """Whoever changes a model runs ``make docs``."""
    assert (DOCS / "configuration.md").read_text() == reference.text()


def test_the_examples_of_the_reference_are_one_sound_configuration(tmp_path: Path) -> None:
    """What a reader copies together loads, and leaves no kind out."""
    for kind, texts in examples.EXAMPLES.items():
        for number, text in enumerate(texts):
            (tmp_path / f"{kind}-{number}.yaml").write_text(text)
    topology = load.load(tmp_path)
    assert set(examples.EXAMPLES) == {*kinds.KINDS, *kinds.TEKTON_KINDS}
    assert topology.application("pay").spec.protection["seoul-sejong"].tier is Tier.HOT


@pytest.mark.parametrize("kind", kinds.KINDS)
def test_every_example_comes_back_as_it_was_written(kind: str) -> None:
    """A model that is written as JSON and read again is the same model."""
    for text in examples.EXAMPLES[kind]:
        for document in documents.read(text.encode(), file=kind):
            model = kinds.KINDS[kind].model_validate_json(documents.canonical(document.value))
            written = model.model_dump_json(by_alias=True, exclude_unset=True)
            assert kinds.KINDS[kind].model_validate_json(written) == model


@pytest.mark.parametrize("kind", kinds.KINDS)
def test_every_field_of_every_kind_is_in_the_reference(kind: str) -> None:
    """No field can be added without a line about it."""
    _, _, section = reference.text().partition(f"\n## {kind}\n")
    section = section.partition("\n## ")[0]
    spec = fields.model_at(kinds.KINDS[kind], ("spec",))
    assert spec is not None
    for field in fields.named(spec):
        assert f"| `spec.{field}` |" in section


def test_the_vocabulary_knows_every_word_that_is_shown() -> None:
    """Kinds, tiers and stances, and the verdicts that are not plain English, are explained."""
    vocabulary = (DOCS / "vocabulary.md").read_text().lower()
    words = [kind for kind in kinds.KINDS if kind not in ("ExpectedDifference", "Webhook", "Notification")]
    words += ["expected difference", "webhook", "health"]
    words += [member.value for member in (*Tier, *Stance, Verdict.UNKNOWN, Verdict.DECLARED, Verdict.DISPERSED)]
    assert [word for word in words if word.lower() not in vocabulary] == []
    assert Health.UNKNOWN.value.lower() in vocabulary
