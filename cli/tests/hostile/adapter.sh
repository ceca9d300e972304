#!/bin/sh
# An adapter that misbehaves in one way: `adapter.sh MODE`. `adapter.sh list` names the modes.
# cli/tests/adapters.rs runs each of them; see there what must come of it.

engine=toy version=1
next=1

read_request() { read -r request || exit 0; }

# One line, byte for byte: an echo that knows escapes would change it.
line() { printf '%s\n' "$1"; }

# Answers the request just read.
result() {
    line "{\"jsonrpc\":\"2.0\",\"id\":$next,\"result\":$1}"
    next=$((next + 1))
}

begin() {
    read_request
    result "{\"protocol\":\"milp-engine/2.0\",\"engine\":\"$engine\",\"version\":\"$version\",\"effects\":[]}"
}

# Begins, and answers everything with these effects.
effects() {
    begin
    while read_request; do result "{\"effects\":[$1]}"; done
}

# Begins, and answers the next request with that line.
answer() {
    begin
    read_request
    line "$1"
    hang
}

hang() { while :; do sleep 1; done; }

# A commit with that view, block and number, and the rest of a label that is as it should be.
commit() {
    printf '{"effect":"send","replica":0,"message":%s,"label":{"kind":"Commit","height":0,"view":%s,"value":{"view":%s,"index":%s},"justification":null}}' \
        "$3" "$1" "$1" "$2"
}

# Comma-separated copies of a text.
copies() {
    out=$2 count=1
    while [ "$count" -lt "$1" ]; do out="$out,$2" count=$((count + 1)); done
    printf '%s' "$out"
}

# So many sends with fresh numbers.
fresh() {
    out= last=$((sent + $1))
    while [ "$sent" -lt "$last" ]; do
        sent=$((sent + 1))
        out="$out${out:+,}{\"effect\":\"send\",\"replica\":0,\"message\":$sent,\"label\":{\"kind\":\"ChangeView\",\"height\":0,\"view\":0,\"value\":null,\"justification\":null}}"
    done
}

case $1 in
list) sed -n 's/^\([a-z][a-z0-9-]*\)) .*/\1/p' "$0" | grep -v '^list$' ;;

# Ends, or does not.
exits) exit 0 ;;
fails) echo "why: $0" >&2; exit 7 ;;
fails-later) begin; read_request; exit 3 ;;
crashes) kill -SEGV $$ ;;
killed) begin; kill -KILL $$ ;;
hangs) hang ;;
hangs-later) begin; hang ;;
reads-only) cat >/dev/null ;;
stops) kill -STOP $$; hang ;;
closes-input) exec <&-; hang ;;
closes-output) exec >&-; cat >/dev/null; hang ;;
closes-everything) exec <&- >&- 2>&-; hang ;;
closes-output-later) begin; exec >&-; hang ;;

# Processes.
ignores-signals) trap '' HUP INT QUIT TERM; hang ;;
has-children) sleep 1000 & sleep 1000 & begin; hang ;;
has-a-daemon) setsid sleep 30 & begin; hang ;;
leaves-a-daemon) setsid sleep 30 & exit 0 ;;
leaves-its-group) exec setsid sh "$0" hangs ;;
ends-its-group) kill -KILL 0 ;;

# Floods.
floods) exec yes ;;
floods-one-line) exec cat /dev/zero ;;
floods-errors) yes >&2 & hang ;;
long-line) read_request; head -c 17000000 /dev/zero | tr '\0' x; line; hang ;;
sends-for-ever) sent=0; begin; while read_request; do fresh 1000; result "{\"effects\":[$out]}"; done ;;
many-effects) begin; read_request; f=$(copies 4000 '{"effect":"timer","replica":0,"timers":[]}'); result "{\"effects\":[$f]}"; hang ;;
carries-much) begin; c=$(copies 4000 '{"author":0,"label":{"kind":"Commit","height":0,"view":0,"value":{"view":0,"index":0},"justification":null}}'); read_request; result "{\"effects\":[{\"effect\":\"send\",\"replica\":0,\"message\":9,\"label\":{\"kind\":\"RecoveryMessage\",\"height\":0,\"view\":0,\"value\":null,\"justification\":null},\"carried\":[$c]}]}"; hang ;;

