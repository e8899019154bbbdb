# All the commands there are. A fresh machine needs Python 3.11 or later and make; uv is used where it is present.

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
NODE_MODULES := node_modules/.package-lock.json

.DEFAULT_GOAL := help
.PHONY: help dev test fuzz faults check fmt lint openapi pages docs bench bench-peers bench-serve audit lock clean client check-client \
	dashboard check-dashboard test-browser screenshots

help: ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

dev: $(VENV)/.runtime ## run the whole system: Redis, sample data, api, watcher, worker
	@exec $(BIN)/python -m supportapi.cli dev

test: $(VENV)/.dev ## run the tests
	$(BIN)/python -m pytest -q -n auto

fuzz: $(VENV)/.dev ## as the tests of made-up input, with twenty times as many examples
	$(BIN)/python -m pytest -q -n auto --dist worksteal --timeout 3600 --hypothesis-profile long \
		tests/api/test_document.py tests/calls tests/answers/test_query_string.py

faults: $(VENV)/.dev ## the injected faults that take long: kills in each stage, 100 publishes under random kills ...
	$(BIN)/python -m pytest -q -m faults --timeout 600 tests

audit: $(VENV)/.dev ## known weaknesses of what the lock files pin
	$(BIN)/python scripts/audit.py

check: lint audit docs test ## everything that must hold: format, lint, types, floors, contract, known weaknesses, links, tests

lint: $(VENV)/.dev ## format, lint, types, floors, contract, container files
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/python -m supportapi.cli openapi --check openapi.json
	$(BIN)/hadolint Dockerfile
	$(BIN)/check-jsonschema -q --builtin-schema vendor.compose-spec docker-compose.dev.yml

fmt: $(VENV)/.dev ## format and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

openapi: $(VENV)/.dev ## write openapi.json
	$(BIN)/python -m supportapi.cli openapi --out openapi.json

pages: $(VENV)/.runtime ## write the pages of docs/ that say what the catalogue and the decision records say
	$(BIN)/python scripts/pages.py

docs: .venv-docs/.made ## build the site of docs/ into site/; a link that leads nowhere is an error
	.venv-docs/bin/zensical build --strict

bench: $(VENV)/.dev ## ratios measured side by side on this machine
	$(BIN)/python -m benchmarks

bench-peers: $(VENV)/.dev .venv-peers/.made ## serving beside what one would write instead: FastAPI with pandas, Polars, DuckDB ...
	$(BIN)/python -m benchmarks.peers

bench-serve: $(VENV)/.dev ## what serving costs: ready and first answers, overload, publishes, listeners
	$(BIN)/python -m benchmarks serve overload workers publish swap first events

client: $(NODE_MODULES) ## write the types of the TypeScript client, from openapi.json (needs Node)
	npm run --silent generate --workspace clients/typescript

check-client: $(NODE_MODULES) $(VENV)/.runtime ## the client is that of openapi.json, and works on a running system (needs Node)
	npm run --silent check --workspace clients/typescript
	npm test --workspace clients/typescript

dashboard: $(NODE_MODULES) ## build the dashboard into the package (needs Node)
	npm run build --workspace dashboard

check-dashboard: $(NODE_MODULES) ## the committed build is that of the sources (needs Node)
	npm run --silent check --workspace dashboard

test-browser: $(NODE_MODULES) $(VENV)/.runtime ## drive the dashboard in Chromium, on a running system (needs Node and Chromium)
	npm run --silent test:browser --workspace dashboard

screenshots: $(NODE_MODULES) $(VENV)/.runtime ## the pictures of docs/images (needs Node and Chromium)
	npm run --silent screenshots --workspace dashboard

lock: ## pin the newest releases that pyproject.toml allows (needs uv)
	uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		pyproject.toml -o requirements.lock
	uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		pyproject.toml --extra otel --group dev -o requirements-dev.lock
	uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		benchmarks/peers/requirements.in -o benchmarks/peers/requirements.lock
	uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--group docs --constraints requirements-dev.lock -o requirements-docs.lock

clean: ## remove the environment and everything that can be made again
	rm -rf $(VENV) .venv-peers .venv-docs node_modules site .cache .supportapi .pytest_cache .ruff_cache .hypothesis

# -- the environment: pins and hashes from a lock file, then this project's own sources on its path -----------------

NEW_ENOUGH := 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed; this is " + \
	sys.version.split()[0] + ". Name another with: make PYTHON=python3.12 ...")'

define install
	@if command -v uv >/dev/null 2>&1; then \
		{ test -x $(BIN)/python || uv venv -q $(VENV); } && \
		uv pip install -q --python $(BIN)/python --require-hashes -r $(1); \
	else \
		test -x $(BIN)/python || { $(PYTHON) -c $(NEW_ENOUGH) && $(PYTHON) -m venv $(VENV); } && \
		$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r $(1); \
	fi
	@# A path file does what an editable install does, and needs no build tool to be downloaded without a hash.
	@$(BIN)/python -c "import pathlib, sysconfig; pathlib.Path(sysconfig.get_path('purelib'), 'supportapi.pth').write_text(str(pathlib.Path('src').resolve()))"
	@printf '#!/bin/sh\nexec "$$(dirname "$$0")/python" -m supportapi.cli "$$@"\n' > $(BIN)/supportapi && chmod +x $(BIN)/supportapi
	@touch $@
endef

$(VENV)/.runtime: requirements.lock
	$(call install,requirements.lock)

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.lock
	$(call install,requirements-dev.lock)

# -- what people see: npm installs what the lock file names, by hash ------------------------------------------------

$(NODE_MODULES): package-lock.json
	@command -v npm >/dev/null || { echo "This needs Node 20.19 or later, with npm: 'apt-get install nodejs npm', or https://nodejs.org." >&2; exit 1; }
	npm ci
	@touch $@

# What supportapi is measured beside, and what makes the site of docs/, have environments of their own: nothing of them
# is needed here.
.venv-peers/.made: benchmarks/peers/requirements.lock
.venv-docs/.made: requirements-docs.lock
.venv-peers/.made .venv-docs/.made:
	@if command -v uv >/dev/null 2>&1; then \
		{ test -x $(@D)/bin/python || uv venv -q $(@D); } && \
		uv pip install -q --python $(@D)/bin/python --require-hashes -r $<; \
	else \
		{ test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D); } && \
		$(@D)/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r $<; \
	fi
	@touch $@
