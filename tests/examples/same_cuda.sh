#!/usr/bin/env bash
# same_cuda.sh LESSON: what the lesson prints with --cuda is a kernel, the same in a second process, and a
# whole program: its reference half compiles as plain C++.
set -euo pipefail
first=$("$1" --cuda)
second=$("$1" --cuda)
grep -q 'extern "C" __global__' <<<"$first" || { echo "no kernel in the output of $1 --cuda" && exit 1; }
if [ "$first" != "$second" ]; then
  diff <(echo "$first") <(echo "$second") || true
  exit 1
fi
grep -q '^int main() {' <<<"$first" || { echo "no main() in the output of $1 --cuda" && exit 1; }
sed -n '/^#ifdef TILEWRIGHT_MAIN/,/^#endif/p' <<<"$first" |
  g++ -std=c++17 -DTILEWRIGHT_MAIN -DTILEWRIGHT_REFERENCE_ONLY -fsyntax-only -x c++ -
