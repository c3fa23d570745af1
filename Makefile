# `make` alone says what can be made. Each target makes .venv and installs what it needs; a second run finds that done.

PORT ?= 8501
VENV := .venv
BIN := $(VENV)/bin
# The first Python that starts; PYTHON=... names another.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do $$p -c '' 2>/dev/null && { echo $$p; break; }; done)

# Compiled once, not by each of the processes that the tests start: some images switch that off, which costs every start seconds.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help run class test lint types docs slow clean
.DELETE_ON_ERROR:

help: ## say what can be made
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /make \1|/' | awk -F'|' '{ printf "  %-12s %s\n", $$1, $$2 }'

run: $(VENV)/.run-ready ## start the app on localhost (another port: make run PORT=8600)
	$(BIN)/python -m streamlit run app.py --server.address=localhost --server.port=$(PORT) \
		--server.showEmailPrompt=false --browser.gatherUsageStats=false

class: $(VENV)/.run-ready ## start a class on the network of the lecture hall (another port: make class PORT=8600)
	$(BIN)/python -m core class --port $(PORT)

test: lint types ## lint, check the types, and run all tests but the slow ones
	$(BIN)/python -m pytest -m "not slow" -n auto --maxprocesses=4 --dist=loadfile --no-loadscope-reorder

lint: $(VENV)/.test-ready ## look for faults without running anything
	$(BIN)/ruff check .

types: $(VENV)/.test-ready ## find attributes, names and calls that cannot be
	$(BIN)/basedpyright --pythonpath $(BIN)/python

docs: $(VENV)/.test-ready ## build the documents into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	@echo "Open site/index.html"

slow: $(VENV)/.test-ready ## run the tests that take minutes
	$(BIN)/python -m pytest -m slow -n auto --maxprocesses=2

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
		{ echo "Melascope needs Python 3.11, 3.12 or 3.13: install one, or name it: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || \
		{ echo "$(PYTHON) cannot make virtual environments: install its venv package (Debian, Ubuntu: apt-get install python3-venv)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.run-ready: pyproject.toml | $(VENV)/.made
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/.test-ready: pyproject.toml | $(VENV)/.made
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[test]"
	@touch $@ $(VENV)/.run-ready

clean: ## remove what the others made, but no models
	rm -rf $(VENV) .pytest_cache .ruff_cache site
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
