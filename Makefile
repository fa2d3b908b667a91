# `make run` sets Listkeeper up and starts it, `make test` checks it. Both install what they need into .venv and need
# nothing but make, git and Python 3.11 or newer. `make help` lists the rest.

VENV := .venv
PY := $(VENV)/bin/python

# The first Python that is new enough. Another one: PYTHON=/path/to/python make run
PYTHON ?= $(shell for each in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$each -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$each && break; done)

# Where the suite runs a second time if somebody answers there; the database is made and dropped by the tests.
TEST_DATABASE_URL ?= postgres://postgres@127.0.0.1:5432/listkeeper
TEST_REDIS_URL ?= redis://127.0.0.1:6379/15
# Checks and tests leave ./data and the database of the environment alone: they may hold somebody's lists.
CHECK := LISTKEEPER_DATA=$(CURDIR)/$(VENV)/check-data DATABASE_URL= REDIS_URL=

# A script of bench/, what it is told, and beside which database it makes one of its own ("<name>_bench"): one that is named
# on the command line and never that of the environment. Without it a fresh SQLite file.
MEASURE ?= import_file
BENCH ?=
BENCH_DATABASE_URL := $(if $(filter command line,$(origin DATABASE_URL)),$(DATABASE_URL))

.DEFAULT_GOAL := help
.PHONY: help run test test-sqlite test-postgres test-long lint format bench lock clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' Makefile

run: $(VENV)/runtime ## set up and start Listkeeper; Ctrl-C stops it
	@exec $(PY) manage.py up

test: lint test-sqlite ## all checks, then the tests on SQLite and, where they answer, PostgreSQL and Redis
	@if $(PY) -m tests.services $(TEST_DATABASE_URL) $(TEST_REDIS_URL); then $(MAKE) --no-print-directory test-postgres; fi

test-sqlite: $(VENV)/development ## the tests on SQLite
	$(CHECK) $(PY) -m pytest -n auto --dist worksteal $(PYTEST)

test-postgres: $(VENV)/development ## the tests on PostgreSQL and Redis
	$(CHECK) DATABASE_URL=$(TEST_DATABASE_URL) REDIS_URL=$(TEST_REDIS_URL) $(PY) -m pytest -n auto --dist worksteal $(PYTEST)

test-long: export LISTKEEPER_LONG_TESTS = 1
test-long: test ## all checks, then the tests as test runs them, the long ones at full length

lint: $(VENV)/development ## style, types, missing migrations, settings
	$(PY) -m ruff check
	$(PY) -m ruff format --check
	$(CHECK) $(PY) -m mypy
	$(CHECK) $(PY) manage.py makemigrations --check --dry-run
	$(CHECK) $(PY) manage.py check --deploy --fail-level WARNING
	$(CHECK) LISTKEEPER_HTTPS=yes $(PY) manage.py check --deploy --fail-level WARNING

format: $(VENV)/development ## put the code into the house's format
	$(PY) -m ruff check --fix
	$(PY) -m ruff format

bench: $(VENV)/development ## measure what an import costs; MEASURE=engine: a sync against its bars
	$(CHECK) DATABASE_URL=$(BENCH_DATABASE_URL) $(PY) -m bench.$(MEASURE) $(BENCH)

lock: ## renew the locks from pyproject.toml (maintainers; needs uv)
	uv pip compile $(LOCK) pyproject.toml --extra scale -o requirements.txt
	uv pip compile $(LOCK) pyproject.toml --extra scale --group dev -c requirements.txt -o requirements-dev.txt

# No --emit-index-url and no header: a lock names what to install, not where a maintainer got it.
LOCK := --quiet --universal --generate-hashes --no-header --upgrade

clean: ## remove the virtual environment and caches; ./data stays
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(PY):
	@[ -n "$(PYTHON)" ] || { echo "Listkeeper needs Python 3.11 or newer, and none was found." \
		"Install it (Debian, Ubuntu: apt-get install python3 python3-venv), then run make again." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) lacks its venv module." \
		"Install it (Debian, Ubuntu: apt-get install python3-venv), then run make again." >&2; exit 1; }
	@mkdir -p $(VENV) 2>/dev/null && [ -w $(VENV) ] || { echo "$(VENV) cannot be made here: the folder $(CURDIR) is" \
		"not writable. Move Listkeeper to a folder of yours, then run make again." >&2; exit 1; }
	@echo "Making a virtual environment in $(VENV)"
	@$(PYTHON) -m venv --clear $(VENV)

# Each stamp is a copy of the lock that was installed; a lock that changed is newer than its copy.
$(VENV)/runtime: requirements.txt $(PY)
	$(call install,requirements.txt)

$(VENV)/development: requirements-dev.txt $(PY)
	$(call install,requirements-dev.txt)

define install
@echo "Installing the packages of $(1) into $(VENV)"
@$(PY) -m pip install -qq --disable-pip-version-check --require-hashes -r $(1) || { echo "The packages could" \
	"not be installed; the lines above say why. Run make again to go on, or make clean first to start anew." >&2; exit 1; }
@cp $(1) $@
endef
