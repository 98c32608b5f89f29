#!/usr/bin/env bash
# page.sh PAGE SOURCE BUILD WORK [CUDA_INCLUDE NVRTC_FOLDER NVCC]: a page does what it says.
#
# In WORK, where build, examples and library lead to the real ones: every ```sh block is run and must
# succeed, "```sh nvcc" where there is an nvcc; "```cpp NAME" is written to NAME; each line of a ```text
# block must be in what the block before it printed, in that order ("…": a gap). ```cuda blocks are
# readme_excerpt.sh's business.
set -euo pipefail
page=$1 source=$2 build=$3 work=$4 cuda=${5:-} nvrtc=${6:-} nvcc=${7:-}
rm -rf "$work" && mkdir -p "$work/cuda/lib64"
cd "$work"
ln -s "$build" build
ln -s "$source/examples" examples
ln -s "$source/library" library
ln -s "$cuda" cuda/include
for file in "$nvrtc"/libnvrtc*.so*; do ln -sf "$file" cuda/lib64/; done
[ -e cuda/lib64/libnvrtc.so ] || ln -s "$(ls "$nvrtc"/libnvrtc.so.* | head -n 1)" cuda/lib64/libnvrtc.so
export CUDA="$work/cuda" TILEWRIGHT_CACHE_DIR="$work/cache" PATH="$PATH:${nvcc:+$(dirname "$nvcc")}"

ran=0 skipped=0 kind="" name="" block="" number=0
run() {
  case "$kind $name" in
    "sh " | "sh nvcc")
      if [ "$name" = nvcc ] && ! command -v nvcc >/dev/null; then
        skipped=$((skipped + 1))
        return
      fi
      bash -euo pipefail -c "$block" >said 2>&1 ||
        { cat said && echo "$page: line $number: this block fails:" && echo "$block" && exit 1; }
      ran=$((ran + 1))
      ;;
    "cpp "?*) printf '%s\n' "$block" >"$name" ;;
    "text ")
      local at=0 found
      while read -r line; do
        [ "$line" != … ] && [ -n "$line" ] || continue
        found=$(tail -n "+$((at + 1))" said | grep -nF -m 1 -- "$line" | cut -d: -f1) || true
        [ -n "$found" ] || { cat said && echo "$page: line $number: not printed: $line" && exit 1; }
        at=$((at + found))
      done <<<"$block"
      ;;
    "cuda ") ;;
    *) echo "$page: line $number: a block of an unknown kind: $kind $name" && exit 1 ;;
  esac
}
inside=0 at=0
while IFS= read -r line; do
  at=$((at + 1))
  if [ "$inside" = 0 ] && [[ $line == '```'* ]]; then
    read -r kind name <<<"${line#'```'}" || true
    inside=1 block="" number=$at
  elif [ "$inside" = 1 ] && [ "$line" = '```' ]; then
    inside=0
    run
  elif [ "$inside" = 1 ]; then
    block+="${block:+$'\n'}$line"
  fi
done <"$page"
[ "$ran" -ge 5 ] || { echo "$page: only $ran blocks were run" && exit 1; }
echo "$ran blocks run, $skipped left out: no nvcc"
