# `make demo`: the main job, end to end. `make test`: every check there is.
# Both find and install what the build needs; neither needs anything set up before.

SHELL := /bin/bash
# A fresh rustup installation is found even in the shell that was open before.
export PATH := $(PATH):$(HOME)/.cargo/bin

STAGE := scripts/stage.sh
MILP := target/debug/milp

.PHONY: help setup build demo test

help:
	@echo "make demo    build, solve instances/n4.yaml, replay the schedule found"
	@echo "make test    formatting, lints, tests, documentation, regression suite"
	@echo "make build   the command target/debug/milp only"

setup:
	@scripts/setup.sh

# The first build compiles the solver HiGHS, which takes minutes.
build: setup
	@cargo build --locked --workspace

demo: build
	$(MILP) solve instances/n4.yaml
	$(MILP) replay out/n4

test: setup
	@$(STAGE) format cargo fmt --all --check
	@$(STAGE) build cargo build --locked --workspace
	@$(STAGE) lint cargo clippy --locked --workspace --all-targets -- -D warnings
	@$(STAGE) test scripts/test.sh
	@RUSTDOCFLAGS="-D warnings" $(STAGE) doc cargo doc --locked --workspace --no-deps
	@$(STAGE) regress $(MILP) regress results
