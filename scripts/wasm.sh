#!/usr/bin/env bash
# Compiles the module of `milp report --what-if` to target/wasm/milp_whatif.wasm.gz.
#
# Needs Rust's standard library for WebAssembly. Where the toolchain has none, rustup adds it;
# Debian has it as the package libstd-rust-dev-wasm32, of the same version as its rustc.
set -euo pipefail
cd "$(dirname "$0")/.."

target=wasm32-unknown-unknown
has_target() { compgen -G "$(rustc --print sysroot)/lib/rustlib/$target/lib/libcore-*.rlib" >/dev/null; }

if ! has_target && command -v rustup >/dev/null; then
    echo "Rust's standard library for $target is not here: rustup adds it." >&2
    rustup target add $target >&2 || echo "rustup could not add it: see above." >&2
fi
if ! has_target; then
    echo "There is no standard library of $(rustc --version) for $target here. Add it by" >&2
    echo "    rustup target add $target" >&2
    echo "or, to a Rust of Debian, apt-get install libstd-rust-dev-wasm32, and run this again." >&2
    exit 1
fi

# Where things are on this machine is nobody's business who reads a page.
export RUSTFLAGS="--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo --remap-path-prefix=$PWD=/milp"
# Beside the build of the command, so that neither waits for the other's lock.
CARGO_TARGET_DIR=target/wasm/build cargo rustc --locked --quiet --profile module -p milp-whatif --lib \
    --crate-type cdylib --target $target
gzip -9 -n -c target/wasm/build/$target/module/milp_whatif.wasm >target/wasm/milp_whatif.wasm.part
mv target/wasm/milp_whatif.wasm.part target/wasm/milp_whatif.wasm.gz
