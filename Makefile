# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
# `make` alone prints help. Nothing here calls sudo or apt.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check

SHELL       := /bin/bash
.SHELLFLAGS := -o pipefail -c

# pip's lines as one that moves in a terminal, and as nothing but its errors elsewhere.
PROGRESS = awk -v tty="$$(test -t 2 && echo 1)" -v total="$$(grep -c '==' constraints/host.txt)" \
	'/^Collecting/ && tty { printf "\r\033[K  fetching %d of about %d packages: %s", ++n, total, $$2; fflush() } \
	/^Installing collected/ && tty { printf "\r\033[K  unpacking them, half a minute more …"; fflush() } \
	/^ERROR/ { print } END { if (tty) printf "\r\033[K" }' >&2

.DEFAULT_GOAL := help
.PHONY: help demo test test-pi test-card virtual-pi lint bench bench-converter bench-measuring soak flash sdcard rollback status logs uninstall size pictures constraints clean

help: ## print this
	@echo "labelcam: a Raspberry Pi with a camera that says what it sees"
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo "  make demo MODEL=person|mobilenet_v2|FILE  CAMERA=v4l2:/dev/video0|photos:DIR|rtsp://…"

# Exact versions with hashes first, then ourselves on top of them without asking the index for anything else.
$(VENV)/host: constraints/host.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
		{ echo "labelcam needs Python 3.11 to 3.13, and $(PYTHON) is none; name one: make demo PYTHON=python3.12" >&2; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv --clear $(VENV) >&2 || \
		{ rm -rf $(VENV); echo "no virtual environment can be made; on Debian and Ubuntu: sudo apt install python3-venv" >&2; exit 1; }
	@echo "installing into $(VENV) (2 GB); the first time takes a minute or two" >&2
	@$(PIP) install --require-hashes -r constraints/host.txt 2>&1 | $(PROGRESS)
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(VENV)/host ## build an int8 MobileNet and watch it recognise photographs
	@$(BIN)/python -m labelcam_converter.demo --model "$(or $(MODEL),person)" --camera "$(CAMERA)"

lint: $(VENV)/host ## ruff and mypy --strict
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

# Three workers for two cores: many tests wait. A file stays with one worker; tests/conftest.py orders them.
JOBS ?= $(if $(ARGS),0,3)

test: lint ## everything that can be proved on this machine [ARGS=tests/device JOBS=3]
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder $(ARGS)

# Two virtual Pis side by side; a file's tests stay with one.
MACHINES ?= 2

test-pi: $(VENV)/host ## flash a virtual Pi and break it: everything that can be proved without a real one [SUITE=trixie]
	@$(BIN)/python tests/pi/needs.py
	@$(BIN)/python -m pytest tests/pi --ignore=tests/pi/test_card.py -n $(MACHINES) --dist loadfile --no-loadscope-reorder \
		--durations=10 $(ARGS)

test-card: $(VENV)/host ## start a virtual Pi from a card of make sdcard: another seven minutes
	@$(BIN)/python tests/pi/needs.py
	@$(BIN)/python -m pytest tests/pi/test_card.py $(ARGS)

virtual-pi: $(VENV)/host ## boot a virtual Pi to flash by hand (docs/flash.md)
	@$(BIN)/python tests/pi/needs.py
	@$(BIN)/python tests/pi/virtual_pi.py

bench-converter: $(VENV)/host ## int8 against float: our converter beside Google's two, as a table
	@$(BIN)/python tests/bench/converter_bench.py $(ARGS)

bench-measuring: $(VENV)/host ## what the daemon's own measuring costs: with meter, board and journal, and without
	@$(BIN)/python tests/bench/measuring.py $(ARGS)

bench: $(VENV)/host ## speed and memory against the bare interpreter and MediaPipe, as JSON
	@$(BIN)/python tests/bench/bench.py $(ARGS)

soak: $(VENV)/host ## 200,000 frames with everything on: memory must stay flat
	@$(BIN)/python tests/bench/soak.py $(ARGS)

FLASH   = PYTHONPATH=systemd$${PYTHONPATH:+:$$PYTHONPATH} $(BIN)/python -m labelcam_flash
REACHED = --pi "$$PI" $${SSH_PORT:+--port "$$SSH_PORT"} $${SSH_CONFIG:+--ssh-config "$$SSH_CONFIG"}

flash: $(VENV)/host ## put labelcam on a Pi: PI=pi@raspberrypi.local [MODEL=] [SETTINGS=] (docs/flash.md)
	@$(FLASH) flash $(REACHED) $${MODEL:+--model "$$MODEL"} $${SETTINGS:+--settings "$$SETTINGS"} $${DRY_RUN:+--dry-run}

# HOST and USER are in many an environment for reasons of their own: they count where they are given to make itself.
GIVEN = $(if $(filter command,$(origin $(1))),$(2)="$$$(1)")

sdcard: $(VENV)/host ## a card that installs labelcam by itself: IMAGE=raspios-lite-arm64.img.xz (docs/sdcard.md)
	@$(FLASH) sdcard --image="$$IMAGE" $${OUT:+--out="$$OUT"} $${DEVICE:+--device="$$DEVICE"} $${MODEL:+--model="$$MODEL"} \
		$${SETTINGS:+--settings="$$SETTINGS"} $${DEBS:+--debs="$$DEBS"} $${SSH_KEY:+--ssh-key="$$SSH_KEY"} \
		$(call GIVEN,HOST,--host) $(call GIVEN,USER,--user) $${WIFI_SSID:+--wifi-ssid="$$WIFI_SSID"} \
		$${WIFI_PASSWORD_FILE:+--wifi-password-file="$$WIFI_PASSWORD_FILE"} \
		$${WIFI_COUNTRY:+--wifi-country="$$WIFI_COUNTRY"} $${TIMEZONE:+--timezone="$$TIMEZONE"}

rollback: ## the release before this one; again, and back
status:   ## which release is live, how its service is, its latest label
logs:     ## follow what the service says
rollback status logs: $(VENV)/host
	@$(FLASH) $@ $(REACHED)

uninstall: $(VENV)/host ## remove it from a Pi, its settings aside (WITH_SETTINGS=1: those too)
	@$(FLASH) uninstall $(REACHED) $${WITH_SETTINGS:+--with-settings="$$WITH_SETTINGS"}

pictures: $(VENV)/host ## draw the docs' pictures anew: of make demo, and of the window
	@$(BIN)/python tests/pictures.py demo
	@$(BIN)/python tests/pictures.py window

size: ## lines per module
	@git ls-files '*.py' | xargs wc -l | sort -n

UV_COMPILE := uv pip compile --quiet --generate-hashes --no-header --constraint constraints/overrides.txt

constraints: ## pin every version again (needs uv)
	@$(UV_COMPILE) --universal --python-version 3.11 --extra dev pyproject.toml constraints/build.in -o constraints/host.txt
	@$(UV_COMPILE) --python-version 3.11 --python-platform aarch64-manylinux_2_36 pyproject.toml constraints/bookworm.in -o constraints/bookworm.txt
	@$(UV_COMPILE) --python-version 3.13 --python-platform aarch64-manylinux_2_40 pyproject.toml -o constraints/trixie.txt
	@$(UV_COMPILE) --universal --python-version 3.11 constraints/installer.in -o constraints/installer.txt

clean: ## remove what was built and installed here (not the cache of downloaded weights)
	rm -rf build $(VENV) .venv-mediapipe .mypy_cache .ruff_cache .pytest_cache .hypothesis
