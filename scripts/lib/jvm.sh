# shellcheck shell=bash
# Sourced: what the launcher and the build agree on about Java.

# java_home JAVA: the home of the runtime that this command starts.
java_home() {
    local binary
    binary="$(readlink -f "$(command -v "$1")")"
    dirname "$(dirname "$binary")"
}

# class_data_archive DIRECTORY JAVA: where the class-data archive for this runtime is kept. An archive fits one build of one
# runtime; Java ignores it quietly where it does not fit.
class_data_archive() {
    printf '%s/%s.jsa\n' "$1" "$(basename "$(java_home "$2")")"
}
