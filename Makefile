# What people and CI type. `make` alone explains.

export PARKWATT_HOME ?= $(CURDIR)/.parkwatt
# where it is set, each program and each test process would compile the house anew
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
BIN := $(VENV)/bin
ROOMS := parkwatt store ingest analytics api dashboards simulators
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input

.DEFAULT_GOAL := help
.PHONY: help venv demo test check bench crash fuzz tools lock clean
MAKEFLAGS += --no-print-directory

help:
	@echo 'make demo    everything on this machine: database, broker, a real plant, the live page'
	@echo '             (make demo ARGS=--once prints the figures as JSON and ends)'
	@echo 'make test    the whole test suite on real servers (ARGS are passed to pytest; -n 0: one process)'
	@echo 'make check   format, lint, types, import contracts, spelling, docs in step'
	@echo 'make bench   speed, as JSON lines'
	@echo 'make fuzz    odd bytes for the native and the Sparkplug parser, 10 minutes each (ARGS="--seconds 60")'
	@echo 'make crash   kill each part while readings travel; what was sent must be stored'
	@echo '             (make crash ARGS="--points 2 --fault ingest")'
	@echo 'make venv    only the environment, in $(VENV)'
	@echo 'make tools   what the tests need from apt: Mosquitto, Chromium, fonts'
	@echo 'make lock    renew requirements/*.txt from pyproject.toml'
	@echo 'make clean   remove environment and caches; the data in PARKWATT_HOME stay'

venv: $(VENV)/.ready

# only names, versions and hashes from the lock; standard output stays free for figures
$(VENV)/.ready: pyproject.toml requirements/runtime.txt deploy/make-venv.sh
	@deploy/make-venv.sh $(VENV) >&2
	@echo 'installing what Parkwatt needs' >&2
	@$(PIP) install --require-hashes -r requirements/runtime.txt >&2
	@$(PIP) install --no-deps --no-build-isolation -e . >&2
	@touch $@

$(VENV)/.ready-dev: $(VENV)/.ready requirements/dev.txt
	@echo 'installing what the tests need' >&2
	@$(PIP) install --require-hashes -r requirements/dev.txt >&2
	@touch $@

demo: $(VENV)/.ready
	@$(BIN)/parkwatt demo $(ARGS)

test: $(VENV)/.ready-dev tools
	@$(BIN)/pytest -n 2 --dist worksteal $(ARGS)

check: $(VENV)/.ready-dev
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/codespell $(wildcard README.md) docs deploy $(ROOMS)
	@$(if $(wildcard tests/docs),$(BIN)/pytest -q tests/docs)

bench: $(VENV)/.ready-dev tools
	@env -u PYTHONPATH $(BIN)/python -m tests.bench.run $(ARGS)

fuzz: $(VENV)/.ready-dev
	@env -u PYTHONPATH $(BIN)/python tests/fuzz/run.py $(ARGS)

crash: $(VENV)/.ready-dev tools
	@env -u PYTHONPATH $(BIN)/python -m tests.crash.run $(ARGS)

tools:
	@deploy/install-test-tools.sh >&2

COMPILE = env CUSTOM_COMPILE_COMMAND='make lock' $(VENV)/lock/bin/pip-compile --quiet \
	--upgrade --generate-hashes --strip-extras --allow-unsafe --no-header \
	--annotation-style=line --build-deps-for=editable --extra local

lock: $(VENV)/.ready
	@$(BIN)/python -m venv $(VENV)/lock
	@$(VENV)/lock/bin/pip install --quiet 'pip-tools>=7.6'
	@$(COMPILE) -o requirements/runtime.txt pyproject.toml
	@$(COMPILE) --extra grafana --extra simulate --extra dev -c requirements/runtime.txt \
		-o requirements/dev.txt pyproject.toml
	@sed -i '/^--/d; /^$$/d' requirements/runtime.txt requirements/dev.txt  # names, versions, hashes alone

clean:
	@rm -rf $(VENV) build dist *.egg-info .coverage .*_cache .hypothesis
	@find $(ROOMS) tests -name __pycache__ -prune -exec rm -rf {} +
