"""``docs/configuration.md``, made from the models: every kind, field, type and default.

``python -m lockstep.topology.reference`` prints it.
"""

from __future__ import annotations

import enum
import sys
import typing
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo

from lockstep.topology import amounts, examples, fields, kinds, scalars

_NOTE = "<!-- Made by `python -m lockstep.topology.reference` from the models: change those, or its text. -->"

_BEGIN = """\
# Configuration

A configuration is a directory of YAML or JSON documents, usually a git repository that is mirrored like any
other. All `*.yaml`, `*.yml` and `*.json` files are read, those in folders too; files and folders whose name begins
with a dot are left out. How documents are spread over files does not matter. Tekton's `Pipeline` and `Task` stand
beside Lockstep's kinds as they are.

`lockstep validate DIR` checks all of it without touching a site, and names every problem at once:

```
sites.yaml:12: spec.git.direktory: is no field here. Did you mean directory?
pairs.yaml:4: spec.standby: there is no Site sejng. Did you mean sejong?
```

The service reads the directory again when a file changes. A configuration with a problem is never taken, not even
in part: the last good one stays in force, and the problems are shown. Replace files in one step (a rename, or a
link that is swapped, as git-sync and Kubernetes do), so that nobody reads half of an edit.

[`schema/lockstep.dev_v1alpha1.json`](schema/lockstep.dev_v1alpha1.json) is the same as a JSON Schema, for editors:

```yaml
# yaml-language-server: $schema=<path of the schema>
```

## How values are read

YAML means what it means to Kubernetes: `yes` and `on` are true, `0644` is 420, `1e3` is 1000; `1:30` and `2027-03-31`
are text. A key given twice, a document that expands without end and a number that JSON does not have are errors. A file
has at most 16 MiB, 500,000 values once its aliases are expanded, and 100 levels.

| Written as | Means |
|---|---|
| `10m`, `1h30m`, `7d` | a duration: whole numbers with w, d, h, m and s, in this order |
| `20Mbit`, `1Gbit` | a rate, in bits for each second |
| `512KiB`, `25MiB` | a size |
| `2`, `50%` | a number, or a share of the whole |
| `seoul`, `seoul-sejong` | a name: lower-case letters, digits and dashes, 63 at most |
| `bank/*`, `release/*` | a pattern: `*` for any text, `?` for one sign, `[ab]` for one of some |
| `../sites/seoul` | a path on this machine; a relative one starts at the configuration's directory |
| `Secret/*`, `StatefulSet/ledger`, `Rollout.argoproj.io/web` | Kubernetes objects: kind, group and name |
| `Ingress/shop /spec/rules/*/host` | a field of them: a JSON Pointer in which `*` is any one key or position |
| `ConfigMap/pay /data/app.yaml#/cors/origin` | a field inside a text that is YAML or JSON itself |
| `https://{host}/` | text with a value of the site; `{{` and `}}` are braces |

## Secrets

A secret is never written here, only where it is. Exactly one of:

| Field | Type | Meaning |
|---|---|---|
"""

