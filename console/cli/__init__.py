"""The command line: what a person or a script asks, and exit codes that mean something.

Each module here adds the commands of one noun. Results go to stdout, everything else to stderr. 64 is a usage
error and 70 an unexpected one; 0, 1 and 2 mean what each command says they mean, and nothing else ends with
them.
"""

from console.cli.main import main

__all__ = ["main"]
