#!/usr/bin/env bash
# From a bare Debian to a first answer: scripts/install/bare.sh [FOLDER]
#
# Does what the Dockerfile says, line by line, in roots made by debootstrap: RUN lines with chroot,
# COPY lines with cp. Needs root, debootstrap and the network, and 3 GB below FOLDER.
# RUST=mounted uses this machine's toolchain in place of the line that fetches one; the last line
# says which it was, and how long everything took after the bare system was there. A build that is
# to be quick rather than small takes CARGO_PROFILE_RELEASE_OPT_LEVEL=0.
set -euo pipefail
cd "$(dirname "$0")/../.."

folder=${1:-$(mktemp -d /tmp/milp-bare.XXXXXX)}
source=$PWD
rust=${RUST:-rustup}
pristine=$folder/pristine

mkdir -p "$folder"
[ -e "$pristine/etc/debian_version" ] ||
    debootstrap --variant=minbase bookworm "$pristine" http://deb.debian.org/debian >"$folder/log"
cp /etc/resolv.conf "$pristine/etc/resolv.conf"

mounted=()
unmount() { for mount in "${mounted[@]}"; do umount -l "$mount"; done; mounted=(); }
trap unmount EXIT
mount_at() { mkdir -p "$2" && mount --bind "$1" "$2" && mounted=("$2" "${mounted[@]}"); }

# A root as an image is: made new, with the machine's devices.
begin() {
    unmount
    rm -rf "$root"
    cp -a "$pristine" "$root"
    mount_at /proc "$root/proc"
    mount_at /dev "$root/dev"
    if [ "$rust" = mounted ]; then
        mount_at "$(rustc --print sysroot)" "$root/opt/rust"
        mkdir -p "$root/root/.cargo/bin"
        ln -sf /opt/rust/bin/{cargo,rustc} "$root/root/.cargo/bin/"
    fi
}

run() {
    case $1 in
    *sh.rustup.rs*) [ "$rust" = mounted ] && return ;;
    esac
    echo "RUN $1"
    chroot "$root" env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        DEBIAN_FRONTEND=noninteractive \
        CARGO_PROFILE_RELEASE_OPT_LEVEL="${CARGO_PROFILE_RELEASE_OPT_LEVEL:-2}" sh -c "cd $place && $1" >>"$folder/log" 2>&1
    # Where the network is behind a certificate of this machine, the root trusts it as well.
    [ ! -e "$root/etc/ssl/certs/ca-certificates.crt" ] ||
        cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
}

copy() {
    case $1 in
    "--from=build "*)
        read -r _ from to <<<"$1"
        cp -a "$folder/build$from/." "$root$to"
        ;;
    ". "*)
        mkdir -p "$root${1#. }"
        git ls-files -z | tar --null --files-from - --create --file - |
            tar --extract --directory "$root${1#. }"
        ;;
    *) echo "COPY $1: not understood" >&2 && exit 1 ;;
    esac
}

start=$SECONDS
stage=0
place=/
while read -r word rest; do
    case $word in
    FROM)
        stage=$((stage + 1))
        root=$folder/$([ "$stage" -eq 1 ] && echo build || echo image)
        place=/
        begin
        ;;
    RUN) run "$rest" ;;
    COPY) copy "$rest" ;;
    WORKDIR) place=$rest && mkdir -p "$root$rest" ;;
    ENTRYPOINT) ;;
    '#'* | '') ;;
    *) echo "$word: not understood" >&2 && exit 1 ;;
    esac
done <"$source/Dockerfile"
cp -a "$source/instances" "$root$place/instances"
chroot "$root" sh -c "cd $place && milp solve instances/n4.yaml" >"$folder/answer"
head -n 3 "$folder/answer"
grep -qF 'proved by a bound in exact integers' "$folder/answer"
size=$(stat -c %s "$root/usr/local/bin/milp")
build=$(du -sm "$folder/build/milp/target" | cut -f 1)
echo "stage: bare Debian to the first answer: $((SECONDS - start)) s with Rust from $rust;" \
    "milp has $((size / 1000000)) MB, its build $build MB"
