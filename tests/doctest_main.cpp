// The main() every test program shares.
//
// It exits with 77 when a test case called skip() and nothing failed: CTest then counts the program
// as skipped, and tests/run.sh compares the skipped ones with tests/expected_skips.txt. A failure
// always wins over a skip. Look next at skip.hpp.
#define DOCTEST_CONFIG_IMPLEMENT
#include "skip.hpp"

#include <doctest/doctest.h>

#include <cstdio>

namespace tilewright::test {
namespace {
bool skip_requested = false;
}  // namespace

void skip(const char* reason) {
  skip_requested = true;
  std::printf("[SKIP] %s\n", reason);
}
}  // namespace tilewright::test

int main(int argument_count, char** arguments) {
  doctest::Context context(argument_count, arguments);
  const int result = context.run();
  if (context.shouldExit() || result != 0) return result;
  return tilewright::test::skip_requested ? 77 : 0;
}
