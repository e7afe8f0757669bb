"""The product working, on one machine, with nothing pretended.

The demo makes three sites on disk, a forge and an application, starts the service and then does what people
do: it uses git, HTTP, the ``lockstep`` command and files in the sites' directories, and nothing else of this
project (import-linter holds it). What it shows is therefore what anybody would see.
"""
