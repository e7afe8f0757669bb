"""``python -m benchmarks [NAME...]``: run the benchmarks of these names, or all of them."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import benchmarks


def main(names: list[str]) -> int:
    """Run them one after another; each module has a ``run`` that prints its table."""
    known = [module.name for module in pkgutil.iter_modules(benchmarks.__path__) if not module.name.startswith("_")]
    for name in names or known:
        if name not in known:
            print(f"There is no benchmark {name!r}. There are: {', '.join(known)}.")
            return 64
        print(f"== {name}")
        importlib.import_module(f"benchmarks.{name}").run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
