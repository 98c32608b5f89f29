#!/usr/bin/env bash
# same_cuda.sh LESSON: what the lesson prints with --cuda is a kernel, and the same in a second process.
set -euo pipefail
first=$("$1" --cuda)
second=$("$1" --cuda)
grep -q 'extern "C" __global__' <<<"$first" || { echo "no kernel in the output of $1 --cuda" && exit 1; }
if [ "$first" != "$second" ]; then
  diff <(echo "$first") <(echo "$second") || true
  exit 1
fi
