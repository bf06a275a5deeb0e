# Two commands for a machine with Python 3.11+ and nothing else: make demo, make test.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
# a process on each core, with one thread: most of the suite is no matrix product; a file's fixtures are
# made once
PYTEST = OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --maxprocesses 8 --dist loadfile
# annotations of shapes are checked at every call, which costs users nothing and tests a third more time
CHECKED = --jaxtyping-packages=crosslingual.data,crosslingual.alignment,crosslingual.probes,$\
	crosslingual.training,crosslingual.models,crosslingual.analysis,beartype.beartype
export HF_HUB_OFFLINE = 1

.PHONY: demo test test-checked test-slow notebooks check clean

demo: $(VENV)/.demo
	$(BIN)/crosslingual demo

test: $(VENV)/.test
	$(PYTEST) -m "not slow"

test-checked: $(VENV)/.test
	$(PYTEST) $(CHECKED) -m "not slow"

test-slow: $(VENV)/.test
	$(PYTEST) $(CHECKED)

notebooks: $(VENV)/.test
	$(BIN)/python -m pytest tests/test_notebooks.py -k "not real"

check: $(VENV)/.check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict -p crosslingual
	$(BIN)/codespell

$(VENV)/.demo: setup.cfg constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[cpu]'
	touch $@

$(VENV)/.test: setup.cfg constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[cpu,test]'
	touch $@

# mypy cannot see through the import hook of a default editable install
$(VENV)/.check: setup.cfg constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt \
		--config-settings editable_mode=strict -e '.[cpu,test,dev]'
	touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info
