#!/usr/bin/env bash
# Finds what the build needs and installs what is missing where it may.
#
# The solver HiGHS is C++ and is compiled from source, so the build needs a C++ compiler, cmake,
# ninja and libclang besides Rust. Rust itself is never installed from here: how to get it is
# the user's choice. With the argument cbc it looks for the library of CBC, too, with which the
# tests search again what HiGHS found.
set -uo pipefail

rust_needed=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)

if ! command -v cargo >/dev/null; then
    cat >&2 <<EOF
There is no Rust toolchain: 'cargo' is not on the PATH nor in ~/.cargo/bin.
Install Rust $rust_needed or newer from https://rustup.rs (one command, no root needed),
open a new shell and run this again.
EOF
    exit 1
fi
rust_found=$(rustc --version | awk '{print $2}')
if [ "$(printf '%s\n%s\n' "$rust_needed" "${rust_found%%-*}" | sort -V | head -n 1)" != "$rust_needed" ]; then
    echo "Rust $rust_found is too old: $rust_needed or newer is needed. With rustup: rustup update" >&2
    exit 1
fi

has_compiler() { command -v c++ >/dev/null || command -v g++ >/dev/null || command -v clang++ >/dev/null; }
# The C interface of clang, libclang.so; libclang-cpp.so beside it is another library, and a link
# may point nowhere.
has_libclang() {
    [ -n "${LIBCLANG_PATH:-}" ] && return 0
    local dirs=(/usr/lib/llvm-*/lib /usr/lib/*-linux-gnu /usr/lib64 /usr/lib64/llvm*/lib
        /opt/homebrew/opt/llvm/lib /Library/Developer/CommandLineTools/usr/lib) dir file
    command -v llvm-config >/dev/null && dirs+=("$(llvm-config --libdir)")
    for dir in "${dirs[@]}"; do
        for file in "$dir"/libclang.so* "$dir"/libclang-[0-9]*.so* "$dir"/libclang.dylib; do
            [ -e "$file" ] && return 0
        done
    done
    return 1
}

# What is missing, in words, and the Debian package that has it.
missing=()
packages=()
has_compiler || { missing+=("a C++ compiler"); packages+=(g++); }
command -v cmake >/dev/null || { missing+=(cmake); packages+=(cmake); }
command -v ninja >/dev/null || { missing+=(ninja); packages+=(ninja-build); }
if [ "${1:-}" = cbc ]; then
    command -v pkg-config >/dev/null || { missing+=(pkg-config); packages+=(pkg-config); }
    pkg-config --exists cbc 2>/dev/null || { missing+=("the library of CBC"); packages+=(coinor-libcbc-dev); }
fi
has_libclang || { missing+=(libclang); packages+=(libclang-dev); }
[ ${#missing[@]} -eq 0 ] && exit 0

list=$(printf '%s, ' "${missing[@]}")
echo "The build needs ${list%, }, not found here." >&2

if ! command -v apt-get >/dev/null; then
    echo "There is no apt-get on this machine: please install them with your package manager" >&2
    echo "(Debian's names: ${packages[*]}) and run this again." >&2
    exit 1
fi
if [ "$(id -u)" -eq 0 ]; then
    as_root=()
elif command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
    as_root=(sudo)
else
    echo "Neither root nor sudo is available here; ask an administrator to run" >&2
    echo "    apt-get install ${packages[*]}" >&2
    echo "and run this again." >&2
    exit 1
fi
echo "Installing ${packages[*]} with apt-get." >&2
"${as_root[@]}" apt-get update -qq &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${packages[@]}" >/dev/null || {
    echo "apt-get could not install ${packages[*]}: see above, install them by hand and run this again." >&2
    exit 1
}
