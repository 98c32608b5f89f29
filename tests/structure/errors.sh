#!/usr/bin/env bash
# The catalogue of errors: every id is thrown somewhere and provoked by a test, and no id is twice.
#
# A table is a file called errors.hpp or *_errors.hpp; its entries are used as errors::TABLE["id"].
# That every error thrown has an id of a table is the compiler's business (dsl/tilewright/error.hpp).
source "$(dirname "${BASH_SOURCE[0]}")/tree.sh"

tables='^(dsl|lowering|library)/(.*/)?([a-z]+_)?errors[.]hpp$'
mapfile -t table_files < <(tree_files | grep -E "$tables")
words_of() {  # what, of standard input's files: every "word" in quotes, once
  tr '\n' '\0' | xargs -0 -r grep -hoE "$1\"[a-z0-9-]+\"" | grep -oE '"[a-z0-9-]+"' | sort -u
}
ids=$(printf '%s\n' "${table_files[@]}" | tr '\n' '\0' | xargs -0 -r grep -hoE '^ *\{"[a-z0-9-]+"' |
  grep -oE '"[a-z0-9-]+"' | sort)
used=$(tree_files | grep -E '^(dsl|lowering|library)/.*[.](hpp|cpp)$' | grep -vE "$tables" |
  words_of 'errors::[a-z]+[[]')
tested=$(tree_files | grep -E '^tests/.*[.](hpp|cpp|sh)$' | words_of '')

[ "${#table_files[@]}" -gt 0 ] || finding "there is no table of errors"
while read -r id; do
  [ -z "$id" ] || finding "$id: is in two tables, or twice in one"
done < <(uniq -d <<<"$ids")
while read -r id; do
  [ -z "$id" ] || finding "$id: is in a table, and nothing throws it"
done < <(comm -23 <(uniq <<<"$ids") <(echo "$used"))
while read -r id; do
  [ -z "$id" ] || finding "$id: no test provokes it"
done < <(comm -23 <(uniq <<<"$ids") <(echo "$tested"))
finish "the catalogue of errors"
