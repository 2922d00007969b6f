# shellcheck shell=bash
# A Debian 12 that nobody has touched, with systemd as its first process. Sourced by scripts/package-test.sh; needs
# guest-kernel.sh, root, debootstrap and systemd-nspawn.

# The packages that Debian itself calls essential, systemd, and the bus by which systemctl speaks.
CLEAN_DEBIAN_PACKAGES=systemd,systemd-sysv,dbus,adduser,iproute2

NSPAWN=(systemd-nspawn --quiet --register=no --keep-unit)

clean_debian_archives() { printf '%s\n' "$(holdfast_cache_dir)/debian-12-archives"; }

# debian_make DIRECTORY: a copy of the clean Debian there. The first time it is made, which takes two or three minutes.
debian_make() {
    local clean
    prepare_holdfast_cache
    clean=$(holdfast_cache_dir)/debian-12
    if [ ! -f "$clean.complete" ]; then
        rm -rf "$clean"
        debootstrap --variant=minbase "--include=$CLEAN_DEBIAN_PACKAGES" bookworm "$clean" > "$clean.log" 2>&1 \
            || { tail -n 3 "$clean.log" >&2; return 1; }
        touch "$clean.complete"
    fi
    mkdir -p "$1"
    cp -a "$clean/." "$1/"
}

# debian_fetch DIRECTORY PACKAGE...: what apt needs to install these without a network. Debian's mirror is asked for what the
# cache lacks only.
debian_fetch() {
    local box=$1
    shift
    mkdir -p "$(clean_debian_archives)/partial"
    # Recommendations (a desktop for QEMU) would be three times as much.
    echo 'APT::Install-Recommends "false";' > "$box/etc/apt/apt.conf.d/90small"
    "${NSPAWN[@]}" -D "$box" --pipe --chdir=/ "--bind=$(clean_debian_archives):/var/cache/apt/archives" \
        sh -c 'apt-get -q update && apt-get -q install -y --download-only "$@"' fetch "$@" > "$box.fetch" 2>&1 \
        || { tail -n 5 "$box.fetch" >&2; return 1; }
}

debian_nspawn=""
debian_init=""

# debian_boot DIRECTORY LOG: boots it; back when systemd has started everything.
debian_boot() {
    "${NSPAWN[@]}" -D "$1" --boot --private-network --console=read-only "--machine=holdfast-test-$$" \
        "--bind=$(clean_debian_archives):/var/cache/apt/archives" > "$2" 2>&1 &
    debian_nspawn=$!
    local deadline=$((SECONDS + 120))
    until debian_runs && inside systemctl is-system-running 2> /dev/null | grep -qE 'running|degraded'; do
        [ $SECONDS -lt $deadline ] && kill -0 $debian_nspawn 2> /dev/null || return 1
        sleep 0.2
    done
}

debian_runs() {
    [ -n "$debian_nspawn" ] || return 1
    [ -n "$debian_init" ] || debian_init=$(pgrep -P "$debian_nspawn" -x systemd) || return 1
    kill -0 "$debian_init" 2> /dev/null
}

# inside COMMAND...: in the booted Debian, as root there.
inside() {
    nsenter --target "$debian_init" --mount --uts --ipc --net --pid --root --wd \
        /usr/bin/env -C /root -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive TERM=dumb "$@"
}

# inside_shell [DIRECTORY]: runs the commands of standard input, one after the other until one fails.
inside_shell() {
    local commands
    commands=$(cat)
    inside bash -e -c "cd ${1:-/root}
$commands" < /dev/null
}

# debian_stop: at once; nothing in there is worth a shutdown. With its first process all of its processes end.
debian_stop() {
    [ -n "$debian_nspawn" ] || return 0
    if debian_runs; then kill -KILL "$debian_init"; else kill -TERM "$debian_nspawn" 2> /dev/null || true; fi
    wait "$debian_nspawn" 2> /dev/null || true
    debian_nspawn=""
    debian_init=""
}
