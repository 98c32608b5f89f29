#!/usr/bin/env bash
# What a user's file costs to compile: one attention kernel of its own in at most 4 s, a call of a
# bundled one in at most 1 s, and so the headers alone.
#
#   compile_time.sh ROOT COMPILER CUDA_INCLUDE
#
# Processor time of g++ -O2 (or of the compiler given), the best of up to five runs: a busy machine
# inflates it, and one run within the bound shows that the bound can be kept.
set -euo pipefail
root=$1 compiler=$2 cuda=$3
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
includes=(-I"$root/dsl" -I"$root/lowering" -I"$root/library" -isystem "$cuda")
status=0

# bound MILLISECONDS FILE: compiles FILE until it keeps the bound
bound() {
  local best=999999 milliseconds TIMEFORMAT='%U %S'
  for _ in 1 2 3 4 5; do
    milliseconds=$({ time "$compiler" -std=c++20 -O2 "${includes[@]}" -c "$2" -o "$folder/out.o"; } 2>&1 |
      tee "$folder/said" | awk 'END { printf "%d", 1000 * ($1 + $2) }')
    [ -s "$folder/out.o" ] || { cat "$folder/said" && exit 1; }
    [ "$milliseconds" -ge "$best" ] || best=$milliseconds
    [ "$best" -gt "$1" ] || break
  done
  local name=${2#"$root"/}
  echo "$best ms of $1: ${name#"$folder"/}"
  [ "$best" -le "$1" ] || status=1
}

bound 4000 "$root/tests/first_result/user_file.cpp"
bound 1000 "$root/tests/first_result/caller_file.cpp"
# The language; the facade on top of it, which is new weight beside it; what callers include.
for header in dsl.hpp compile.hpp library.hpp; do
  echo "#include <tilewright/$header>" >"$folder/$header.cpp"
  bound $([ "$header" = compile.hpp ] && echo 1500 || echo 1000) "$folder/$header.cpp"
done
exit $status
