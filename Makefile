# Every target sets itself up first: Python 3.11 or newer, make and git are all it needs. Another Python: PYTHON=….
PYTHON ?=
VENV := .venv
BIN := $(VENV)/bin
STATE ?= .local

.PHONY: demo test check format up down requirements pictures clean

# What running needs, and on top of it what checks and tests need.
SET_UP := @sh toolchain/set-up.sh
.PHONY: run-environment dev-environment checkov-environment
run-environment:
	$(SET_UP) run '$(PYTHON)'

dev-environment:
	$(SET_UP) dev '$(PYTHON)'

checkov-environment:
	$(SET_UP) checkov '$(PYTHON)'

# What the benchmark compares with, each on its own, and what draws its plots.
BENCH_ENVIRONMENTS := bench dlt duckdb_alone pandas_function
.PHONY: $(BENCH_ENVIRONMENTS:%=%-environment)
$(BENCH_ENVIRONMENTS:%=%-environment): %-environment:
	$(SET_UP) $* '$(PYTHON)'

# KEEP=1 leaves the local cloud running at the end, with the console page open on its data, until Ctrl-C.
demo: run-environment
	@$(BIN)/python -m dropmerge.demo $(if $(KEEP),--keep)

# The tests in a browser take Debian's Chromium. Another one: CHROMIUM=….
test: dev-environment
	@$(BIN)/python -I toolchain/browser.py
	$(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder

check: dev-environment
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: dev-environment
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

up: run-environment
	@$(BIN)/dropmerge up --state $(STATE)

down: run-environment
	@$(BIN)/dropmerge down --state $(STATE)

# Of the console's pages, for the documentation.
pictures: dev-environment
	DROPMERGE_PICTURES=docs/console $(BIN)/python -m pytest tests/page/test_pages.py -k test_pictures

requirements: dev-environment
	$(BIN)/python -m toolchain.requirements

clean:
	rm -rf .venv .venv.lock .venv-* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# Google Cloud: `make deploy-foundation PROJECT=… REGION=…`, then deploy-merge, then deploy-ingest. plan-… changes
# nothing but what holds the plan; YES=1 applies without asking. KMS_KEY and DATASET_LOCATION go with each of them,
# ALERT_EMAIL, RUNBOOK and MESSAGE_REGIONS with the foundation, MERGE_RESERVATION with merge, CONSOLE_VIEWERS and
# CONSOLE_OPERATORS with the console page, which comes last and only for who wants it.
ROOTS := foundation ingest merge console
define google
$(BIN)/python -m deploy.google $(1) $(2) --project "$(PROJECT)" --region "$(REGION)" \
	$(if $(YES),--yes) $(if $(KMS_KEY),--kms-key "$(KMS_KEY)") \
	$(if $(DATASET_LOCATION),--dataset-location "$(DATASET_LOCATION)") \
	$(if $(MESSAGE_REGIONS),--message-regions "$(MESSAGE_REGIONS)") \
	$(if $(MERGE_RESERVATION),--merge-reservation "$(MERGE_RESERVATION)") \
	$(if $(CONSOLE_VIEWERS),--console-viewers "$(CONSOLE_VIEWERS)") \
	$(if $(CONSOLE_OPERATORS),--console-operators "$(CONSOLE_OPERATORS)") \
	$(if $(ALERT_EMAIL),--alert-email "$(ALERT_EMAIL)") $(if $(RUNBOOK),--runbook "$(RUNBOOK)")
endef
.PHONY: check-terraform $(ROOTS:%=plan-%) $(ROOTS:%=deploy-%) $(ROOTS:%=destroy-%)

$(ROOTS:%=plan-%): plan-%: run-environment
	@$(call google,plan,$*)

$(ROOTS:%=deploy-%): deploy-%: run-environment
	@$(call google,deploy,$*)

$(ROOTS:%=destroy-%): destroy-%: run-environment
	@$(call google,destroy,$*)

# Checkov brings half of another cloud's kit: an environment of its own.
CHECKOV := .venv-checkov
check-terraform: checkov-environment
	$(CHECKOV)/bin/checkov --directory deploy/google --framework terraform --compact --quiet --skip-download
	$(if $(shell command -v terraform),terraform fmt -check -recursive deploy/google,@echo "terraform is not installed: its own format check was not run")

MINUTES ?= 30
.PHONY: bench bench-report bench-memory soak mutations
# QUICK=1 takes minutes: small files, once each. BEFORE=FILE of an earlier release is shown beside it by bench-report.
bench: dev-environment $(BENCH_ENVIRONMENTS:%=%-environment)
	$(BIN)/python -m tests.programs.bench $(if $(QUICK),--quick) --json build/bench/report.json

bench-report: dev-environment bench-environment
	$(BIN)/python -m tests.programs.bench report build/bench/report.json $(if $(BEFORE),--before "$(BEFORE)")

bench-memory: dev-environment
	$(BIN)/python -m tests.programs.bench_memory

soak: dev-environment
	$(BIN)/python -m tests.programs.soak --minutes $(MINUTES)

mutations: dev-environment
	$(BIN)/python -m tests.programs.mutations
