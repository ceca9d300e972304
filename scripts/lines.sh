#!/usr/bin/env bash
# How much Rust there is: lines without tests and without the published programs, for each crate
# and in all; then the files over 500 lines and the functions over 70.
#
#   scripts/lines.sh [ROOT]
set -euo pipefail
cd "${1:-$(dirname "$0")/..}"

# Folders of tests, files named tests.rs and the published programs are left out by their paths.
git ls-files '*.rs' |
    grep -Ev '(^|/)(tests|published)/|(^|/)tests\.rs$' |
    awk '
    # A file, without the modules under #[cfg(test)].
    function count(file,    line, lines, at, skips, armed, indent, name, from) {
        lines = at = skips = armed = 0
        name = ""
        while ((getline line < file) > 0) {
            if (line ~ /^ *#\[cfg\(test\)\]/) { armed = 1; continue }
            if (armed) {
                armed = line ~ /^ *#\[/
                if (!armed && line ~ /\{$/) { match(line, /^ */); skips = 1; indent = RLENGTH }
                continue
            }
            if (skips) {
                match(line, /^ */)
                if (RLENGTH == indent && substr(line, indent + 1, 1) == "}") skips = 0
                continue
            }
            lines++
            if (name == "" && line ~ /^ *(pub(\([a-z]+\))? )?(const |unsafe |extern "C" )*fn /) {
                match(line, /^ */); depth = RLENGTH
                name = line; sub(/.*fn /, "", name); sub(/[^A-Za-z0-9_].*/, "", name)
                from = lines
                if (line ~ /(;|\})$/) name = ""
            } else if (name != "") {
                match(line, /^ */)
                ends = RLENGTH == depth && line ~ /^ *(\}|.*;$)/
                if (ends && lines - from + 1 > 70) long[file ": " name] = lines - from + 1
                if (ends) name = ""
            }
        }
        close(file)
        return lines
    }
    {
        lines = count($0)
        crate = $0; sub(/\/.*/, "", crate)
        of[crate] += lines; all += lines
        if (lines > 500) large[$0] = lines
    }
    END {
        sort = "sort -k2"
        for (crate in of) printf "%6d %s\n", of[crate], crate | sort
        close(sort)
        printf "%6d in all\n", all
        sort = "sort -rn"
        print "\nfiles over 500 lines:"
        for (file in large) printf "%6d %s\n", large[file], file | sort
        close(sort)
        print "\nfunctions over 70 lines:"
        for (name in long) printf "%6d %s\n", long[name], name | sort
        close(sort)
    }'
