# Deep Learning, Layer by Layer. `make help` lists what there is.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# One thread each: side by side, two processes at one thread beat two at two, and results
# do not depend on how many cores there are.
export OMP_NUM_THREADS := 1

.DEFAULT_GOAL := help

help: ## List these commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

# Made again when a pin changes, and looked at when TORCH says which build of PyTorch is wanted, or
# LIGHT=1 that the other frameworks are not. The stamp is written last, so an interrupted install is
# repeated.
PINS := requirements.txt requirements-frameworks.txt requirements-clouds.txt
$(VENV)/ready: $(PINS) pyproject.toml $(if $(TORCH)$(LIGHT),asked)
	@$(PYTHON) tools/environment.py $(VENV) --torch "$(TORCH)" --light "$(LIGHT)"

asked:

env: $(VENV)/ready ## Make the Python environment in .venv

course: env ## Everything a reader needs: chapters, site, exercises, sample class
	@$(BIN)/course build --sample-class

epub: env ## The whole book as an EPUB
	@$(BIN)/course build --format epub

pdf: env ## The whole book as one PDF, printed by Chromium
	@$(BIN)/course build --format pdf

serve: env ## Serve the site on this machine
	@$(BIN)/course serve

lab: env ## JupyterLab with nbgrader, chapters and exercise sources as notebooks
	@$(BIN)/course lab

# ------------------------------------------------------------------------------------- checks

# The parts are listed in tools/parts.py, with what each may take. Each has a name of its own here.
test: env system ## Everything that CI runs
	@MAKE="$(MAKE)" $(BIN)/python tools/parts.py

test-fast: env ## The part that takes less than two minutes: form, and code without the site
	@$(MAKE) --no-print-directory lint
	@$(BIN)/pytest -q -n 2 --dist loadfile -m "not slow and not site and not browser"

lint: env ## Form, spelling, and which part of course_lib may import which
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@said=$$($(BIN)/lint-imports --no-logo) || { echo "$$said"; exit 1; }; echo "$$said" | tail -n 1
	@$(BIN)/codespell

# One process more than cores: many of these tests wait for other processes. Files keep their order,
# in which the long ones come first.
CODE := -q -n 3 --dist loadfile --no-loadscope-reorder --ignore tests/assignments/test_proofs.py

test-code: env ## pytest: the library, grading, the site; all but the proofs of exercises
	@$(BIN)/pytest $(CODE)

coverage: env ## The same with coverage, which takes half as long again
	@$(BIN)/pytest $(CODE) --cov --cov-report=term:skip-covered

# Apart from the rest: one file, and both processes are to have their share of it.
test-exercises: env ## The proofs of exercises: reference, release, wrong and right answers
	@$(BIN)/pytest -q -n 2 tests/assignments/test_proofs.py

# nbval reads notebooks: executed chapters, whose outputs it compares, and exercise sources, which
# have no outputs to compare but must run without an error.
test-notebooks: env ## nbval: run the executed chapters again and compare every output
	@$(BIN)/course build
	@$(BIN)/pytest -q -n 2 --dist loadfile --nbval --nbval-sanitize-with tests/notebooks/sanitize.cfg _build/executed
	@$(BIN)/pytest -q -n 2 --dist loadfile --nbval-lax _build/source

# What a page claims must hold on the reader's machine, too: see tests/processors.py.
test-processors: env ## Every page again, with the arithmetic of a plainer processor
	@$(BIN)/python tests/processors.py --kind plain

system: ## Install what pip cannot (a browser, PostgreSQL), or say what to install
	@sh tests/system.sh

format: env ## Mend the form of the code
	@$(BIN)/ruff check --quiet --fix .
	@$(BIN)/ruff format --quiet .

# Not by way of `env`, which would want the very pins that are to be made.
pins: ## Compile the three files of requirements from pyproject.toml
	@test -x $(BIN)/python || $(MAKE) env
	@$(BIN)/python tests/pins.py

clean: ## Delete what was built, but not the environment and nobody's work
	rm -rf _build .pytest_cache .ruff_cache .hypothesis

.PHONY: help asked env course epub pdf serve lab test test-fast lint test-code coverage test-exercises test-notebooks test-processors system format pins clean
