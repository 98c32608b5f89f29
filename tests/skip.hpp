// How a test says that this machine cannot run it.
//
// The whole program then counts as skipped, so tests that need hardware go into a program of their
// own, registered with LABELS gpu. tests/expected_skips.txt lists which may be skipped.
#pragma once

namespace tilewright::test {

/// Prints "[SKIP] reason" and marks this test program as skipped. The test case returns after it.
void skip(const char* reason);

}  // namespace tilewright::test
