# Every task of a developer, one short target each. Programs with logic live in dev/, in Python.

.DEFAULT_GOAL := help
SHELL := /bin/bash
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
BIN := .venv/bin
# Folders of Node packages: the type checker, and the official clients that tests drive.
NODE := $(dir $(wildcard dev/node/package-lock.json tests/clients/*/package-lock.json))

.PHONY: help setup test quick check format serve demo sim bench golden lock clean

help: ## Show these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/.ready $(addsuffix node_modules/.ready,$(NODE)) ## Install everything, locked, into this checkout; costs nothing when nothing changed
	@:

test: setup ## Everything that must hold: the static checks and all tests
	@$(BIN)/python dev/check.py format lint types imports
	@$(BIN)/python -m pytest -q

quick: setup ## The tests without the slow ones
	@$(BIN)/python -m pytest -q -m "not slow"

check: setup ## Format, lint, types, imports, house rules, goldens, docs
	@$(BIN)/python dev/check.py

format: setup ## Put the code into shape and mend what can be mended
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix-only --show-fixes

serve: setup ## Start a server here
	@$(BIN)/hubify serve

demo: setup ## Start a server, fill it, and watch a skill improve
	@$(BIN)/python -m dev.demo

sim: setup ## Run the simulator on fresh seeds; SEED=n repeats one
	@$(BIN)/python -m dev.sim $(if $(SEED),--seed $(SEED))

bench: setup ## Measure, as ratios to this machine's limits
	@$(BIN)/python -m bench

golden: setup ## Rewrite the golden files from the code; review sees the difference
	@$(BIN)/python -m pytest -q tests/golden --rewrite-golden

lock: setup ## Resolve the dependencies anew into requirements/; UPGRADE=1 takes newer versions
	@$(BIN)/python dev/lock.py $(if $(UPGRADE),--upgrade)

clean: ## Remove everything that make made
	@rm -rf .venv build dist .hypothesis .pytest_cache .ruff_cache .import_linter_cache *.egg-info
	@rm -rf $(addsuffix node_modules,$(NODE))
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.locked: requirements/dev.txt
	@echo "setup: Python packages into .venv"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

.venv/.ready: .venv/.locked pyproject.toml
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

%/node_modules/.ready: %/package-lock.json
	@echo "setup: Node packages into $*"
	@cd $* && npm ci --silent --ignore-scripts --no-audit --no-fund
	@touch $@
