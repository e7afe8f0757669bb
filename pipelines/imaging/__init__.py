"""Builds an image without a daemon: a directory of files, as one layer, on a base or on nothing.

It receives a directory, what the image shall run, and a base by its digest; it hands on the digest of what it
wrote into an image store. The same input gives the same digest. It runs nothing, follows no link out of the
directory, and takes no device, socket or pipe.
"""

from pipelines.imaging.base import Base
from pipelines.imaging.build import Built, Directory, build
from pipelines.imaging.recipe import Recipe

__all__ = ["Base", "Built", "Directory", "Recipe", "build"]
