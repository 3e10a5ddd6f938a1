# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
# One way in for people and for CI; the work is in scripts/. `make` alone lists the targets.

override DISTROS := humble jazzy kilted lyrical rolling
ifeq ($(origin DISTRO),undefined)
DISTRO := $(or $(value EMOTION_PERCEPTION_DISTRO),$(value ROS_DISTRO),jazzy)
endif
SOURCE  ?=
OUT     ?= out/demo
TESTS   ?= test
LAN     ?= 0
COMPOSED ?= 1
PYTHON  ?=
DATA    ?=
ONLY    ?=
MINUTES ?= 30
# What people set reaches the shell through the environment alone ("$$OUT"), as text that neither make nor the shell runs.
override VARIABLES := DISTRO SOURCE OUT TESTS LAN COMPOSED PYTHON DATA ONLY MINUTES
$(foreach name,$(VARIABLES),$(eval override $(name) := $$(value $(name))))
export $(VARIABLES)
# the images of a face where SOURCE names none: the clip, or where that cannot be fetched, the photograph
override DEMO_FILES = $(if $(filter synthetic,$(SOURCE)),astronaut,$(if $(SOURCE),,demo-clip,astronaut))

.DEFAULT_GOAL := help
.PHONY: help env demo demo-web demo-bag annotate test test-slow test-web test-window test-python check-arm screenshots coverage soak test-kills bench bench-peers check docs lock clean

help: ## list the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1 \t\2/p' Makefile | expand -t 20
	@echo
	@echo "  DISTRO=jazzy|kilted   which ROS 2 (now $$DISTRO); a ROS that is sourced already is used as it is"
	@echo "  SOURCE=0|FILE|FOLDER|URL   images for make demo, until Ctrl-C; empty: a built-in clip"
	@echo "  OUT=FOLDER            where make demo writes (now $$OUT)"
	@echo "  COMPOSED=0            make demo runs the nodes in four processes instead of one"
	@echo "  TESTS=PATHS           what make test, test-slow and coverage run (now $$TESTS)"
	@echo "  MINUTES=N             how long make soak runs the nodes (now $$MINUTES)"
	@echo "  DATA=FILE             FER-2013, for the accuracies of make bench and bench-peers (fer2013.npz)"
	@echo "  ONLY=A,B              which sections make bench measures"
	@echo "  LAN=1                 lets other machines on the network see the nodes"
	@echo "  PYTHON=PROGRAM        the Python 3.11 or 3.12 that creates the environment"

env: ## create the environment of DISTRO: packages, messages, model files
	@scripts/setup.sh runtime yunet
	@[ "$$DISTRO" = jazzy ] || other="export DISTRO=$$DISTRO; "; \
		echo "ready; to use it in a shell: $${other:-}source scripts/env.sh"

demo: ## camera, detection, classifier and overlay on real faces, as ROS nodes
	@scripts/setup.sh demo yunet $(DEMO_FILES)
	@scripts/in_env.sh scripts/demo.sh

demo-web: ## the demonstration until Ctrl-C, with a page for the browser at http://localhost:8090
	@scripts/setup.sh web yunet $(DEMO_FILES)
	@scripts/in_env.sh scripts/demo.sh --web

demo-bag: ## record, label and evaluate the demonstration: out/demo_bag, out/demo_bag_report
	@scripts/setup.sh bags yunet demo-clip
	@scripts/in_env.sh scripts/demo_bag.sh

annotate: ## emotions drawn on SOURCE, a video (empty: the clip of make demo): out/annotated.mp4, out/annotated.csv
	@scripts/setup.sh annotate yunet $(if $(SOURCE),,demo-clip)
	@scripts/in_env.sh scripts/annotate.sh

test: ## the tests, without those that take long
	@scripts/setup.sh test yunet centerface mtcnn astronaut demo-clip
	@scripts/in_env.sh python -m pytest -o faulthandler_timeout=300 -o faulthandler_exit_on_timeout=true -m "not slow and not browser and not window" $$TESTS

