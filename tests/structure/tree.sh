# Sourced by the scripts here: which files make up the tree, and how a finding is reported.
#
# In a git checkout the tree is what git tracks plus what it would offer to add; elsewhere every file
# outside the build folders. Each script takes the root of the tree as its first argument.
# planted.sh shows that every one of them can fail.
set -euo pipefail
export LC_ALL=C
root=$(cd "$1" && pwd)
cd "$root"

tree_files() {  # [pathspec...]: the tree's files, one per line, relative to the root
  if [ -n "$(git ls-files -- . 2>/dev/null | head -n 1)" ] && [ -e .git ]; then
    git ls-files --cached --others --exclude-standard -- . | grep -v '^shared/' | sort -u |
      while read -r file; do [ ! -f "$file" ] || echo "$file"; done
  else
    find . -type f ! -path './.git/*' ! -path './build*/*' ! -path './tilewright-out/*' \
      ! -name '*.pyc' | sed 's|^\./||' | sort
  fi
}

sources() { tree_files | grep -E '\.(hpp|cpp|h|c|cuh|cu)$' || true; }

findings=0
finding() {
  printf '%s\n' "$*"
  findings=$((findings + 1))
}

finish() {  # what was looked at
  echo "$1: $findings finding(s)"
  [ "$findings" = 0 ]
}
