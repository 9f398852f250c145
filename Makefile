# make run · make report · make test · make lab: each sets up .venv by itself the first time.

PYTHON ?= python3
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: help run report test lab doctor clean

help:
	@echo "make run     run the notebooks (workshop profile); ARGS='--profile smoke --only 00' is passed on"
	@echo "make report  show what the last run found, in the browser"
	@echo "make test    run the tests; ARGS='-k trials' is passed to pytest"
	@echo "make lab     open JupyterLab on the notebooks"
	@echo "make doctor  check this machine"
	@echo "make clean   remove the virtual environment"

run: $(INSTALLED)
	$(BIN)/toolkit run $(ARGS)

report: $(INSTALLED)
	$(BIN)/toolkit report --open $(ARGS)

test: $(INSTALLED)
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile $(ARGS)

lab: $(INSTALLED)
	$(BIN)/jupyter lab --LabApp.news_url=None notebooks $(ARGS)

doctor: $(INSTALLED)
	$(BIN)/toolkit doctor

clean:
	rm -rf $(VENV)

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; name one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --progress-bar on -c constraints.txt -e '.[dev,figures,cluster,local-llm,xgboost-cpu]'
	@touch $@
