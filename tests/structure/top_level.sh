#!/usr/bin/env bash
# The top level of the tree is fixed: six folders, two files, and dot-files.
#
# A new name up there is a decision about the whole project, so it is made here, not in passing.
source "$(dirname "${BASH_SOURCE[0]}")/tree.sh"

while read -r name; do
  case "$name" in
    dsl | lowering | library | examples | tests | bench | CMakeLists.txt | README.md | .*) ;;
    *) finding "$name: not among the names of the top level" ;;
  esac
done < <(tree_files | cut -d/ -f1 | sort -u)
for name in dsl lowering library examples tests bench CMakeLists.txt README.md; do
  [ -e "$name" ] || finding "$name: missing from the top level"
done
finish "names at the top level"
