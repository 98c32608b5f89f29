#!/usr/bin/env bash
# new_variant.sh PAGE SOURCE BUILD WORK: the page that adds a variant, in a fresh copy of the tree.
#
# The copy is configured and built as any other; but an object whose source is that of SOURCE is copied
# from BUILD, which is of the same tree, in place of compiling it again.
set -euo pipefail
page=$1 source=$2 build=$3 work=$4
rm -rf "$work" && mkdir -p "$work/tree"
cd "$source"
if [ -e .git ] && [ -n "$(git ls-files | head -n 1)" ]; then
  git ls-files -z --cached --others --exclude-standard
else
  find . -type f ! -path './build*/*' ! -path './.git/*' -print0
fi | grep -zv '^shared/' | tar --null --files-from=- --create --ignore-failed-read 2>/dev/null |
  tar --extract --directory "$work/tree"

cat >"$work/compile" <<END
#!/usr/bin/env bash
# COMPILER … -o OBJECT -c SOURCE
object="" before="" list=""
for word in "\$@"; do
  case "\$before" in -o) object=\$word ;; -MF) list=\$word ;; esac
  before=\$word
done
own=\${before#"$work/tree/"}
if [ -n "\$list" ] && [ "\$own" != "\$before" ] && cmp -s "\$before" "$source/\$own" && [ -e "$build/\$object" ]; then
  echo "\$object:" >"\$list"
  exec cp "$build/\$object" "\$object"
fi
exec "\$@"
END
chmod +x "$work/compile"
cache=$build/CMakeCache.txt
setting() { sed -n "s/^$1:[A-Z]*=//p" "$cache"; }
cmake -S "$work/tree" -B "$work/tree/build" -G "$(setting CMAKE_GENERATOR)" \
  -DCMAKE_CXX_COMPILER="$(setting CMAKE_CXX_COMPILER)" -DCMAKE_BUILD_TYPE="$(setting CMAKE_BUILD_TYPE)" \
  -DTILEWRIGHT_CUDA_INCLUDE_DIR="$(setting TILEWRIGHT_CUDA_FOUND)" \
  -DCMAKE_C_COMPILER_LAUNCHER="$work/compile" -DCMAKE_CXX_COMPILER_LAUNCHER="$work/compile" \
  -DTILEWRIGHT_BUILD_TESTS=ON -DTILEWRIGHT_BUILD_BENCH=ON >"$work/configured"

cd "$work/tree"
export TILEWRIGHT_DEVICE=emulator:sm_80
file="" block="" kind="" ran=0
while IFS= read -r line; do
  case "$line" in
    '```') ;;
    '```'*)
      read -r kind file <<<"${line#'```'}" || true
      block="" line=""
      continue
      ;;
    *)
      block+="$line"$'\n'
      continue
      ;;
  esac
  case "$kind" in
    cpp) printf '%s' "$block" >"$file" && [ "$(wc -l <"$file")" -le 40 ] ;;
    sh)
      bash -euo pipefail -c "$block" >"$work/said" 2>&1 || { cat "$work/said" && echo "fails: $block" && exit 1; }
      ran=$((ran + 1))
      ;;
    text)
      while read -r expected; do
        [ "$expected" = … ] || [ -z "$expected" ] || grep -qF -- "$expected" "$work/said" ||
          { cat "$work/said" && echo "not printed: $expected" && exit 1; }
      done <<<"$block"
      ;;
  esac
  kind="" block=""
done <"$page"
[ "$ran" = 5 ] || { echo "$page: $ran blocks were run" && exit 1; }
echo "$ran blocks run in a fresh copy"
