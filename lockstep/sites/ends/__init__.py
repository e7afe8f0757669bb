"""What the rest of the house may ask of a site's ends.

Three protocols, owned by their callers. An on-disk twin and a server answer the same questions with the same
errors: ``UnreachableError`` when the end did not answer, ``ForbiddenError`` when we may not,
``UnsupportedError`` when this kind of end cannot. "Not there" is a value (``None``, ``False``), not an error.
"""

from lockstep.sites.ends.clusters import (
    EVERYTHING,
    MOMENTS,
    Applied,
    Change,
    Cluster,
    Countable,
    Counted,
    Gap,
    Guarded,
    Inventory,
    Kinds,
    Selection,
    Serving,
    Watch,
    Watched,
    keys_of,
)
from lockstep.sites.ends.git import (
    Advertised,
    Commit,
    GitCache,
    GitHistory,
    GitRemote,
    LargeFile,
    LargeFiles,
    LargeStock,
    PushOutcome,
    PushResult,
    RefUpdate,
    Submodule,
)
from lockstep.sites.ends.images import (
    Descriptor,
    ImageStore,
    Manifest,
)

__all__ = [
    "EVERYTHING",
    "MOMENTS",
    "Advertised",
    "Applied",
    "Change",
    "Cluster",
    "Commit",
    "Countable",
    "Counted",
    "Descriptor",
    "Gap",
    "GitCache",
    "GitHistory",
    "GitRemote",
    "Guarded",
    "ImageStore",
    "Inventory",
    "Kinds",
    "LargeFile",
    "LargeFiles",
    "LargeStock",
    "Manifest",
    "PushOutcome",
    "PushResult",
    "RefUpdate",
    "Selection",
    "Serving",
    "Submodule",
    "Watch",
    "Watched",
    "keys_of",
]
