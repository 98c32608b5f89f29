#!/usr/bin/env bash
# One idea per file: no source file is longer than 400 lines, unless it says why at its top.
#
# The argument is a line "// Long file: <reason>" ("# Long file: ..." in scripts) among the first 15.
source "$(dirname "${BASH_SOURCE[0]}")/tree.sh"

while read -r lines file; do
  { [ "$lines" -le 400 ] || [ "$file" = total ]; } && continue
  head -n 15 "$file" | grep -qE '^(//|#) Long file: .{10}' ||
    finding "$file: $lines lines; allowed: 400, or a line '// Long file: <reason>' at its top"
done < <(tree_files | grep -E '\.(hpp|cpp|h|c|cuh|sh|py|cmake)$|CMakeLists\.txt$|^\.ci/' |
  tr '\n' '\0' | xargs -0 -r wc -l)
finish "source files longer than 400 lines"
