#!/bin/sh
# Every C file of ours is formatted as .clang-format says.
#
#   format.sh ROOT
#
# The version matters: 14 is what the files were formatted with.
set -eu
cd "$1"
for tool in clang-format-14 clang-format; do
        command -v "$tool" >/dev/null && break
done
case $("$tool" --version) in
*version\ 14.*) ;;
*) echo "SKIPPED: $("$tool" --version) is not clang-format 14"; exit 77 ;;
esac
find core gen server client tools tests -name '*.[ch]' ! -path '*/golden/*' -print0 |
        xargs -0 "$tool" --dry-run -Werror
