#!/usr/bin/env bash
# Runs every test: installs what is missing, builds everything into build/, then CTest.
#
# Arguments go to CTest (tests/run.sh -R emulator). After a full run the tests that were skipped are
# compared with tests/expected_skips.txt. The last lines are CTest's summary, its verdict last of all.
# The exit status is CTest's, or 1 where a test was skipped that should have run.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
"$root/.ci/build.sh" --tests

output=$(mktemp)
trap 'rm -f "$output" "$output".*' EXIT
status=0
cd "$root/build"
ctest --output-on-failure --no-label-summary --no-tests=error -j2 "$@" </dev/null 2>&1 |
  tee "$output" | sed -u '/^[0-9]*% tests passed/,$d' || status=${PIPESTATUS[0]}

# Result lines look like: 3/40 Test #7: name .......***Skipped   0.01 sec
sed -n 's/^ *[0-9]*\/[0-9]* Test *#[0-9]*: \([^ ]*\) .*\*\*\*Skipped .*/\1/p' "$output" |
  LC_ALL=C sort >"$output.skipped"
if PATH="$PATH:/usr/sbin:/sbin" ldconfig -p 2>/dev/null | grep -q 'libcuda\.so\.1'; then
  : >"$output.expected"
else
  grep -v '^#' "$root/tests/expected_skips.txt" | LC_ALL=C sort >"$output.expected" || true
fi
printf 'Skipped: %s\n' "$(wc -l <"$output.skipped")"
if [ $# = 0 ] && ! diff "$output.expected" "$output.skipped" >"$output.difference"; then
  echo "FAILED: not the tests of tests/expected_skips.txt were skipped (<: should be, >: were):"
  grep '^[<>]' "$output.difference"
  [ "$status" != 0 ] || status=1
fi
verdict='^[0-9]*% tests passed'
sed "1,/$verdict/d" "$output"
echo
grep "$verdict" "$output" || true
exit "$status"
