"""The door to git: remotes at any URL or on disk, and our own copy of each repository.

It receives configured addresses, credentials that are already read, and refs to fetch or push; it hands on
what a remote advertises, what became of each ref, and the content of commits. It runs the git command line
through GitPython, which nothing else imports. It follows no redirect, asks nobody for a password, runs no
hook, filter or helper of a repository that is not ours, and takes no URL from anywhere but the configuration.
"""

from lockstep.sites.git.access import Access, Patience
from lockstep.sites.git.cache import Cache
from lockstep.sites.git.identity import author
from lockstep.sites.git.opening import open_cache, open_remote
from lockstep.sites.git.remote import Remote

__all__ = ["Access", "Cache", "Patience", "Remote", "author", "open_cache", "open_remote"]