_RULES = """
A relative `file` starts at the configuration's directory. It is read whenever it is used, so a rotation needs no
restart. Let Lockstep's user, and nobody else, read it. An empty secret is refused.

## What must hold between documents

Besides its own fields, every document is checked against the others:

- Two documents of one kind never have the same name, and every name that is referred to is there.
- Two pairs do not have the same sites in the same direction. The opposite direction is well: two sites may protect
  each other, for different applications. The pairs of one application do not form a circle, and a site is a standby
  of one tier for it.
- The primary of an application has a `cluster`. So has a standby of the tiers hot and active; a warm standby has an
  `archive` or a directory as its `cluster` (a Kubernetes API there gets the ground alone, and needs the archive
  beside it). A backup (`cluster.archive`) is enough to compare with, not to deploy to. A `git` end is not asked for:
  a site may be compared without being mirrored to, and preflight says what that costs.
- A mirror sends to sites that have the end for it, and not to where it reads from.
- Every application's repository is covered by a GitMirror, and a repository comes from one source. A mirror that
  names a repository exactly goes before one with a pattern.
- With `unmirrored: refuse`, every site of an application has a registry for its images, and an ImageMirror brings each
  of them there. (What the application's own pipeline builds is pushed to the primary, and needs a mirror from there.)
- No two ends are the same place, or one inside the other: they would be compared with themselves. No end is inside
  the configuration's directory, where what is written would be read as configuration.
- Overlays are for sites that the application is deployed to; none holds the application's path or is inside another's.
  Two applications do not put the same folder into the same namespace of a site.
- An expected difference is about applications and pairs that meet, its `perSite` values are given at every site that
  it is about, and only `onlyAt` speaks of whole objects.
- Two expected differences do not give two answers about one field of an application over a pair, and none needs values
  at both sites where another one says that the field is at one of them only.
- Tasks that a Pipeline refers to are in the configuration; custom tasks (with an `apiVersion` of their own) are not
  looked for.

Images that manifests name and `images` does not are known only when the manifests are rendered: the deploy looks then.

Every document has `apiVersion: lockstep.dev/v1alpha1`, its `kind`, `metadata` and `spec`:

| Field | Type | Default | Meaning |
|---|---|---|---|
"""

_TEKTON = """\

## Pipeline and Task

Tekton's kinds (`tekton.dev/v1`, also `v1beta1`), as they are. A task refers to a Task of the configuration by name, or
to a custom task by `apiVersion` and `kind`.
"""

_WORDS = (
    (amounts.Duration, "duration"),
    (amounts.Interval, "duration, at least `1s`"),
    (amounts.Rate, "rate"),
    (amounts.Size, "size"),
    (amounts.Share, "number or share"),
    (amounts.Bound, "number or percentage"),
    (scalars.Text, "text"),
    (scalars.Name, "name"),
    (scalars.Names, "list of names"),
    (scalars.ObjectName, "name of an object"),
    (scalars.ValueName, "name"),
    (scalars.EnvironmentVariable, "name of a variable"),
    (scalars.SecretKey, "key"),
    (scalars.HeaderName, "name of a header"),
    (scalars.GitRepository, "repository"),
    (scalars.GitGlob, "repository or pattern"),
    (scalars.GitUrl, "URL"),
    (scalars.Branch, "branch"),
    (scalars.RefGlob, "branch, tag or pattern"),
    (scalars.HttpUrl, "URL"),
    (scalars.LocalPath, "path"),
    (scalars.RelativePath, "path in the repository"),
    (scalars.ImagePrefix, "begin of image names"),
    (scalars.ImageRepository, "image"),
    (scalars.ImageName, "image with its registry"),
    (scalars.ImageGlob, "image or pattern"),
    (scalars.TagGlob, "tag or pattern"),
    (scalars.Network, "network"),
    (scalars.ParamName, "name"),
    (scalars.ParamValue, "text, list or table of text"),
    (scalars.Objects, "objects"),
    (scalars.OneObject, "object"),
    (scalars.ObjectSelector, "objects or fields"),
    (scalars.FieldSelector, "field"),
    (scalars.Template, "text with `{name}`"),
    (scalars.Regex, "regular expression"),
    (scalars.FloorKey, "`default` or objects"),
)
_PLAIN = {str: "text", bool: "true or false", int: "number", date: "date"}


def text() -> str:
    """The reference, in Markdown."""
    parts = [f"{_NOTE}\n\n{_BEGIN}", *(f"| `{path}` | {kind} | {about} |\n" for path, kind, _, about in _secret())]
    parts += [_RULES, *_rows(kinds.Metadata, "metadata")]
    for kind, model in kinds.KINDS.items():
        spec = typing.get_type_hints(model)["spec"]
        parts += [f"\n## {kind}\n\n{_said(model.__doc__)}{_exactly_one(spec)}\n\n", *_examples(kind)]
        parts += ["| Field | Type | Default | Meaning |\n|---|---|---|---|\n", *_rows(spec, "spec")]
    parts += [_TEKTON, "\n", *_examples("Pipeline"), *_examples("Task")]
    return "".join(parts).rstrip("\n") + "\n"


