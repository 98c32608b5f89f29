#!/usr/bin/env bash
# every_task.sh ROOT LIST PROGRAM: each file of examples/tasks is run by a test of LIST and named in the
# README, and none is longer than 100 lines of code; PROGRAM (launch_shipped) holds nothing of Tilewright.
set -euo pipefail
root=$1 list=$2 program=$3
status=0
for file in "$root"/examples/tasks/*.cpp; do
  name=$(basename "$file" .cpp)
  grep -qw "$name" "$list" || { echo "$name: no test runs it" && status=1; }
  grep -qw "$name" "$root/README.md" || { echo "$name: the README does not name it" && status=1; }
  lines=$(grep -cvE '^(//.*)?$' "$file")
  [ "$lines" -le 100 ] || { echo "$name: $lines lines of code, allowed: 100" && status=1; }
done
symbols=$(nm -C "$program")
if grep -q 'tilewright::' <<<"$symbols"; then
  echo "$program: something of Tilewright is linked" && status=1
fi
exit $status
