# Each target does its own set-up; the first install needs python3 (3.11 or newer) and a network.
PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11; do command -v $$name && break; done)
RUN := .venv/bin/python -m
WITH_MYSQL := mysql redis cassandra dynamodb kinesis kinesis-resharding

.DEFAULT_GOAL := help
.PHONY: help install demo check fix test prove bench services services-stop synth simulate

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' Makefile

install: ## put the locked tools and creditctl into .venv (does nothing when nothing changed)
	@test -n "$(PYTHON)" || { echo "install: python3 (3.11 or newer) is not on the PATH" >&2; exit 1; }
	@"$(PYTHON)" -m tools.bootstrap

demo: install ## try it: customers, events, decisions (ONCE=1 ends after one round)
	@.venv/bin/creditctl demo $(if $(ONCE),--once)

check: install ## lint, types, imports and the tests that need no server (COVER_MIN=0 lifts the gate)
	@$(RUN) tools.run_tests check

fix: install ## repair what the linter and the formatter can
	@.venv/bin/ruff check --fix-only .
	@.venv/bin/ruff format .

test: install ## everything, with minutes per suite
	@$(RUN) tools.run_tests all

prove: install ## full counts; goes on where it stopped; writes docs/proofs/ (ARGS=--list shows rows)
	@$(RUN) tools.prove $(ARGS)

bench: install ## measure what the documents claim about speed
	@$(RUN) bench $(ARGS)

simulate: install ## run the simulation (ARGS="--seed N" repeats one history)
	@$(RUN) tests.simulation $(ARGS)

services: install ## start the real servers that tests use and print where they are (MYSQL=mysql for MySQL)
	@$(RUN) tests.services up $(if $(filter mysql,$(MYSQL)),$(WITH_MYSQL))

services-stop: install ## end the servers of make services and remove what they kept
	@$(RUN) tests.services down

synth: ## synthesize the infrastructure (not there yet)
	@echo "make synth arrives with the issue 'infrastructure'; nothing was synthesized." >&2; exit 2
