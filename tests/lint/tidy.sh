#!/bin/sh
# Every C file of ours, tests aside, passes clang-tidy as .clang-tidy says.
#
#   tidy.sh ROOT BUILD-FOLDER
#
# BUILD-FOLDER is built: clang-tidy reads the headers that are generated there.
# The version matters: other ones find other things.
set -eu
root=$(cd "$1" && pwd)
build=$(cd "$2" && pwd)

for tool in "${CLANG_TIDY:-clang-tidy-14}" clang-tidy; do
        command -v "$tool" >/dev/null && break
done
case $("$tool" --version 2>&1) in
*version\ 14.*) ;;
*)
        echo "SKIPPED: no clang-tidy 14 in PATH"
        exit 77
        ;;
esac
[ -f "$build/compile_commands.json" ] || {
        echo "$build has no compile_commands.json: it is no build folder of Meson's"
        exit 1
}

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM

# One output a file: what runs at once does not mix. A file that it cannot
# read, or that is in no compile command, is a finding as well.
export folder tool build
cd "$root"
find client core gen server testkit tools -name '*.c' | sort >"$folder/files"
[ -s "$folder/files" ] || {
        echo "$root has no C files"
        exit 1
}
tr '\n' '\0' <"$folder/files" | xargs -0 -P "$(nproc)" -n 1 sh -c '
        out=$folder/$(echo "$1" | tr / +)
        "$tool" -p "$build" --quiet --warnings-as-errors="*" "$1" >"$out.found" 2>"$out.log" ||
                cat "$out.found" "$out.log" >"$out.failed"' sh || true

n_files=$(wc -l <"$folder/files")
n_run=$(find "$folder" -name '*.found' | wc -l)
n_failed=$(find "$folder" -name '*.failed' | wc -l)
find "$folder" -name '*.failed' -exec cat {} + |
        grep -vE '^[0-9]+ warnings? (generated|treated as errors?)|^Suppressed|^Use -header-filter' || true
echo "clang-tidy: $n_files files, $n_failed with findings"
[ "$n_run" -eq "$n_files" ] || {
        echo "only $n_run of them were read"
        exit 1
}
[ "$n_failed" -eq 0 ]
