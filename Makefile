# `make start` and `make test` do all their own set-up, on a fresh machine too. `make help` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
SUDO := $(shell [ "$$(id -u)" = 0 ] || command -v sudo)

.PHONY: help
help: ## Say what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | column -t -s "$$(printf '\t')"

.PHONY: start
start: tools fixtures/shop/node_modules ## Run the shop of fixtures/shop
	cargo build --release --locked
	$${CARGO_TARGET_DIR:-target}/release/emu start --project fixtures/shop

.PHONY: test
test: tools fixtures lint ## Run every check and every test
	cargo build --locked --tests --bins
	if cargo nextest --version >/dev/null 2>&1; then cargo nextest run --locked --no-fail-fast; else cargo test --locked --no-fail-fast; fi

.PHONY: lint
lint: tools ## Check the format and the lints
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings

.PHONY: bench
bench: tools fixtures benches/peers/node_modules ## Measure a release build: in the process, then over HTTP
	cargo bench --locked
	cargo build --release --locked
	@command -v wrk >/dev/null || $(SUDO) apt-get install -y -qq wrk >/dev/null
	EMU=$${CARGO_TARGET_DIR:-target}/release/emu node benches/http.mjs
	EMU=$${CARGO_TARGET_DIR:-target}/release/emu node benches/firebase-peers.mjs
	$${CARGO_TARGET_DIR:-target}/release/emu exec --project fixtures/social -- node benches/firebase.mjs

.PHONY: pictures
pictures: tools fixtures/shop/node_modules ## Take the README's pictures of the dashboard anew
	cargo build --release --locked
	EMU=$${CARGO_TARGET_DIR:-target}/release/emu node docs/picture.mjs

.PHONY: tools
tools: ## Install what is missing to build and to test: clang, wasi-libc, tmux, chromium, the target wasm32-wasip2
	@command -v clang >/dev/null || { echo "Installing clang, which compiles the sandbox's engine"; \
	  command -v apt-get >/dev/null || { echo "Install clang with your package manager, then try again." >&2; exit 1; }; \
	  $(SUDO) apt-get update -qq && $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq clang lld >/dev/null; }
	@! command -v apt-get >/dev/null || dpkg -s wasi-libc libclang-rt-dev-wasm32 >/dev/null 2>&1 || { \
	  echo "Installing wasi-libc, with which the template in C is built"; $(SUDO) apt-get update -qq && \
	  $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq lld wasi-libc libclang-rt-dev-wasm32 curl openssl >/dev/null; } || \
	  echo "Without wasi-libc the template in C is not tested" >&2
	@command -v tmux >/dev/null || ! command -v apt-get >/dev/null || { echo "Installing tmux, in which the dashboard is tested"; \
	  $(SUDO) apt-get update -qq && $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq tmux >/dev/null; }
	@command -v chromium >/dev/null || ! command -v apt-get >/dev/null || { echo "Installing Chromium, in which pages are tested"; \
	  $(SUDO) apt-get update -qq && $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; } || \
	  echo "Without Chromium the pages are not tested" >&2
	@command -v cargo >/dev/null || { echo "Install Rust first: https://rustup.rs" >&2; exit 1; }
	@! command -v rustup >/dev/null || rustup target list --installed | grep -qx wasm32-wasip2 || rustup target add wasm32-wasip2 || \
	  echo "Without the target wasm32-wasip2 the template of a component is not tested" >&2

.PHONY: fixtures
fixtures: fixtures/shop/node_modules fixtures/social/node_modules fixtures/packages/node_modules fixtures/python/.venv tests/firebase/node_modules clients/node/node_modules clients/python/.venv ## Install the packages of the test projects

%/node_modules: %/package-lock.json
	@command -v npm >/dev/null || { echo "The test projects need Node 20 with npm." >&2; exit 1; }
	cd $* && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

%/.venv: %/requirements.txt
	python3 -m venv $@
	cd $* && .venv/bin/pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@
