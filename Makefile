# Two commands for a machine with Python 3.11+ and nothing else: make demo, make test.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
export HF_HUB_OFFLINE = 1

.PHONY: demo test test-slow notebooks check clean

demo: $(VENV)/.demo
	$(BIN)/crosslingual demo

test: $(VENV)/.test
	$(BIN)/python -m pytest -m "not slow"

test-slow: $(VENV)/.test
	$(BIN)/python -m pytest

notebooks: $(VENV)/.test
	$(BIN)/python -m pytest tests/test_notebooks.py -k "not real"

check: $(VENV)/.check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict -p crosslingual
	$(BIN)/codespell

$(VENV)/.demo: setup.cfg constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[cpu,demo]'
	touch $@

$(VENV)/.test: setup.cfg constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[cpu,demo,test]'
	touch $@

# mypy cannot see through the import hook of a default editable install
$(VENV)/.check: setup.cfg constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt \
		--config-settings editable_mode=strict -e '.[cpu,demo,test,dev]'
	touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info
