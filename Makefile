# make reproduce, make test: everything else is `make help`.
SCALE   ?= laptop
REPORT  ?=
DEVICE  ?= cpu
PROFILE ?=
PYTHON  ?= python3
BIN     := .venv/bin
OPTIONS  = --scale "$(SCALE)" --report "$(REPORT)"
COMMAND  = exec env PYTHONPATH=workflow/commands:workflow $(BIN)/python workflow/commands
SOURCES := workflow tests benchmarks

# What each target takes beside SCALE, REPORT, PYTHON and BIN: a typo in a name is refused, not ignored.
TAKES_reproduce := RETRAIN DEVICE PROFILE
TAKES_paper     := PARTIAL
TAKES_audit     := N ALL SEED
TAKES_pack      := STUDY FILE
TAKES_unpack    := FILE
GOALS  = $(or $(MAKECMDGOALS),help)
TAKEN  = SCALE REPORT PYTHON BIN $(foreach goal,$(GOALS),$(TAKES_$(goal)))
GIVEN := $(foreach name,$(.VARIABLES),$(if $(filter command,$(origin $(name))),$(name)))
ifneq ($(filter-out $(TAKEN) -% MAKE%,$(GIVEN)),)
$(error regrok: `make $(GOALS)` takes no $(filter-out $(TAKEN) -% MAKE%,$(GIVEN)); it takes $(strip $(TAKEN)))
endif

.DEFAULT_GOAL := help
.PHONY: help reproduce paper plan status demo report adopt audit pack unpack crate bench test test-slurm format schema lock clean

help: ## this list
	@echo "make TARGET [SCALE=smoke|laptop|desk|cluster] [REPORT=000|001|002|003]"
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-10s %s\n", $$1, $$2}'

reproduce: .venv/ready $(if $(wildcard profiles/$(filter-out default,$(PROFILE))/profile.yaml),.venv/slurm) ## train, tabulate, draw, typeset; RETRAIN=1 also what older code has trained; DEVICE=cuda on a GPU; PROFILE=slurm
	@$(COMMAND)/reproduce.py $(OPTIONS) --retrain "$(RETRAIN)" --device "$(DEVICE)" --profile "$(PROFILE)"

paper: .venv/ready ## tables, figures and PDF from the records at hand, no training; PARTIAL=1 although some are missing
	@$(COMMAND)/reproduce.py $(OPTIONS) --paper --partial "$(PARTIAL)"

plan: .venv/ready ## what a scale costs: cells, core-hours, disk
	@$(COMMAND)/plan.py $(OPTIONS)

status: .venv/ready ## what is done, running (with its accuracy), waiting, failed, stale; when all will be done
	@$(COMMAND)/status.py $(OPTIONS)

demo: .venv/ready ## one network groks before your eyes, in two minutes
	@$(COMMAND)/demo.py $(OPTIONS)

report: .venv/ready ## one HTML file with every figure, table and job: results/SCALE/report.html
	@$(COMMAND)/report.py $(OPTIONS)

adopt: .venv/ready ## keep stale records if a retrained sample is bit-identical
	@$(COMMAND)/adopt.py $(OPTIONS)

audit: .venv/ready ## retrain N=5 members drawn at random (ALL=1, SEED=) and compare with their records, bit for bit
	@$(COMMAND)/audit.py $(OPTIONS) --number "$(N)" --all "$(ALL)" --seed "$(SEED)"

pack: .venv/ready ## the records as one file, to take elsewhere: FILE=...; only some with STUDY=, REPORT=, SCALE=
	@$(COMMAND)/pack.py --scale "$(if $(filter file,$(origin SCALE)),,$(SCALE))" --report "$(REPORT)" --study "$(STUDY)" --file "$(FILE)"

unpack: .venv/ready ## merge a file of make pack into results/store: FILE=...
	@$(COMMAND)/unpack.py --file "$(FILE)"

crate: .venv/ready ## what a scale has come to, as a Workflow Run RO-Crate: results/SCALE/crate.zip
	@$(COMMAND)/crate.py $(OPTIONS)

bench: .venv/ready ## speed of training against plain PyTorch and the machine's limit, in two minutes
	@PYTHONPATH=workflow $(BIN)/python benchmarks/bench.py

test: .venv/ready ## format check, lint and all tests
	@$(BIN)/ruff format --check $(SOURCES)
	@$(BIN)/ruff check $(SOURCES)
	@$(BIN)/snakefmt --check Snakefile workflow/rules
	@$(BIN)/snakemake --lint --config scale=smoke
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --ignore tests/slurm

test-slurm: .venv/slurm ## training through a real SLURM on this machine; needs root, and slurm-wlm and munge of Debian
	@$(BIN)/python -m pytest tests/slurm
	@ACCOUNTING=1 $(BIN)/python -m pytest tests/slurm -k "sacct or cancelled"

format: .venv/ready ## let ruff and snakefmt rewrite the sources
	@$(BIN)/ruff format $(SOURCES)
	@$(BIN)/ruff check --fix $(SOURCES)
	@$(BIN)/snakefmt Snakefile workflow/rules

schema: .venv/ready ## generated files: the JSON schema of config.yaml, results/README.md
	@$(BIN)/python -m regrok.config > workflow/schemas/config.schema.json
	@$(BIN)/python -m regrok.analysis.catalogue > results/README.md

lock: ## resolve envs/requirements.in into envs/lock.txt and envs/regrok.yaml, in a throw-away environment
	@rm -rf .venv-lock && $(PYTHON) -m venv .venv-lock
	@.venv-lock/bin/pip install --quiet --disable-pip-version-check -r envs/requirements.in
	@.venv-lock/bin/pip freeze --all --exclude pip | sed 's/+cpu//' > envs/lock.txt && rm -rf .venv-lock
	@sed '/- pip:/q' envs/regrok.yaml > envs/.regrok.yaml && sed 's/^/      - /' envs/lock.txt >> envs/.regrok.yaml
	@mv envs/.regrok.yaml envs/regrok.yaml

clean: ## remove what a scale has built; records and checkpoints in results/store stay
	@case "$(SCALE)" in smoke|laptop|desk|cluster) rm -rf "results/$(SCALE)" "figures/$(SCALE)" "paper/$(SCALE)" ;; \
	  *) echo "regrok: SCALE must be smoke, laptop, desk or cluster." >&2; exit 2 ;; esac

.venv/ready: envs/lock.txt pyproject.toml
	@echo "Setting up .venv (once, some minutes)"
	@$(PYTHON) -c 'import sys; sys.exit("regrok needs Python 3.11 or later; say make PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check -r envs/lock.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.venv/slurm: .venv/ready envs/slurm.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check -r envs/lock.txt -r envs/slurm.txt
	@touch $@
