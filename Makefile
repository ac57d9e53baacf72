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

# Made again when a pin changes. The stamp is written last, so an interrupted install is repeated.
$(VENV)/ready: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; (3, 11) <= v[:2] <= (3, 13) or sys.exit("This is Python %d.%d; the course needs 3.11, 3.12 or 3.13. Install one and say: make PYTHON=python3.11 $(MAKECMDGOALS)" % v[:2])'
	@echo "Making the environment in $(VENV) (a few minutes the first time) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

env: $(VENV)/ready ## Make the Python environment in .venv

course: env ## Everything a reader needs: chapters, site, exercises, sample class
	@$(BIN)/course build --sample-class

serve: env ## Serve the site on this machine
	@$(BIN)/course serve

lab: env ## JupyterLab with nbgrader, chapters and exercise sources as notebooks
	@$(BIN)/course lab

.PHONY: help env course serve lab
