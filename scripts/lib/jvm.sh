# shellcheck shell=bash
# Sourced: what the launcher and the build agree on about Java.

# java_home JAVA: the home of the runtime that this command starts. One program only (readlink): guests wait for the launcher.
java_home() {
    local binary
    binary="$(readlink -f "$(command -v "$1")")"
    binary="${binary%/*}"
    printf '%s\n' "${binary%/*}"
}

# class_data_archive DIRECTORY JAVA: where the class-data archive for this runtime is kept. An archive fits one build of one
# runtime; Java ignores it quietly where it does not fit.
class_data_archive() {
    local home
    home="$(java_home "$2")"
    printf '%s/%s.jsa\n' "$1" "${home##*/}"
}

JVMS=/usr/lib/jvm

# java_version HOME: its feature release, such as 17.
java_version() { sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$1/release"; }

# find_jdk FROM TO: a development kit whose version lies between the two: that of JAVA_HOME if it does, or else the last one
# below $JVMS. Prints nothing if there is none. Reads the kits' own `release` files: starting a JVM takes half a second.
find_jdk() {
    local candidate version found=""
    for candidate in "$JVMS"/* "${JAVA_HOME:-}"; do
        if [ -x "$candidate/bin/javac" ] && [ -f "$candidate/release" ]; then
            version="$(java_version "$candidate")"
            if [ "${version:-0}" -ge "$1" ] && [ "${version:-0}" -le "$2" ]; then
                found="$candidate"
            fi
        fi
    done
    printf '%s\n' "$found"
}
