# Everything a newcomer needs: `make demo` runs the product, `make test` proves it.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet

# Some containers forbid Python to keep what it compiled: each command would compile hundreds of modules again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup setup-dev demo serve check test bench image docs messages lock clean

help:               ## Say what there is
	@grep -hE '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 20

setup: $(VENV)/runtime.stamp    ## Make the virtual environment with what running needs

setup-dev: $(VENV)/dev.stamp    ## ... and with what developing needs

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Lockstep needs Python 3.11 or later: make PYTHON=python3.12 ..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/runtime.stamp: requirements/runtime.txt requirements/build.txt pyproject.toml | $(BIN)/python
	@echo "Installing what running needs into $(VENV); this takes about a minute, once"
	$(PIP) install --require-hashes -r requirements/build.txt -r requirements/runtime.txt
	$(PIP) install --no-build-isolation --no-deps --editable .
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt $(VENV)/runtime.stamp
	@echo "Installing what developing needs"
	$(PIP) install --require-hashes -r requirements/dev.txt
	@touch $@

demo: setup         ## Three sites, a forge and an application on this machine; keeps running
	$(BIN)/lockstep demo --directory demo

serve: setup        ## The service, with the configuration in CONFIG, at LISTEN when that is given
	$(BIN)/lockstep --config $(or $(CONFIG),.) serve $(if $(LISTEN),--listen $(LISTEN))

check: setup-dev    ## Style, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

test: setup-dev check    ## Install what the tests need (as root on Debian), run them all in WORKERS processes (2)
	tests/install-tools.sh
	$(BIN)/python -m pytest --numprocesses $(or $(WORKERS),2) --dist loadfile $(PYTEST_ARGS)

bench: setup-dev    ## Speed beside the peers, as ratios
	$(BIN)/python -m benchmarks

image:              ## The container image, with docker, podman or buildah
	deploy/build-image.sh

docs: setup         ## Make the documentation that is made from the code again
	$(BIN)/python -m lockstep.topology.schema > docs/schema/lockstep.dev_v1alpha1.json
	$(BIN)/python -m lockstep.topology.reference > docs/configuration.md
	$(BIN)/python -m lockstep.sites.cluster.rights reader > deploy/kubernetes/reader.yaml
	$(BIN)/python -m lockstep.sites.cluster.rights deployer > deploy/kubernetes/deployer.yaml

messages:           ## Write new sentences of the pages into the catalogues, to be translated
	$(BIN)/python -m tests.console.catalogues

lock:               ## Pin the dependencies again (needs uv)
	uv pip compile -q pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-header --no-annotate -o requirements/runtime.txt
	uv pip compile -q pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header --no-annotate -c requirements/runtime.txt -o requirements/dev.txt

clean:              ## Remove what was made here
	rm -rf $(VENV) demo dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
