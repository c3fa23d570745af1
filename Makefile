# make run    start the app on localhost (PORT=8501)
# make test   lint, and all tests but the slow ones
# make slow   the slow tests
# make clean  remove what the others made, but no weights
#
# Each makes .venv and installs what it needs; a second run finds that done.

PORT ?= 8501
VENV := .venv
BIN := $(VENV)/bin
# The first Python that starts; PYTHON=... names another.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do $$p -c '' 2>/dev/null && { echo $$p; break; }; done)

.PHONY: run test lint slow clean
.DELETE_ON_ERROR:

run: $(VENV)/.run-ready
	$(BIN)/python -m streamlit run app.py --server.address=localhost --server.port=$(PORT) \
		--server.showEmailPrompt=false --browser.gatherUsageStats=false

test: lint
	$(BIN)/python -m pytest -m "not slow" -n auto --maxprocesses=4 --dist=loadfile

lint: $(VENV)/.test-ready
	$(BIN)/ruff check .

slow: $(VENV)/.test-ready
	$(BIN)/python -m pytest -m slow

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
		{ echo "Melascope needs Python 3.11, 3.12 or 3.13: install one, or name it: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || \
		{ echo "$(PYTHON) cannot make virtual environments: install its venv package (Debian, Ubuntu: apt-get install python3-venv)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.run-ready: requirements.txt | $(VENV)/.made
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.test-ready: requirements-test.txt requirements.txt requirements-dicom.txt | $(VENV)/.made
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-test.txt
	@touch $@ $(VENV)/.run-ready

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
