"""YAML and JSON documents, read as Kubernetes reads them, with the place of every value.

A scalar means what ``sigs.k8s.io/yaml`` makes of it, because that is what ``kubectl`` and the API server see:
``yes`` is true, ``0644`` is 420, ``1e3`` is 1000, while ``1:30`` and ``2026-11-22`` stay text. What that reader
lets pass in silence is an error here: a key given twice, a document that expands without end, a number that
JSON does not have. A key has at most 1024 characters as it is written, in JSON too: YAML's own bound.
"""

from lockstep.documents.memory import Memory
from lockstep.documents.packing import pack
from lockstep.documents.reader import Document, Limits, Path, read
from lockstep.documents.writer import canonical, dump, dump_all

__all__ = ["Document", "Limits", "Memory", "Path", "canonical", "dump", "dump_all", "pack", "read"]
