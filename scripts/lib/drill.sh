# shellcheck shell=bash
# Sourced: how the commands of failover-drills are started.

# drill COMMAND HEAP [SETUP-OPTION...] -- [ARGUMENT...]: sets up and builds what is missing, then becomes that command.
drill() {
    local checkout jar command=$1 heap=$2 setup=(--quiet)
    shift 2
    while [ "$1" != -- ]; do
        setup+=("$1")
        shift
    done
    shift
    checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
    jar=$checkout/failover-drills/target/drills.jar
    case " $* " in
        *' --help '* | *' -h '*) [ -f "$jar" ] || "$checkout/scripts/build.sh" ;; # to read needs no QEMU
        *)
            "$checkout/scripts/setup.sh" "${setup[@]}"
            "$checkout/scripts/build.sh"
            ;;
    esac
    # It measures milliseconds on the machine it loads: a small heap, and no second compiler beside the guests' CPUs.
    exec "${JAVA_HOME:+$JAVA_HOME/bin/}java" -Dholdfast.checkout="$checkout" \
        -XX:+UseSerialGC -XX:TieredStopAtLevel=1 "-Xmx$heap" \
        -Djnr.ffi.x86asm.enabled=false \
        -XX:+IgnoreUnrecognizedVMOptions --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow \
        -cp "$jar:$checkout/failover-drills/target/lib/*" \
        "io.holdfast.drills.$command" "$@"
}