test-slow: ## the tests that take long: signals, killed nodes, several demonstrations, other machines, memory
	@scripts/setup.sh test yunet centerface mtcnn astronaut demo-clip
	@scripts/in_env.sh python -m pytest -o faulthandler_timeout=300 -o faulthandler_exit_on_timeout=true -m "slow and not browser and not window" $$TESTS

test-web: ## the page of web_viewer_node in Chromium, which it installs as root; without one it says so and skips
	@scripts/setup.sh test yunet demo-clip,astronaut
	@scripts/install_browser.sh
	@scripts/in_env.sh python -m pytest -o faulthandler_timeout=120 -o faulthandler_exit_on_timeout=true -m browser test/web
	@scripts/in_env.sh python -m pytest -o faulthandler_timeout=120 -o faulthandler_exit_on_timeout=true -m browser test/browser

test-window: ## the window of annotate --show on a display in memory, which it installs as root; without one it skips
	@scripts/setup.sh test yunet astronaut
	@scripts/install_display.sh
	@scripts/in_env.sh python -m pytest -o faulthandler_timeout=120 -o faulthandler_exit_on_timeout=true -m window test/annotate/test_window.py

test-python: ## the tests that need no ROS on PYTHON, any from 3.10 on: core, bags, reporting, or TESTS="test/core test/training"
	@scripts/test_python.sh $(if $(filter-out test,$(TESTS)),$$TESTS)

check-arm: ## lists the locked packages that have no wheel for 64-bit Arm
	@scripts/check_aarch64.sh

screenshots: ## the screenshots of the page in the README: docs/images/web_viewer*.webp
	@scripts/setup.sh test yunet demo-clip,astronaut
	@scripts/install_browser.sh
	@scripts/in_env.sh python scripts/make_screenshots.py

coverage: ## the tests with their coverage, node processes included: out/coverage/index.html
	@scripts/setup.sh test yunet centerface mtcnn astronaut demo-clip
	@scripts/in_env.sh scripts/coverage.sh $$TESTS

soak: ## the nodes for MINUTES, then 10,000 malformed messages of each kind: memory, threads, files, counts
	@scripts/setup.sh test yunet demo-clip,astronaut
	@scripts/in_env.sh python scripts/soak.py --minutes "$$MINUTES" --out out/soak
	@MALFORMED=10000 scripts/in_env.sh python -m pytest -q test/ros/nodes/test_malformed_messages.py

test-kills: ## kill -9 of nodes in two demonstrations beside each other, 250 times: all have to come back in time
	@scripts/setup.sh test yunet astronaut
	@scripts/in_env.sh python scripts/kill_nodes.py --out out/kills

bench: ## latency, every stage, scaling, start-up, recordings, training: docs/benchmarks.md
	@scripts/setup.sh bench yunet centerface mtcnn demo-clip
	@scripts/in_env.sh emotion-perception benchmark --out out/bench --document docs/benchmarks.md \
		$${DATA:+--data "$$DATA"} $${ONLY:+--only "$$ONLY"}

bench-peers: ## other emotion recognition packages measured beside this one: docs/peers.md (DATA=fer2013.npz for accuracy)
	@scripts/setup.sh test yunet centerface demo-clip
	@scripts/in_env.sh scripts/bench_peers.sh

check: ## ruff, mypy, import-linter, and the documentation site as make docs builds it
	@scripts/setup.sh test
	@scripts/setup.sh docs
	@scripts/in_env.sh scripts/check.sh

docs: ## build the documentation site: out/site/index.html
	@scripts/setup.sh docs
	@scripts/docs.sh

lock: ## resolve requirements/*.in into the locks, with hashes; scripts/lock.sh --upgrade takes newer versions
	@scripts/lock.sh

clean: ## remove every environment, build and output
	@rm -rf $(foreach distro,$(DISTROS),.venv-$(distro) build-$(distro) install-$(distro) log-$(distro)) .venv-docs .venv-peer-* .venv-python* out
