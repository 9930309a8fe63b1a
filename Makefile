# `make quick`, `make report` and `make test` are the commands to begin with; each first sets up .venv, once.
PYTHON ?= python3
export PATH := $(CURDIR)/.venv/bin:$(PATH)
jobs = $(if $(JOBS),--jobs='$(JOBS)')
verbose = $(if $(VERBOSE),--verbose)
on = $(if $(ON), --on='$(ON)')

# Put what a side study or a benchmark has found into the report and the READMEs; this trains nothing.
define rewrite
dvc repro --single-item evaluate page
python -m stages.tools.quote
endef

STUDIES = search learning_rates best_rates ablation_rates ablation ladder whole_reviews delayed_recall keras_notebook

.PHONY: help setup report merged push unused quick page $(STUDIES) bench walk test faults lint stale reproduced requirements
.DEFAULT_GOAL := help

help: ## list these targets; JOBS=4 runs four at a time, VERBOSE=1 prints a line per epoch, ON=slurm or ON=ray
	@grep -hE '^[a-z_]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z_]+):.*## /\1\t/' | expand -t 18

setup: .venv/requirements.txt ## make .venv from the pinned, hashed requirements.txt; register git's merge drivers
	@# Of .gitattributes. In a tarball, or one inside another repository, there is nothing to register.
	@if [ "$$(git rev-parse --is-inside-work-tree --show-cdup 2>/dev/null)" = "true" ]; then \
		git config merge.dvc-lock.driver "'$(CURDIR)/.venv/bin/python' stages/runner/merge_lock.py %O %A %B %P" && \
		git config merge.dvc-output.driver true && \
		git config merge.quoting-page.driver "'$(CURDIR)/.venv/bin/python' -m stages.tools.quote --merge %O %A %B" || true; fi

# The copy inside says which packages are installed; it is written last, so a broken set-up starts over.
.venv/requirements.txt: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 14))' || \
		{ echo "Python 3.10 to 3.13 is needed: make PYTHON=python3.11 …" >&2; exit 1; }
	@echo "== Setting up .venv: some minutes and some gigabytes, once"
	$(PYTHON) -m venv --clear .venv
	.venv/bin/python -m pip install --quiet --require-hashes --requirement requirements.txt
	cp requirements.txt $@

report: setup ## run the pipeline: download, pad, train, score, evaluate; then quote the results in the READMEs
	@echo "== Running every stage that is not up to date; training from scratch takes some minutes per run"
	python -m stages.tools.run $(jobs) $(verbose)$(on)
	python -m stages.tools.quote
	@echo "== The report is reports/report.md, and with its pictures inside reports/report.html"

merged: setup ## after a merge, rebase or cherry-pick: pull what was trained, make the rest anew, and the report
	@echo "== Pulling what others trained, and making anew what both sides changed"
	python -m stages.tools.run --pull $(jobs) $(verbose)
	python -m stages.tools.quote

push: setup ## push data and run cache of the last commit, and make sure that all has arrived
	python -m stages.tools.push

unused: setup ## list what no branch or tag needs in the cache, with CLOUD=1 on the remote, too; DELETE=1 deletes it
	python -m stages.tools.unused $(if $(CLOUD),--cloud) $(if $(DELETE),--delete)

quick: setup ## a first result within ten minutes: one seed of the recipe that the report leads with, in .quick
	python -m stages.tools.quick $(jobs) $(verbose)

page: setup ## what report does; then open the page in which both networks read what you type
	@echo "== Running every stage that is not up to date"
	python -m stages.tools.run $(jobs) $(verbose)
	@echo "== The page is data/demo.html"
	@python -c 'import pathlib, webbrowser; webbrowser.open(pathlib.Path("data/demo.html").absolute().as_uri())'

# The side studies: a folder below stages/ each, of the same name.
search: ## side study: candidates for the settings of a recipe, on validation reviews
whole_reviews: ## side study: both cells on nearly whole reviews, with more words
learning_rates: ## side study: accuracy against the learning rate, of both cells with every recipe
best_rates: ## side study: each cell's best learning rate, with seeds that did not choose it
ablation_rates: ## side study: learning rates for the variants of `ablation`
ablation: ## side study: a recipe without each of its parts
ladder: ## side study: from one recipe to another in single steps
delayed_recall: ## side study: over how many tokens each cell remembers, on generated sequences
keras_notebook: ## side study: the notebook in plain Keras, put right and run
$(STUDIES): setup
	@echo "== Training what is not up to date: up to an hour and a half on two cores"
	python -m stages.tools.run stages/$@/dvc.yaml $(jobs) $(verbose)$(on)
	$(rewrite)

bench: setup ## time training against stock Keras and PyTorch; then report the figures
	@echo "== Timing; about ten minutes, best on a machine that does nothing else"
	@python -c 'import torch' 2>/dev/null || \
		python -m pip install --quiet --require-hashes --requirement requirements-bench.txt
	dvc repro download
	python -m stages.tools.benchmark
	$(rewrite)

walk: setup ## run what the READMEs show to run, and quote what it prints
	@echo "== Trying two learning rates in a clone; some minutes, once everything is trained"
	python -m stages.tools.run $(jobs) $(verbose)
	python -m stages.tools.walk
	python -m stages.tools.quote

test: setup ## run the tests; ALL=1 also runs the slow ones: each side study, each kind of remote, the README's walk
	@echo "== Running the tests: some minutes, on a small generated archive"
	python -m pytest $(if $(ALL),,-m 'not slow')

faults: setup ## make every file operation fail in turn, and take out every protection; EVERY=10 is a tenth of it
	@echo "== Breaking what can be broken: some twenty minutes on two cores"
	python -m tests.faults.sweep $(if $(EVERY),--every='$(EVERY)')
	python -m tests.faults.removal

lint: setup ## check format, style and types
	ruff format --check .
	ruff check .
	mypy
	@if command -v biome >/dev/null; then biome ci --config-path=tests stages/browser; else \
		echo "biome is not to be had for this system: the page's JavaScript is not checked" >&2; fi

stale: setup ## check that the committed results belong to the committed code and parameters
	python -m stages.tools.stale

reproduced: setup ## compare a rerun with the committed results, or with those of REVISION
	python -m stages.tools.reproduced $(REVISION)

pin = uv pip compile --universal --python-version 3.10 --generate-hashes --upgrade --quiet \
	--custom-compile-command "make requirements"

requirements: setup ## pin what pyproject.toml asks for, anew, in requirements.txt and requirements-*.txt
	$(pin) pyproject.toml --extra test --output-file requirements.txt
	for group in bench slurm ray; do \
		$(pin) --group $$group --constraint requirements.txt --output-file requirements-$$group.txt || exit; \
	done