def _examples(kind: str) -> Iterator[str]:
    for example in examples.EXAMPLES[kind]:
        yield f"```yaml\n{example}```\n\n"


_Row = tuple[str, str, str, str]


def _rows(model: type[kinds.Model], at: str) -> Iterator[str]:
    for row in _fields(model, at):
        yield f"| `{row[0]}` | {row[1]} | {row[2]} | {row[3]} |\n"


def _secret() -> Iterator[_Row]:
    yield from _fields(kinds.SecretRef, "")


def _fields(model: type[kinds.Model], at: str) -> Iterator[_Row]:
    """Path, type, default and description of a model's fields, and of those inside them."""
    hints = typing.get_type_hints(model, include_extras=True)
    hidden = kinds.SecretRef.model_fields if issubclass(model, kinds.SecretRef) and at else {}
    for name, info in model.model_fields.items():
        if name in hidden:
            continue  # a reference to a secret is told once, in its own section
        path = ".".join(part for part in (at, info.alias or name) if part)
        nested = fields.model_in(info.annotation)
        yield path, _type(hints[name]), _default(info), f"{_said(info.description)}{_exactly_one(nested)}"
        if nested is not None:
            yield from _fields(nested, path + _entry(hints[name]))


def _exactly_one(model: type[kinds.Model] | None) -> str:
    """That a model wants exactly one of some fields; nothing for a secret, which is told once."""
    if model is None or not model.EXACTLY_ONE or issubclass(model, kinds.SecretRef):
        return ""
    return f" Exactly one of {', '.join(f'`{to_camel(name)}`' for name in model.EXACTLY_ONE)}."


def _entry(hint: Any) -> str:
    """How the path goes on into an entry: ``[]`` in a list, ``.<name>`` in a table."""
    origin = typing.get_origin(fields.plain(hint))
    return {tuple: "[]", dict: ".*"}.get(origin, "") if origin else ""


def _type(hint: Any) -> str:
    """A type in words."""
    hint = fields.without_none(hint)
    for kind, word in _WORDS:
        if hint == kind:
            return word
    plain = fields.plain(hint)
    arguments = typing.get_args(plain)
    if typing.get_origin(plain) is tuple:
        return f"list: {_type(arguments[0])}"
    if typing.get_origin(plain) is dict:
        return f"table: {_type(arguments[1])} by {_type(arguments[0])}"
    if typing.get_origin(plain) is typing.Literal:
        return _choice(arguments)
    return _class(plain)


def _class(plain: type) -> str:
    if issubclass(plain, enum.Enum):
        return _choice(tuple(member.value for member in plain))
    if issubclass(plain, kinds.Model):
        return "[secret](#secrets)" if issubclass(plain, kinds.SecretRef) else "table"
    return _PLAIN[plain]


def _choice(words: tuple[str, ...]) -> str:
    return " · ".join(f"`{word}`" for word in words)


def _default(info: FieldInfo) -> str:
    """A default as people would write it; nothing where there is none to speak of."""
    value = info.default
    if info.is_required():
        return "required"
    if isinstance(value, kinds.Model) or value in (None, (), {}, ""):
        return ""
    if isinstance(value, timedelta):
        return f"`{amounts.format_duration(value)}`"
    if isinstance(value, tuple):
        return f"`[{', '.join(map(str, value))}]`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _said(text: str | None) -> str:
    """A docstring as one line of Markdown."""
    return " ".join((text or "").replace("``", "`").replace("|", "\\|").split())


if __name__ == "__main__":
    sys.stdout.write(text())
