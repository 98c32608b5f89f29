// `bench`: times and rates where there are times, counters and no time on the emulator; the count
// of operations and bytes behind the rates.
#include "command_harness.hpp"
#include "measure/timing.hpp"
#include "measure/work.hpp"

using namespace tilewright;
using namespace tilewright::test;

TEST_CASE("bench gives the median, its spread and the rate, as FlashAttention counts") {
  const auto object = invoke(
                          "bench fake --plant gpu --heads 2 --seqlen-q 100 --seqlen-kv 50 "
                          "--head-dim 64 --value-dim 32 --causal --json")
                          .json();
  CHECK(object.at("ok") == true);
  CHECK(object.at("flops") == 2.0 * 2 * 100 * 50 * (64 + 32) / 2);
  CHECK(object.at("bytes") == 2.0 * (2 * 100 + 2 * 50) * (64 + 32) + 4 * 2 * 100);
  const auto& time = object.at("milliseconds");
  CHECK(time.at("median") == 2.5);
  CHECK(time.at("min") == 1);
  CHECK(time.at("max") == 4);
  CHECK(time.at("repetitions") == 4);
  const double rate = object.at("tflops");
  CHECK(rate == doctest::Approx(960000 / 2.5e-3 / 1e12));
  CHECK(object.contains("max_abs_error") == false);  // nothing was compared
  for (const char* key :
       {"variant", "device", "arch", "shape", "tile", "blocks", "counters", "faults"})
    CHECK(object.contains(key));
  const auto text = invoke("bench fake --plant gpu").out;
  CHECK(text.find("2.5 ms (median of 4; 1 to 4)") != std::string::npos);
  CHECK(text.find("TFLOP/s") != std::string::npos);
}

TEST_CASE("without times there is no rate, and the text says why") {
  const auto object = invoke("bench fake --json").json();
  CHECK(object.at("milliseconds").is_null());
  CHECK(object.at("tflops").is_null());
  CHECK(object.at("counters").at("tensor_ops") == 678);
  const auto text = invoke("bench fake").out;
  CHECK(text.find("none: the emulator counts") != std::string::npos);
  CHECK(text.find("678 tensor_ops") != std::string::npos);
  CHECK(text.find("TFLOP/s") == std::string::npos);
}

TEST_CASE("a faulting run fails; wrong requests are refused by name") {
  CHECK(invoke("bench fake --plant fault").status == 1);
  require_refused("bench fake --repetitions 0", 2, "invalid_argument", "--repetitions", "0");
  require_refused("bench fake --seqlen-q -1", 2, "invalid_argument", "--seqlen-q", "-1");
  require_refused("bench nothing", 2, "invalid_argument", "VARIANT", "nothing");
  require_refused("bench fake --check", 2, "invalid_argument", "--check");
}

TEST_CASE("operations and bytes by hand; medians") {
  const auto work = library::attention_work(
      {.batch = 3, .heads = 4, .kv_heads = 2, .seqlen_q = 10, .seqlen_kv = 20}, 64, 64, f32, 1);
  CHECK(work.flops == 4.0 * 10 * 20 * 64 * 4 * 3);
  // q and out: 3 * 4 * 10 rows; k and v: 3 * 2 * 20 rows; 64 floats each; lse: 3 * 4 * 10 floats.
  CHECK(work.bytes == 4.0 * (2 * 120 * 64 + 2 * 120 * 64 + 120));
  CHECK(library::spread_of({5}).median == 5);
  CHECK(library::spread_of({3, 1, 2}).median == 2);
  CHECK(library::spread_of({4, 1, 2, 3}).median == 2.5);
}
