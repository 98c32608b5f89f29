#!/usr/bin/env bash
# quickstart_files.sh PROGRAM INPUT FOLDER: exits 0, leaves its three files, and calls a damaged input by
# its name with exit status 1, leaving nothing.
set -euo pipefail
program=$1 input=$2 folder=$3
rm -rf "$folder"
mkdir -p "$folder"

"$program" "$input" "$folder/out"
for file in out_full.safetensors out_causal.safetensors flash.cu; do
  [ -s "$folder/out/$file" ] || { echo "quickstart left no $file" && exit 1; }
done
if cmp -s "$folder/out/out_full.safetensors" "$folder/out/out_causal.safetensors"; then
  echo "full and causal gave the same result" && exit 1
fi

head -c 100000 "$input" >"$folder/short.safetensors"
status=0
message=$("$program" "$folder/short.safetensors" "$folder/none" 2>&1) || status=$?
[ "$status" = 1 ] || { echo "a damaged input: exit status $status, expected 1" && exit 1; }
grep -q short.safetensors <<<"$message" || { echo "the message names no file: $message" && exit 1; }
[ ! -e "$folder/none" ] || { echo "a damaged input left a folder" && exit 1; }
