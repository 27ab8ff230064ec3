# Every target sets itself up first: Python 3.11, make and git are all it needs.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
STATE ?= .local

.PHONY: demo test check format up down requirements clean

$(READY): requirements-dev.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)

demo: $(READY)
	@$(BIN)/python -m services.console.demo

test: $(READY)
	$(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

up: $(READY)
	@$(BIN)/dropmerge up --state $(STATE)

down: $(READY)
	@$(BIN)/dropmerge down --state $(STATE)

COMPILE = $(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
	--no-emit-index-url --no-emit-find-links --custom-compile-command 'make requirements'
requirements: $(READY)
	$(COMPILE) services/ingest/requirements.in -o services/ingest/requirements.txt
	$(COMPILE) services/merge/requirements.in -o services/merge/requirements.txt
	$(COMPILE) requirements-dev.in -o requirements-dev.txt
	$(COMPILE) requirements-checkov.in -o requirements-checkov.txt

clean:
	rm -rf $(VENV) .venv-checkov .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# Google Cloud: `make deploy-foundation PROJECT=… REGION=…`, then deploy-merge, then deploy-ingest. plan-… changes
# nothing but what holds the plan; YES=1 applies without asking. ALERT_EMAIL and RUNBOOK go with the foundation.
ROOTS := foundation ingest merge
define google
$(BIN)/python -m deploy.google $(1) $(2) --project "$(PROJECT)" --region "$(REGION)" \
	$(if $(YES),--yes) $(if $(ALERT_EMAIL),--alert-email "$(ALERT_EMAIL)") $(if $(RUNBOOK),--runbook "$(RUNBOOK)")
endef
.PHONY: check-terraform $(ROOTS:%=plan-%) $(ROOTS:%=deploy-%) $(ROOTS:%=destroy-%)

$(ROOTS:%=plan-%): plan-%: $(READY)
	@$(call google,plan,$*)

$(ROOTS:%=deploy-%): deploy-%: $(READY)
	@$(call google,deploy,$*)

$(ROOTS:%=destroy-%): destroy-%: $(READY)
	@$(call google,destroy,$*)

# Checkov brings half of another cloud's kit: an environment of its own.
CHECKOV := .venv-checkov
$(CHECKOV)/.ready: requirements-checkov.txt
	$(PYTHON) -m venv $(CHECKOV)
	$(CHECKOV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-checkov.txt
	@touch $@

check-terraform: $(CHECKOV)/.ready
	$(CHECKOV)/bin/checkov --directory deploy/google --framework terraform --compact --quiet --skip-download
	$(if $(shell command -v terraform),terraform fmt -check -recursive deploy/google,@echo "terraform is not installed: its own format check was not run")

MINUTES ?= 30
.PHONY: bench soak mutations
bench: $(READY)
	$(BIN)/python -m tests.bench

soak: $(READY)
	$(BIN)/python -m tests.soak --minutes $(MINUTES)

mutations: $(READY)
	$(BIN)/python -m tests.mutations
