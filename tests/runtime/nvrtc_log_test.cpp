// NVRTC's log with the user's lines put in: messages, their echo, and what is no message.
#include "runtime/nvrtc_log.hpp"

#include <doctest/doctest.h>

using namespace tilewright::runtime;

namespace {

const std::string text = "int a;\n  b = 1;\nint c;\n";

std::string place(int line) { return line == 2 ? "user.cpp:7 > softmax.hpp:9" : ""; }

NvrtcMessages told(const std::string& log) { return explained(log, text, "k.cu", place); }

}  // namespace

TEST_CASE("the user's line stands below the message, the text where the log lacks it") {
  const auto echoed = told("k.cu(2): error: b is undefined\n    b = 1;\n    ^\n\n1 error.\n");
  CHECK(echoed.text ==
        "k.cu(2): error: b is undefined\n  from user.cpp:7 > softmax.hpp:9\n    b = 1;\n    ^\n\n"
        "1 error.\n");
  CHECK(echoed.where == "user.cpp:7 > softmax.hpp:9");
  CHECK(told("k.cu(2): error: no\n").text ==
        "k.cu(2): error: no\n  from user.cpp:7 > softmax.hpp:9\n    b = 1;\n");
}

TEST_CASE("warnings, lines of no statement, and lines that are not there") {
  CHECK(told("k.cu(2): warning #177-D: never used\n").where.empty());
  CHECK(told("k.cu(1): error: no\n").text == "k.cu(1): error: no\n    int a;\n");
  CHECK(told("k.cu(1): error: no\nk.cu(2): error: nor this\n").where ==
        "user.cpp:7 > softmax.hpp:9");
  for (const char* log :
       {"k.cu(0): error: x\n", "k.cu(99): error: x\n", "k.cu(): error: x\n", "k.cu(2: error: x\n",
        "other.cu(2): error: x\n", "ptxas fatal\n", "k.cu(", "k.cu(99999999999999): error: x\n"})
    CHECK(told(log).text.find("from") == std::string::npos);
  CHECK(told("").text.empty());
  CHECK(explained("k.cu(2): error: x\n", text, "k.cu", {}).where.empty());
}
