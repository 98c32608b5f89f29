#!/usr/bin/env bash
# What the README tells people to type exists: every file named in its sh blocks can be run.
#
#   readme_commands.sh ROOT [TILEWRIGHT]     TILEWRIGHT: the command that was built
#
# A line "build/tilewright SUB ..." asks the built command for "SUB --help". The scripts of the first
# run and of the tests must be named, CI must run them, and every link to a file must lead somewhere.
source "$(dirname "${BASH_SOURCE[0]}")/tree.sh"
command_file=${2:-}

while read -r line; do
  read -r -a words <<<"${line%%#*}"
  while [[ ${words[0]:-} =~ ^[A-Z_]+= ]]; do words=("${words[@]:1}"); done
  case "${words[0]:-}" in
    "") ;;
    build/tilewright)
      [ -n "$command_file" ] || continue
      "$command_file" "${words[1]}" --help >/dev/null 2>&1 ||
        finding "README.md: '$line': the command knows no '${words[1]}'"
      ;;
    */*) [ -x "${words[0]}" ] || finding "README.md: '$line': ${words[0]} cannot be run" ;;
    *) command -v "${words[0]}" >/dev/null || finding "README.md: '$line': no such command" ;;
  esac
done < <(sed -n '/^```sh/,/^```/{/^```/d;p}' README.md)

for script in examples/quickstart.sh tests/run.sh; do
  grep -q "$script" README.md || finding "README.md does not name $script"
  grep -q "$script" .ci/run || finding ".ci/run does not call $script"
  [ -x "$script" ] || finding "$script cannot be run"
done
[ -x .ci/run ] || finding ".ci/run cannot be run"

while read -r target; do
  [ -z "$target" ] || [ -e "$target" ] || finding "README.md: links to $target, which is not there"
done < <(sed '/^```/,/^```/d' README.md | grep -oE '\]\([^)#]+' | sed 's/^](//' | grep -v '://' || true)
finish "README.md against the tree"
