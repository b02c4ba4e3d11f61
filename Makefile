# Two commands matter: `make run` and `make test`. Each does its whole set-up from a fresh clone.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
CONFIG ?=

.PHONY: setup run push test check format bench matrix hosts-table lock clean

setup: $(READY)

$(READY): requirements.lock requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Switchover needs Python 3.11 or newer: make PYTHON=python3.x")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the locked packages into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock -r requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(READY)

# Embedded store, receiver, worker, sandbox and a sample application; or your own: make run CONFIG=my.yaml
run:
	@start=$$(date +%s); $(MAKE) --no-print-directory setup && \
	  export SWITCHOVER_INSTALL_SECONDS=$$(( $$(date +%s) - start )) && \
	  if [ -n "$(CONFIG)" ]; then exec $(BIN)/switchover --config "$(CONFIG)" up; \
	  else exec $(BIN)/python -P -m sandbox.demo run; fi

# Commit a change to the sample that `make run` serves, push it, and send the signed webhook.
push: setup
	@$(BIN)/python -P -m sandbox.demo push

test: setup
	@$(BIN)/python -P -m pytest -q -n 4 --dist loadgroup -m "not matrix and not load and not processes"
	@$(BIN)/python -P -m pytest -q -n 3 --dist loadgroup -m "processes and not matrix" tests/chaos
	@$(BIN)/python -P -m pytest -q -m "load and not matrix" tests/e2e tests/unit/sandbox

check: setup
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: setup
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: setup
	@$(BIN)/python -P -m tests.bench

matrix: setup
	@SWITCHOVER_THOROUGH=1 $(BIN)/python -P -m pytest -q -n 2 --dist loadgroup tests/chaos

# Write the README's table of Git hosts anew, from the drivers.
hosts-table: setup
	@$(BIN)/python -P -m tests.hosts_table

# Renew the locks (hashes, no addresses). Needs `uv` on the PATH.
lock:
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" --quiet -o requirements.lock
	uv pip compile --group dev --universal --python-version 3.11 -c requirements.lock --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" --quiet -o requirements-dev.lock

clean:
	rm -rf $(VENV) var dist build
