#!/usr/bin/env bash
# kernels_count.sh BENCH_KERNELS: on the emulator the benchmark of kernels runs its small shapes once each,
# counts as many tensor operations as full tiles of the formula take, and claims no speed.
set -euo pipefail
said=$("$1" --benchmark_format=csv 2>/dev/null)
if grep -qiE 'flop/s|items_per_second|bytes_per_second"' <<<"$(tail -n +2 <<<"$said")"; then
  echo "a speed from the emulator:" && echo "$said" && exit 1
fi
lines=$(grep -c '^"flash/' <<<"$said" || true)
[ "$lines" = 32 ] || { echo "$said" && echo "$lines shapes, expected 32" && exit 1; }
[ "$(grep -c 'no time' <<<"$said")" = 32 ] || { echo "$said" && echo "a line without its label" && exit 1; }

# 4 heads, 256 rows and keys, dimension 64, no mask: 4 * 256 * 256 * 64 * 4 operations, all on tensor cores.
header=$(grep '^name,' <<<"$said" | tr -d '"')
column() { tr ',' '\n' <<<"$header" | grep -nx "$1" | cut -d: -f1; }
value() { grep "^\"$1\"" <<<"$said" | cut -d, -f"$(column "$2")"; }
whole=flash/bf16/full/d64/batch1/heads4_4/seqlen256
for name in tensor_ops flop; do
  got=$(value "$whole/iterations:1/manual_time" "\"\?$name\"\?")
  [ "$got" = 6.71089e+07 ] || { echo "$said" && echo "$whole: $name is $got, expected 67108864" && exit 1; }
done
