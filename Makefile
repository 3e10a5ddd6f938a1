# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
# One way in for people and for CI; the work is in scripts/. `make` alone lists the targets.

DISTRO ?= $(or $(EMOTION_PERCEPTION_DISTRO),$(ROS_DISTRO),jazzy)
SOURCE ?=
OUT    ?= out/demo
TESTS  ?= test
LAN    ?= 0
PYTHON ?=
DATA   ?=
ONLY   ?=
MINUTES ?= 30
# a face to look at where SOURCE names none: the clip, or where that cannot be had, the photograph
DEMO_FILES = $(if $(filter synthetic,$(SOURCE)),astronaut,$(if $(SOURCE),,demo-clip,astronaut))
export DISTRO SOURCE OUT LAN PYTHON DATA

.DEFAULT_GOAL := help
.PHONY: help env demo demo-bag test soak bench bench-peers check docs lock clean

help: ## list the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1 \t\2/p' Makefile | expand -t 20
	@echo
	@echo "  DISTRO=jazzy|kilted   which ROS 2 (now $(DISTRO)); a sourced ROS is used as it is"
	@echo "  SOURCE=0|FILE|FOLDER|URL   what make demo looks at, until Ctrl-C; empty: a built-in clip"
	@echo "  OUT=FOLDER            where make demo writes (now $(OUT))"
	@echo "  TESTS=PATHS           what make test runs (now $(TESTS))"
	@echo "  MINUTES=N             how long make soak lets the nodes run (now $(MINUTES))"
	@echo "  DATA=FILE             FER-2013, for the accuracies of make bench and bench-peers (fer2013.npz)"
	@echo "  ONLY=A,B              which sections make bench measures"
	@echo "  LAN=1                 lets other machines on the network see the nodes"
	@echo "  PYTHON=PROGRAM        which Python 3.11 or 3.12 makes the environment"

env: ## make the environment of DISTRO: packages, messages, model files
	@scripts/setup.sh runtime centerface
	@echo "ready; to use it in a shell:$(if $(filter-out jazzy,$(DISTRO)), export DISTRO=$(DISTRO);) source scripts/env.sh"

demo: ## camera, detection, classifier and overlay on real faces, as ROS processes
	@scripts/setup.sh runtime centerface $(DEMO_FILES)
	@scripts/in_env.sh scripts/demo.sh

demo-bag: ## the demonstration recorded, labeled and evaluated: out/demo_bag, out/demo_bag_report
	@scripts/setup.sh bags centerface demo-clip
	@OUT=out/demo_bag scripts/in_env.sh scripts/demo_bag.sh

test: ## the whole test suite
	@scripts/setup.sh test centerface mtcnn astronaut demo-clip
	@scripts/in_env.sh python -m pytest -o faulthandler_timeout=300 -o faulthandler_exit_on_timeout=true $(TESTS)

soak: ## the nodes for MINUTES, then 10,000 malformed messages of each kind: does anything grow, leak or fall?
	@scripts/setup.sh test centerface demo-clip,astronaut
	@scripts/in_env.sh python scripts/soak.py --minutes $(MINUTES) --out out/soak
	@MALFORMED=10000 scripts/in_env.sh python -m pytest -q test/ros/nodes/test_malformed_messages.py

bench: ## how fast: photon to emotion, every stage, growth, start, recordings, training; tables go to docs/benchmarks.md
	@scripts/setup.sh bench centerface mtcnn demo-clip
	@scripts/in_env.sh emotion-perception benchmark --out out/bench --document docs/benchmarks.md \
		$(if $(DATA),--data "$(DATA)") $(if $(ONLY),--only $(ONLY))

bench-peers: ## what people would use instead, measured beside ours: docs/peers.md (DATA=fer2013.npz for accuracy)
	@scripts/setup.sh test centerface demo-clip
	@scripts/in_env.sh scripts/bench_peers.sh

check: ## ruff, mypy, import-linter, documentation site
	@scripts/setup.sh test
	@scripts/setup.sh docs
	@scripts/check.sh

docs: ## build the documentation site: out/site/index.html
	@scripts/setup.sh docs
	@scripts/docs.sh

lock: ## resolve requirements/*.in anew into the locks
	@scripts/lock.sh

clean: ## remove every environment, build and output
	@rm -rf .venv-jazzy .venv-kilted .venv-$(DISTRO) .venv-docs .venv-peer-* build-* install-* log-* out
