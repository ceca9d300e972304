#!/usr/bin/env bash
# Finds what the tests of reports need and installs what is missing where it may: Chromium with
# its driver, and axe-core, the accessibility checker, in target/axe.
set -euo pipefail
cd "$(dirname "$0")/.."

# npm takes the very file that the lock has the hash of, or none.
lock=scripts/browser/package-lock.json
axe=axe-core@$(sed -n '/"node_modules\/axe-core"/,/}/s/.*"version": "\(.*\)".*/\1/p' $lock)

# What is missing and the Debian package that has it.
packages=()
command -v chromium >/dev/null || packages+=(chromium)
command -v chromedriver >/dev/null || packages+=(chromium-driver)
if [ ${#packages[@]} -gt 0 ]; then
    echo "The tests of reports need ${packages[*]}, not found here." >&2
    if ! command -v apt-get >/dev/null; then
        echo "There is no apt-get on this machine: please install Chromium and its driver and" >&2
        echo "make them the commands chromium and chromedriver." >&2
        exit 1
    fi
    if [ "$(id -u)" -eq 0 ]; then
        as_root=()
    elif command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
        as_root=(sudo)
    else
        echo "Neither root nor sudo is available here; ask an administrator to run" >&2
        echo "    apt-get install ${packages[*]}" >&2
        exit 1
    fi
    echo "Installing ${packages[*]} with apt-get." >&2
    "${as_root[@]}" apt-get update -qq &&
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
            apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null || {
        echo "apt-get could not install ${packages[*]}: see above, install them by hand." >&2
        exit 1
    }
fi

# The version is part of the folder's name, so that another one is fetched anew.
folder=target/axe/$axe
if [ ! -s "$folder/axe.min.js" ]; then
    if ! command -v npm >/dev/null; then
        echo "There is no npm on this machine, with which $axe is fetched: install npm." >&2
        exit 1
    fi
    echo "Fetching $axe from the npm registry to $folder." >&2
    rm -rf "$folder"
    mkdir -p "$folder"
    cp scripts/browser/package.json $lock "$folder/"
    (cd "$folder" && npm ci --no-audit --no-fund --ignore-scripts --silent)
    mv "$folder/node_modules/axe-core/axe.min.js" "$folder/axe.min.js"
    rm -rf "$folder/node_modules"
fi
