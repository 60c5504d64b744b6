# Every target sets up what it needs first: `make demo` and `make test` are all that a new machine has to run.
.DEFAULT_GOAL := help
SHELL := /bin/bash
VENV := .venv
PY := $(VENV)/bin/python
PORT ?= 0
TESTS ?= tests

.PHONY: help setup demo screenshots index test lint bench soak fuzz lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## make .venv (Python 3.13) and node_modules; quick when nothing changed
	@./local/setup.sh

demo: setup ## run the whole product on this machine over a sample log (SERVE=1 [PORT=7071] stays up)
	@exec $(PY) -m local demo $(if $(SERVE),--serve) $(if $(filter-out 0,$(PORT)),--port $(PORT))

screenshots: setup ## take the README's pictures of the page anew (needs chromium)
	@$(PY) -m local.stage.screenshots

index: setup ## write functions/index.json anew, after a function or its bindings changed
	@$(PY) -m functions.parts

test: setup ## run every test (TESTS=path for some)
	@$(PY) -m pytest -n auto --dist worksteal -q $(TESTS)

lint: setup ## ruff, the layers of imports, mypy strict
	@$(PY) -m ruff check . && $(PY) -m ruff format --check . && $(VENV)/bin/lint-imports --no-logo && $(PY) -m mypy

bench: setup ## compare with named peers; writes bench.json
	@$(PY) -m local bench

soak: setup ## the long fault runs
	@$(PY) -m pytest -q -m soak tests

fuzz: setup ## hostile input to the token check for a minute (FUZZ="--seconds 600")
	@$(PY) -m local.benches.fuzz_token $(FUZZ)

lock: ## rebuild both lock files from pyproject.toml
	@$(PY) -m pip install -q --disable-pip-version-check 'pip-tools>=7.6'
	@$(PY) -m piptools compile -q --strip-extras --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-annotate --no-header --generate-hashes -o requirements.txt pyproject.toml
	@$(PY) -m piptools compile -q --strip-extras --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-annotate --no-header --extra dev -c requirements.txt -o requirements-dev.txt pyproject.toml

clean: ## remove what setup made
	rm -rf $(VENV) node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis
