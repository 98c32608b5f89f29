// printf and assert of kernels: cuda/messages.cu prints what the host's printf prints for the same
// arguments, in the order of lanes, and an assertion that fails is CUDA_ERROR_ASSERT, with file,
// line, block and thread on the error stream and in the fault.
#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "cases.hpp"

namespace tilewright::corpus {
namespace {

/// What the body writes to a stream of this process.
template <class Body>
std::string written_to(std::FILE* stream, Body body) {
  std::fflush(stream);
  std::FILE* file = std::tmpfile();
  REQUIRE(file != nullptr);
  const int kept = dup(fileno(stream));
  dup2(fileno(file), fileno(stream));
  body();
  std::fflush(stream);
  dup2(kept, fileno(stream));
  ::close(kept);
  std::string text;
  std::rewind(file);
  for (int c = std::fgetc(file); c != EOF; c = std::fgetc(file)) text += static_cast<char>(c);
  std::fclose(file);
  return text;
}

void print_like_the_kernel(int value) {
  for (int t = 0; t < 3; ++t) std::printf("thread %d of block %u\n", t, 0u);
  const unsigned word = unsigned(value);
  std::printf("%5d|%-6i|%+d|%06d|% d\n", value, value, value, value, value);
  std::printf("%u %x %X %#x %o %c %%\n", word, word, word, word, word, 'A' + value % 26);
  std::printf("%lld %llu %llx %hd %ld\n", static_cast<long long>(value) << 33, 1ull << 63,
              0xabcdef0123456789ull, short(value), static_cast<long>(value));
  std::printf("%f %.3f %10.2e %g %G\n", value * 0.5, 3.14159265, 12345.678, 1e-7, 1e20);
  std::printf("%s and %8s and %-8s|\n", "plain", "right", "left");
  std::printf("%*d %.*f\n", 7, value, 2, 2.71828);
  std::printf("no arguments\n");
}

TEST_CASE("a kernel's printf prints what the host's does") {
  for (const int value : {77, -12345}) {
    Session session(file_text("ptx/messages.ptx"));
    const auto in = session.input(std::vector<int>(32, value));
    const std::string got = written_to(stdout, [&] {
      CHECK(session.launch("messages", {1, 32}, in) == CUDA_SUCCESS);
    });
    const std::string expected = written_to(stdout, [&] { print_like_the_kernel(value); });
    CHECK(got == expected);
    CHECK(kinds_of(session.faults()) == "none");
  }
}

TEST_CASE("an assertion that fails ends the launch with its place") {
  Session session(file_text("ptx/messages.ptx"));
  auto x = random_integers<int>(96, 50, 0, 99);
  auto in = session.input(x);
  const auto out = session.output<int>(96);
  const int limit = 100;
  CHECK(session.launch("checked", {3, 32}, in, out, limit) == CUDA_SUCCESS);
  for (int& value : x) ++value;
  CHECK(equal(session.read(out), x, "value") == "");

  std::fill(x.begin(), x.end(), 0);
  x[37] = 1000;
  CORPUS_OK(cuMemcpyHtoD(in.address, x.data(), x.size() * sizeof(int)));
  const std::string said = written_to(stderr, [&] {
    CHECK(session.launch("checked", {3, 32}, in, out, limit) == CUDA_ERROR_ASSERT);
  });
  CHECK(said ==
        "messages.cu:23: void checked(const int *, int *, int): block: [1,0,0], thread: "
        "[5,0,0] Assertion `x[i] < limit` failed.\n");
  REQUIRE(session.faults().size() == 1);
  CHECK(session.faults()[0].kind == "assertion");
  CHECK(session.faults()[0].cuda_line == 23);
  CHECK(session.faults()[0].message + "\n" == said);
}

}  // namespace
}  // namespace tilewright::corpus
