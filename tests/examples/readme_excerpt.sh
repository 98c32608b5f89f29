#!/usr/bin/env bash
# readme_excerpt.sh README TILEWRIGHT: every line of CUDA that the README shows is one that
# `tilewright dump flash --causal` prints, and in that order; lines with "…" are gaps.
# The numbers that refer to the user's lines may differ.
set -euo pipefail
dump=$("$2" dump flash --causal | sed -E 's/^ +//; s/\[[0-9]+\] //')
shown=$(sed -n '/^```cuda/,/^```$/{/^```/d;p}' "$1" | sed -E 's/^ +//; s/\[[0-9]+\] //')
[ "$(wc -l <<<"$shown")" -ge 10 ] || { echo "$1: no excerpt of CUDA" && exit 1; }
while read -r line; do
  [ "$line" != … ] || continue
  at=$(grep -nxF -m 1 -- "$line" <<<"$dump" | cut -d: -f1) || true
  [ -n "$at" ] || { echo "$1: not in the dump, or not in this order: $line" && exit 1; }
  dump=$(tail -n "+$((at + 1))" <<<"$dump")
done <<<"$shown"
