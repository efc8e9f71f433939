# demo: one complete simulated charging session    test: the whole suite
# check: ruff, mypy --strict                       bench: figures and what they are compared with
# interop: sessions with other people's programs, which are fetched
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
# the Debian packages that the tests use when they are there to be had; the program itself needs none
DEBIAN := libpcap0.8 iproute2 plc-utils plc-utils-extra gcc libc6-dev gcc-avr avr-libc libsimavr-dev libelf-dev mosquitto tshark lua5.4

.PHONY: demo test check bench interop clean

demo: $(VENV)/.installed
	@$(BIN)/pyplc sim

test: $(VENV)/.dev
	@sh tests/debian.sh $(DEBIAN)
	$(BIN)/python -X dev -W error::DeprecationWarning:pyplc -m pytest -n auto --maxprocesses 4

check: $(VENV)/.dev
	$(BIN)/ruff check pyplc tests bench docs
	$(BIN)/ruff format --check pyplc tests bench docs
	$(BIN)/mypy

interop: $(VENV)/.dev
	@sh tests/debian.sh iproute2 plc-utils plc-utils-extra openjdk-17-jre-headless
	PYPLC_INTEROP=1 $(BIN)/python -m pytest tests/interop

bench: $(VENV)/.dev
	@for b in bench/*.py; do echo "== $$b"; $(BIN)/python $$b || exit 1; done

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "pyplc needs Python 3.11 or newer: make PYTHON=python3.12 demo"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { sh tests/debian.sh python3-venv && $(PYTHON) -m venv --clear $(VENV); }

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.installed
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	    -e ".[serial,mqtt,gpio,display,can,http,metrics,serve,cluster]" "amqtt>=0.11" "hypothesis>=6.100" "mypy>=1.11" "pytest>=8.2" "pytest-asyncio>=0.23" "pytest-timeout>=2.3" "pytest-xdist>=3.6" \
	    "ruff>=0.6"
	@touch $@

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
