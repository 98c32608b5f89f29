// NVRTC's messages, each with the user's line that the generated line was written for.
// Next: nvrtc.cpp, which throws them; tests/runtime/nvrtc_log_test.cpp.
#pragma once

#include <functional>
#include <string>

namespace tilewright::runtime {

/// The user's "file:line" for a line of the generated text, from 1; empty where there is none.
using LineOrigins = std::function<std::string(int)>;

struct NvrtcMessages {
  std::string text;   ///< the log: below each message the user's line, and the text if it lacks it
  std::string where;  ///< the user's line of the first error that has one
};

/// `log` is NVRTC's for `text`, compiled under the name `file`; a message starts with "file(LINE):
/// ".
NvrtcMessages explained(const std::string& log, const std::string& text, const std::string& file,
                        const LineOrigins& origins);

}  // namespace tilewright::runtime
