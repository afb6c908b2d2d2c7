# Works on a fresh clone with Python (3.11 or newer) and make: the first verb makes .venv.

PYTHON ?= python3
BIN := .venv/bin
DIR ?= demo-shop

help: ## what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

# pip leaves bytecode out where PYTHONDONTWRITEBYTECODE is set, and every start would compile everything again.
.venv/ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "ethogram needs Python 3.11 or newer: make PYTHON=python3.12"; exit 1; }
	@test -x $(BIN)/python || { echo "making .venv (once, about a minute)"; $(PYTHON) -m venv .venv; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@$(BIN)/python -m compileall -q -j 0 .venv/lib src >/dev/null 2>&1 || true
	@touch $@

demo: .venv/ready ## a simulated shop and a real one in segments (DIR=demo-shop)
	@$(BIN)/ethogram demo $(DIR)

test: .venv/ready ## all tests but the slow ones
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow"

test-all: .venv/ready ## the slow tests too
	$(BIN)/python -m pytest -m ''

check: .venv/ready ## format, lint, types, floors
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/ready ## the benchmarks, as ratios
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev,benchmark]'
	$(BIN)/ethogram bench

format: .venv/ready ## write the code in the one format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: .venv/ready ## write the output of the commands in README.md anew, and its picture
	rm -rf build/demo-shop
	$(BIN)/ethogram demo build/demo-shop >/dev/null
	$(BIN)/python scripts/run_docs.py README.md build/demo-shop
	$(BIN)/python scripts/make_picture.py build/demo-shop
	@command -v chromium >/dev/null && $(BIN)/python scripts/make_report_pictures.py build/demo-shop || true

clean: ## forget everything that can be made again
	rm -rf .venv $(DIR) .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist

.PHONY: help demo test test-all check bench format docs clean
