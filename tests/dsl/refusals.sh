#!/usr/bin/env bash
# Compiles every program of refuse/ and accept/ with one compiler. A program of refuse/ must give
# exactly one error, on that line the sentence of its first line (`// expect:`); the words of its
# second line (`// names:`) must stand there or in the next diagnostic, and the line marked
# `// wrong` must be named. A program of accept/ must compile without a word.
# Usage: refusals.sh COMPILER INCLUDE_DIR WORK_DIR
set -u
compiler=$1 include=$2 work=$3
here=$(cd "$(dirname "$0")" && pwd)
if ! command -v "$compiler" > /dev/null; then
  echo "[SKIP] $compiler is not installed"
  exit 77
fi
mkdir -p "$work"
echo "#include \"$here/dimensions.hpp\"" > "$work/dimensions.hpp"
flags=(-std=c++20 -Wall -Wextra -fno-color-diagnostics -I "$include" -I "$here")
if "$compiler" --version | grep -q clang; then
  flags+=(-fno-caret-diagnostics)
  header=(-include-pch "$work/dimensions.pch")
  "$compiler" "${flags[@]}" -x c++-header "$work/dimensions.hpp" -o "$work/dimensions.pch" || exit 1
else
  flags=("${flags[@]/-fno-color-diagnostics/-fdiagnostics-color=never}")
  flags+=(-fno-diagnostics-show-caret)
  header=(-Winvalid-pch -include "$work/dimensions.hpp")
  "$compiler" "${flags[@]}" -x c++-header "$work/dimensions.hpp" -o "$work/dimensions.hpp.gch" || exit 1
fi
failures=0
complain() {
  echo "FAILED $1: $2"
  failures=$((failures + 1))
}

for program in "$here"/refuse/*.cpp; do
  name=refuse/$(basename "$program")
  expect=$(sed -n '1s,^// expect: ,,p' "$program")
  words=$(sed -n '2s,^// names: ,,p' "$program")
  line=$(grep -n '// wrong$' "$program" | cut -d: -f1)
  output=$("$compiler" "${flags[@]}" "${header[@]}" -fsyntax-only "$program" 2>&1)
  errors=$(grep -c ' error: ' <<< "$output")
  error=$(grep ' error: ' <<< "$output" | head -n 1)
  # The first diagnostic with an error, and the one after it.
  shown=$(grep -E ' (error|note|warning): ' <<< "$output" | grep -A 1 ' error: ' | head -n 2)
  if [ -z "$expect" ] || [ -z "$words" ] || [ -z "$line" ]; then
    complain "$name" "lacks '// expect:', '// names:' or '// wrong'"
  elif [ "$errors" -ne 1 ]; then
    complain "$name" "gives $errors errors instead of one"
    echo "$output" | grep ' error: ' | cut -c 1-300
  elif ! grep -qF -- "$expect" <<< "$error"; then
    complain "$name" "expected '$expect'"
    echo "$error" | cut -c 1-600
  elif ! grep -qF "$name:$line:" <<< "$output"; then
    complain "$name" "does not name $name:$line"
    echo "$output" | cut -c 1-300
  else
    for word in $words; do
      grep -qF -- "$word" <<< "$shown" || {
        complain "$name" "does not name $word"
        echo "$shown" | cut -c 1-900
      }
    done
  fi
done

# All corrected programs in one translation unit, each in a namespace: one compilation instead of forty.
count=0
echo '#include "dimensions.hpp"' > "$work/accept.cpp"
for program in "$here"/accept/*.cpp; do
  [ -f "$here/refuse/$(basename "$program")" ] || complain "accept/$(basename "$program")" "has no twin"
  count=$((count + 1))
  echo "namespace program_$count {" >> "$work/accept.cpp"
  echo "#include \"$program\"" >> "$work/accept.cpp"
  echo "}" >> "$work/accept.cpp"
done
output=$("$compiler" "${flags[@]}" -Werror "${header[@]}" -fsyntax-only "$work/accept.cpp" 2>&1) ||
  complain "accept/" "does not compile"
[ -z "$output" ] || {
  complain "accept/" "gives diagnostics"
  echo "$output" | grep -E ' (error|warning): |accept/' | cut -c 1-400
}

for program in "$here"/refuse/*.cpp; do
  [ -f "$here/accept/$(basename "$program")" ] || complain "$(basename "$program")" "has no corrected twin"
done
echo "$compiler: $(ls "$here"/refuse/*.cpp | wc -l) wrong programs, $failures failures"
[ "$failures" -eq 0 ]
