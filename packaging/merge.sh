#!/bin/sh
# Makes a static library of others: one object, whose hidden symbols are local, so
# that none of them meets a name of the program that it is linked into.
#
#   merge.sh OUTPUT COMPILER... -- ARCHIVE...
set -eu

output=$1
shift
compiler=
while [ "$1" != -- ]; do
        compiler="$compiler $1"
        shift
done
shift

rm -f "$output"
# shellcheck disable=SC2086
$compiler -r -nostdlib -o "$output.o" -Wl,--whole-archive "$@" -Wl,--no-whole-archive
${OBJCOPY:-objcopy} --localize-hidden "$output.o"
${AR:-ar} rcs "$output" "$output.o"
rm -f "$output.o"
