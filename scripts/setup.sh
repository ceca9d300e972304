#!/usr/bin/env bash
# Finds what the build needs and installs what is missing where it may.
#
# Rust: rustup brings it, said before it happens; NO_RUSTUP=1 leaves that to the user.
# The solver HiGHS: scripts/highs.sh fetches it compiled; where it cannot, HiGHS is compiled from
# source and the build needs cmake, ninja, libclang and a C++ compiler besides.
# With the argument cbc the library of CBC is looked for, too, with which the tests search again
# what HiGHS found; with solvers the commands of GLPK and CBC, which solve what is exported.
set -uo pipefail
cd "$(dirname "$0")/.."

rust_needed=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
export PATH=$PATH:$HOME/.cargo/bin

# Installs packages of Debian, given with what they are for: in words, then their names.
install() {
    local words=$1
    shift
    echo "The build needs $words, not found here." >&2
    if ! command -v apt-get >/dev/null; then
        echo "There is no apt-get on this machine: please install them with your package manager" >&2
        echo "(Debian's names: $*) and run this again." >&2
        return 1
    fi
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        if command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
            as_root=(sudo)
        else
            echo "Neither root nor sudo is available here; ask an administrator to run" >&2
            echo "    apt-get install $*" >&2
            echo "and run this again." >&2
            return 1
        fi
    fi
    echo "Installing $* with apt-get." >&2
    "${as_root[@]}" apt-get update -qq &&
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null || {
        echo "apt-get could not install $*: see above, install them by hand and run this again." >&2
        return 1
    }
}

new_enough() { [ "$(printf '%s\n%s\n' "$rust_needed" "$1" | sort -V | head -n 1)" = "$rust_needed" ]; }

# Rust itself.
parts=(--profile minimal --component rustfmt --component clippy)
if ! command -v cargo >/dev/null; then
    if [ -n "${NO_RUSTUP:-}" ]; then
        echo "There is no Rust here, and NO_RUSTUP leaves it to you: install Rust $rust_needed or newer" >&2
        echo "(https://rustup.rs: one command, no root needed) and run this again." >&2
        exit 1
    fi
    if ! command -v rustup >/dev/null && apt-cache show rustup >/dev/null 2>&1; then
        install "Rust (rustup; NO_RUSTUP=1 leaves it to you)" rustup || exit 1
    fi
    if command -v rustup >/dev/null; then
        echo "There is no Rust here: rustup installs its stable toolchain (NO_RUSTUP=1 leaves it to you)." >&2
        rustup toolchain install stable "${parts[@]}" >&2 && rustup default stable >&2
    else
        command -v curl >/dev/null || install curl curl ca-certificates || exit 1
        echo "There is no Rust here: the installer of https://rustup.rs puts it into ~/.cargo and ~/.rustup" >&2
        echo "(NO_RUSTUP=1 leaves it to you)." >&2
        curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs |
            sh -s -- -y --no-modify-path --default-toolchain stable "${parts[@]}" >&2
    fi || {
        echo "Rust could not be installed: see above. Install Rust $rust_needed or newer by hand" >&2
        echo "(https://rustup.rs) and run this again." >&2
        exit 1
    }
    hash -r
    command -v cargo >/dev/null || {
        echo "Rust was installed and there is still no 'cargo' on the PATH nor in ~/.cargo/bin." >&2
        exit 1
    }
fi
rust_found=$(rustc --version | awk '{print $2}')
if ! new_enough "${rust_found%%-*}"; then
    echo "Rust $rust_found is too old: $rust_needed or newer is needed. With rustup: rustup update" >&2
    exit 1
fi

# What is missing, in words, and the Debian package that has it.
missing=()
packages=()
need() { missing+=("$1"); packages+=("${@:2}"); }
install_missing() {
    [ ${#missing[@]} -eq 0 ] && return 0
    local list
    list=$(printf '%s, ' "${missing[@]}")
    install "${list%, }" "${packages[@]}" || return 1
    missing=()
    packages=()
}

# Every link needs a compiler's linker and the C library's headers.
command -v cc >/dev/null || need "a C compiler" gcc libc6-dev
command -v pkg-config >/dev/null || need pkg-config pkg-config
python3 -m pip --version >/dev/null 2>&1 || need "python3 with pip" python3-pip
if [ "${1:-}" = cbc ]; then
    pkg-config --exists cbc 2>/dev/null || need "the library of CBC" coinor-libcbc-dev
fi
if [ "${1:-}" = solvers ]; then
    command -v glpsol >/dev/null || need GLPK glpk-utils
    command -v cbc >/dev/null || need CBC coinor-cbc
fi
install_missing || exit 1

scripts/highs.sh
case $? in
0) exit 0 ;;
3) ;;
*) exit 1 ;;
esac

# From source.
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
has_compiler || need "a C++ compiler" g++
command -v cmake >/dev/null || need cmake cmake
command -v ninja >/dev/null || need ninja ninja-build
has_libclang || need libclang libclang-dev
install_missing