# Slow.
slow) begin; while read_request; do sleep 9; result '{"effects":[]}'; done ;;
slow-start) sleep 9; begin; hang ;;
rather-slow) begin; while read_request; do sleep 0.4; result '{"effects":[]}'; done ;;
by-letters) read_request; while :; do printf x; sleep 0.1; done ;;

# No JSON-RPC.
no-json) answer 'hello' ;;
nothing-said) answer '' ;;
no-text) begin; read_request; printf '\377\376\n'; hang ;;
zeroes) begin; read_request; printf '\000\n'; hang ;;
deep) begin; read_request; head -c 200000 /dev/zero | tr '\0' '['; line; hang ;;
huge-number) answer '{"jsonrpc":"2.0","id":2,"result":{"effects":[],"x":1e999999}}' ;;
wrong-id) answer '{"jsonrpc":"2.0","id":77,"result":{}}' ;;
escape-id) answer '{"jsonrpc":"2.0","id":"\u001b[2J\n","result":{}}' ;;
old-rpc) answer '{"jsonrpc":"1.0","id":2,"result":{}}' ;;
both) answer '{"jsonrpc":"2.0","id":2,"result":{},"error":{"code":-32602,"message":""}}' ;;
unknown-error) answer '{"jsonrpc":"2.0","id":2,"error":{"code":5,"message":"\u001b[31mred\n"}}' ;;
refuses) begin; while read_request; do line "{\"jsonrpc\":\"2.0\",\"id\":$next,\"error\":{\"code\":-32602,\"message\":\"\\u009b2Jno\"}}"; next=$((next + 1)); done ;;
unfinished) begin; read_request; printf '{"jsonrpc":'; hang ;;
unasked) begin; line '{"jsonrpc":"2.0","id":2,"result":{"effects":[]}}'; hang ;;

# Names and words.
path-name) engine=../../../tmp/up; effects '' ;;
escape-name) engine='\u001b[2Jx'; effects '' ;;
lines-name) engine='a\nverified'; effects '' ;;
no-name) engine=; effects '' ;;
long-name) engine=$(printf '%0200d' 7); effects '' ;;
escape-version) version='\u202e1'; effects '' ;;
escape-words) printf '\033]0;title\007\r\233\n' >&2; exit 4 ;;
escape-fault) effects '{"effect":"fault","replica":0,"text":"\u001b[2J\nall hold"}' ;;
escape-kind) effects '{"effect":"send","replica":0,"message":1,"label":{"kind":"\u001b[2J","height":0,"view":0,"value":{"view":0,"index":0},"justification":null}}' ;;
escape-field) effects '{"effect":"fault","replica":0,"text":"x","\u001b[2J":1}' ;;

# Numbers.
other-protocol) read_request; result '{"protocol":"milp-engine/1.0","engine":"toy","version":"1","effects":[]}'; hang ;;
largest-view) effects '{"effect":"enter_view","replica":0,"height":0,"view":4294967295}' ;;
largest-block) effects "$(commit 0 4294967295 1)" ;;
largest-height) effects '{"effect":"enter_view","replica":0,"height":4294967295,"view":1}' ;;
largest-deadline) effects '{"effect":"timer","replica":0,"timers":[{"name":"view","height":0,"view":0,"deadline":18446744073709551615}]}' ;;
no-replica) effects '{"effect":"fault","replica":4294967295,"text":"x"}' ;;
same-number) effects "$(commit 0 0 1)" ;;
two-timers) effects '{"effect":"timer","replica":0,"timers":[{"name":"view","height":0,"view":0,"deadline":1},{"name":"view","height":0,"view":0,"deadline":2}]}' ;;
no-timer) effects '{"effect":"timer","replica":0,"timers":[{"name":"\u001b[2J","height":0,"view":0,"deadline":1}]}' ;;
no-value) effects '{"effect":"send","replica":0,"message":1,"label":{"kind":"Commit","height":0,"view":0,"value":"\u001b[2J","justification":null}}' ;;
two-timers-told) effects "$(copies 2 '{"effect":"timer","replica":0,"timers":[]}')" ;;
no-state) effects '' ;;

*) echo "no mode $1; adapter.sh list names them" >&2; exit 64 ;;
esac
