# `make demo`: the main job, end to end. `make test`: every check there is.
# `make quick`: what to run between two edits. All find and install what the build needs; none
# needs anything set up before.

SHELL := /bin/bash
# A fresh rustup installation is found even in the shell that was open before.
export PATH := $(PATH):$(HOME)/.cargo/bin

STAGE := scripts/stage.sh
MILP := target/debug/milp

.PHONY: help setup build engines wasm demo locks bench atlas book quick test

help:
	@echo "make demo    build, solve instances/n4.yaml, replay the schedule found"
	@echo "make test    formatting, lints, dependencies, engines, tests, documentation, regression suite"
	@echo "make quick   formatting, lints, unit tests, one small run from solve to verify"
	@echo "make build   the command target/debug/milp only"
	@echo "make locks   states of the production engine that nothing ends, at 4 and 7 replicas"
	@echo "make bench   every formulation and solver on the same questions; takes hours"
	@echo "make atlas   published attacks, found anew, and whether their fixes remove them"
	@echo "make book    the pages as a book with a search, in target/book"
	@echo "make wasm    the module that replays in a page, in target/wasm (milp report --what-if)"
	@echo "make engines the adapters of engines written in Go, in target/engines"

setup:
	@scripts/setup.sh

# The first build takes three minutes on two cores; 6 to 13 more where HiGHS has to be compiled.
build: setup
	@cargo build --locked --workspace

# The first build downloads the modules, and Go itself where there is none.
engines:
	@scripts/engines.sh

# The first build takes a minute on two cores.
wasm: setup
	@scripts/wasm.sh

demo: build
	$(MILP) solve instances/n4.yaml
	$(MILP) replay out/n4

# Solves both, confirms on the production engine, and says why no quorum can form. A replay that
# confirms a stuck state ends with 12.
locks: build engines
	@for n in 4 7; do \
	    lock=dbft2/n$$n-stall-nspcc; \
	    $(MILP) solve instances/$$lock.yaml --confirm nspcc-dbft || exit; \
	    $(MILP) replay out/$$lock --engine nspcc-dbft; [ $$? -eq 12 ] || exit 1; \
	done

# What is asked: BENCH="--limit 20 --replicas 4,7 --goals blocks". See docs/BENCHMARKS.md.
BENCH :=
bench: build
	python3 scripts/bench/run.py $(BENCH)
	python3 scripts/bench/page.py

# The table of docs/ATLAS.md. ATLAS="--only T5,H3 --limit 60" asks less.
ATLAS :=
atlas: build
	python3 scripts/atlas/atlas.py $(ATLAS)

# The pages as a book with a search, in target/book. Where there is no mdbook it is compiled first.
book:
	@python3 scripts/links.py
	@command -v mdbook >/dev/null || [ -x target/mdbook/bin/mdbook ] || \
	    CARGO_PROFILE_RELEASE_OPT_LEVEL=0 cargo install --locked --root target/mdbook \
	    --no-default-features --features search mdbook@0.5.4
	@PATH=$$PATH:target/mdbook/bin mdbook build

quick: setup
	@$(STAGE) format cargo fmt --all --check
	@$(STAGE) build cargo build --locked --workspace
	@$(STAGE) lint cargo clippy --locked --workspace --all-targets -- -D warnings
	@$(STAGE) unit scripts/test.sh --lib --bins
	@$(STAGE) run scripts/small-run.sh

test: setup
	@$(STAGE) format cargo fmt --all --check
	@$(STAGE) build cargo build --locked --workspace
	@$(STAGE) lint cargo clippy --locked --workspace --all-targets -- -D warnings
	@$(STAGE) deny scripts/deny.sh
	@$(STAGE) engines scripts/engines.sh test
	@$(STAGE) wasm scripts/wasm.sh
	@$(STAGE) browser scripts/browser.sh
	@$(STAGE) exports scripts/exports.sh
	@$(STAGE) atlas python3 scripts/atlas/atlas.py --check --only "T2 n5,T2 n6,T5,T10 justification,T11 fork,A1"
	@$(STAGE) fuzz scripts/fuzz.sh
	@MILP_HOSTILE_FILES=500 MILP_HOSTILE_STARTS=25 $(STAGE) test scripts/test.sh
	@$(STAGE) cbc scripts/cbc.sh
	@$(STAGE) kits scripts/kits.sh
	@$(STAGE) book $(MAKE) --no-print-directory book
	@$(STAGE) bench scripts/bench/toy.sh
	@$(STAGE) source scripts/source-build.sh
	@RUSTDOCFLAGS="-D warnings" $(STAGE) doc cargo doc --locked --workspace --no-deps
	@$(STAGE) regress $(MILP) regress results --resolve --engine own,nspcc-dbft,malachite-driver,malachite
