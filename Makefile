# Plain commands for each target stand in README.md.
PYTHON ?= python3
PIP_VERSION := 26.3
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check

.PHONY: setup run test test-all check fix types bench bench-quick clean
.DEFAULT_GOAL := run

# Everything for work on the code; `make run` alone needs less.
setup: .venv/dev-installed

run: .venv/run-installed
	@exec $(BIN)/python -m launcher up $(ARGS)

test: .venv/dev-installed
	bash tests/prepare.sh
	$(BIN)/python -m pytest -n 2 $(ARGS)

# What `make test` leaves out too: tests/conftest.py says what that is.
test-all: .venv/dev-installed
	bash tests/prepare.sh
	$(BIN)/python -m pytest -n 2 --everything $(ARGS)

check: .venv/dev-installed
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: .venv/dev-installed
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# The frontend's types of the API's answers; after a change of those.
types: .venv/dev-installed
	$(BIN)/python -m tests.support.api_types

bench: .venv/dev-installed .venv-peers/installed
	bash tests/prepare.sh
	$(BIN)/python -m benchmarks $(ARGS)

bench-quick: .venv/dev-installed
	bash tests/prepare.sh
	$(BIN)/python -m benchmarks.quick $(ARGS)

clean:
	rm -rf .venv .venv-peers .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

# A stamp each, so that a second `make` starts at once; renewed when the pins change.
.venv/pip-installed:
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; (3, 11) <= v < (3, 15) or sys.exit("Python %d.%d: the packages that Lossboard needs exist for Python 3.11 to 3.14; name one of those: make PYTHON=python3.13" % v)'
	$(PYTHON) -m venv .venv
	$(INSTALL) "pip==$(PIP_VERSION)"
	@touch $@

.venv/run-installed: .venv/pip-installed pyproject.toml constraints.txt
	@echo "installing what Lossboard runs on; the first time takes some minutes"
	$(INSTALL) -c constraints.txt --group run
	@touch $@

.venv/dev-installed: .venv/pip-installed pyproject.toml constraints.txt
	@echo "installing what Lossboard is developed with; the first time takes some minutes"
	$(INSTALL) -c constraints.txt --group dev
	@touch $@ .venv/run-installed

# What the benchmarks measure beside ours, apart from what Lossboard runs on. Where it cannot be
# installed they run without it, their tables say so, and the next `make bench` tries again.
.venv-peers/installed: benchmarks/peers/requirements.txt
	@echo "installing the benchmarks' peers (2.2 GB); a minute or more"
	$(PYTHON) -m venv .venv-peers
	@.venv-peers/bin/python -m pip install --disable-pip-version-check -r $< && touch $@ || echo "the peers are not installed"
