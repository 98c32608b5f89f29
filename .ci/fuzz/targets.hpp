// What hostile input reaches: one function per reader, shared by the fuzzer and by the test that
// replays the committed corpora (tests/hostile/replay.cpp).
//
// A reader may refuse an input with its own error, and nothing else: whatever escapes from one of
// these functions, and whatever a sanitizer says on the way, is a fault. So is an answer that
// contradicts itself; `require` says which.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace tilewright::fuzz {

/// The bytes of a safetensors file: header, data, and q, k, v of a request read from it.
void safetensors(std::string_view input);

/// A schedule's text. What is accepted must print as a text that reads back as the same schedule.
void schedule(std::string_view input);

/// PTX text, up to a loaded module: parsed, calls inlined, variables placed, every kernel decoded.
void ptx(std::string_view input);

/// `tilewright`'s command line, a word a line, up to a complete request with its kernels named; or,
/// after a first line `# list`, the lines of a list for `tilewright warmup`.
void command(std::string_view input);

struct Target {
  const char* name;
  void (*one)(std::string_view);
};
inline void require(bool holds, const char* what) {
  if (!holds) throw std::logic_error(std::string("fuzz: not so: ") + what);
}

}  // namespace tilewright::fuzz
