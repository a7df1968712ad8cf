# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
# `make` alone prints help. Nothing here calls sudo or apt.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help demo test lint bench size constraints clean

help: ## print this
	@echo "labelcam: a Raspberry Pi with a camera that says what it sees"
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo "  make demo MODEL=person|mobilenet_v2|FILE  CAMERA=v4l2:/dev/video0|photos:DIR|rtsp://…"

# Exact versions with hashes first, then ourselves on top of them without asking the index for anything else.
$(VENV)/host: constraints/host.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing into $(VENV); the first time takes a minute or two …" >&2
	@$(PIP) install --require-hashes -r constraints/host.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(VENV)/host ## build an int8 MobileNet and watch it recognise photographs
	@$(BIN)/python -m labelcam_converter.demo --model "$(or $(MODEL),person)" --camera "$(CAMERA)"

lint: $(VENV)/host ## ruff and mypy --strict
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

test: lint ## everything that can be proved on this machine
	@$(BIN)/python -m pytest $(ARGS)

bench: $(VENV)/host ## speed and memory against the bare interpreter and MediaPipe, as JSON
	@$(BIN)/python tests/bench/bench.py $(ARGS)

size: ## lines per module
	@git ls-files '*.py' | xargs wc -l | sort -n

UV_COMPILE := uv pip compile --quiet --generate-hashes --no-header --constraint constraints/overrides.txt

constraints: ## pin every version again (needs uv)
	@$(UV_COMPILE) --universal --python-version 3.11 --extra dev pyproject.toml constraints/build.in -o constraints/host.txt
	@$(UV_COMPILE) --python-version 3.11 --python-platform aarch64-manylinux_2_36 pyproject.toml constraints/bookworm.in -o constraints/bookworm.txt
	@$(UV_COMPILE) --python-version 3.13 --python-platform aarch64-manylinux_2_40 pyproject.toml -o constraints/trixie.txt

clean: ## remove what was built (not the cache of downloaded weights)
	rm -rf build $(VENV) .mypy_cache .ruff_cache .pytest_cache
