// `tilewright run`: its report, its defaults, its files and its exit status.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "command_harness.hpp"
#include "formats/safetensors.hpp"
#include "temporary_folder.hpp"

namespace {

using namespace tilewright;
using test::invoke;

const std::string small = " --seqlen-q 9 --seqlen-kv 12 --heads 2 --head-dim 8";

}  // namespace

TEST_CASE("the JSON of a run has every promised field, and the defaults") {
  const auto outcome = invoke("run fake --json --check --seqlen-q 5");
  CHECK(outcome.status == 0);
  CHECK(outcome.err.empty());
  const auto object = outcome.json();
  CHECK(object.at("ok") == true);
  CHECK(object.at("variant") == "fake");
  CHECK(object.at("device") == "fake:0");
  CHECK(object.at("arch") == "sm_80");
  CHECK(object.at("shape") == nlohmann::json{{"batch", 1},
                                             {"heads", 8},
                                             {"kv_heads", 8},
                                             {"seqlen_q", 5},
                                             {"seqlen_kv", 5},
                                             {"head_dim", 64},
                                             {"value_dim", 64},
                                             {"dtype", "bf16"},
                                             {"dot_precision", "f32"},
                                             {"layout", "bhsd"},
                                             {"causal", false},
                                             {"causal_alignment", "bottom-right"},
                                             {"softmax_scale", 0.125}});
  CHECK(object.at("seed") == 0);
  CHECK(object.at("max_abs_error") <= object.at("tolerance"));
  CHECK(object.at("max_abs_error_lse") <= object.at("tolerance_lse"));
  CHECK(object.at("tile") == nlohmann::json{{"q", 64}, {"kv", 32}});
  CHECK(object.at("blocks") == nlohmann::json{{"skipped", 1}, {"full", 2}, {"cut", 3}});
  CHECK(object.at("counters").at("global_bytes") == 12345);
  CHECK(object.at("faults") == nlohmann::json::array());
}

TEST_CASE("options reach the shape and the schedule") {
  const auto object = invoke(
                          "run fake --json --batch 2 --heads 6 --kv-heads 3 --seqlen-q 3 "
                          "--seqlen-kv 4 --head-dim 5 --value-dim 7 --dtype f16 --layout "
                          "bshd --causal --causal-alignment top-left --softmax-scale -0.5 "
                          "--seed 18446744073709551615 --device emulator:sm_80 --tile-q 16 "
                          "--tile-kv 48 --check")
                          .json();
  CHECK(object.at("ok") == true);
  CHECK(object.at("shape").at("kv_heads") == 3);
  CHECK(object.at("shape").at("value_dim") == 7);
  CHECK(object.at("shape").at("layout") == "bshd");
  CHECK(object.at("shape").at("causal_alignment") == "top-left");
  CHECK(object.at("shape").at("softmax_scale") == -0.5);
  CHECK(object.at("seed") == std::numeric_limits<std::uint64_t>::max());
  CHECK(object.at("device") == "emulator:sm_80");
  CHECK(object.at("tile") == nlohmann::json{{"q", 16}, {"kv", 48}});
}

TEST_CASE("without --check there is nothing to compare with") {
  const auto object = invoke("run fake --json" + small).json();
  CHECK(object.at("ok") == true);
  for (const char* field : {"max_abs_error", "tolerance", "max_abs_error_lse", "tolerance_lse"}) {
    CHECK(object.at(field).is_null());
  }
}

TEST_CASE("a wrong LSE fails the check, and only the check sees it") {
  CHECK(invoke("run fake --plant lse" + small).status == 0);
  const auto outcome = invoke("run fake --plant lse --check --json" + small);
  CHECK(outcome.status == 1);
  CHECK(outcome.json().at("ok") == false);
  CHECK(outcome.json().at("max_abs_error_lse") > outcome.json().at("tolerance_lse"));
}

TEST_CASE("a fault fails the run, is listed, and leaves no output") {
  const test::TemporaryFolder folder;
  const auto path = (folder / "o.safetensors").string();
  const auto outcome = invoke("run fake --plant fault --json --output " + path + small);
  CHECK(outcome.status == 1);
  const auto fault = outcome.json().at("faults").at(0);
  CHECK(fault == nlohmann::json{{"kind", "data_race"},
                                {"kernel", "fake_kernel"},
                                {"block", {1, 2, 3}},
                                {"thread", {4, 5, 6}},
                                {"ptx_line", 77},
                                {"source", "fake.cpp:12"},
                                {"message", "two threads on one byte"}});
  CHECK(folder.files() == 0);
  const auto spoken = invoke("run fake --plant fault" + small);
  CHECK(spoken.status == 1);
  CHECK(spoken.out.find("data_race in fake_kernel") != std::string::npos);
  CHECK(spoken.out.find("FAILED") != std::string::npos);
}

TEST_CASE("lengths, batch and heads of zero are legal") {
  for (const char* line :
       {"--batch 0", "--seqlen-q 0 --seqlen-kv 5", "--seqlen-q 5 --seqlen-kv 0", "--heads 0",
        "--batch 2147483647 --seqlen-q 0", "--seqlen-q 5 --seqlen-kv 2 --causal"}) {
    CAPTURE(line);
    const auto outcome = invoke(std::string("run fake --json --check ") + line);
    CHECK(outcome.status == 0);
    CHECK(outcome.json().at("ok") == true);
  }
}

TEST_CASE("results travel in a file and come back as inputs") {
  const test::TemporaryFolder folder;
  const auto input = (folder / "in.safetensors").string();
  const auto output = (folder / "out.safetensors").string();
  const std::vector<std::byte> q(2 * 3 * 4 * 8 * 2), kv(2 * 1 * 5 * 8 * 2), v(2 * 1 * 5 * 6 * 2);
  using formats::ElementType;
  const std::array tensors{formats::TensorData{"q", ElementType::f16, {2, 4, 3, 8}, q},
                           formats::TensorData{"k", ElementType::f16, {2, 5, 1, 8}, kv},
                           formats::TensorData{"v", ElementType::f16, {2, 5, 1, 6}, v}};
  formats::write_safetensors(input, tensors);

  const auto outcome = invoke("run fake --check --json --layout bshd --seqlen-q 4 --input " +
                              input + " --output " + output);
  REQUIRE(outcome.status == 0);
  const auto object = outcome.json();
  CHECK(object.at("seed").is_null());
  CHECK(object.at("shape").at("heads") == 3);
  CHECK(object.at("shape").at("seqlen_kv") == 5);
  CHECK(object.at("shape").at("dtype") == "f16");
  const auto file = formats::SafetensorsFile::open(output);
  CHECK(file.find("out")->shape == std::vector<std::int64_t>{2, 4, 3, 6});
  CHECK(file.find("out")->type == ElementType::f16);
  CHECK(file.find("lse")->shape == std::vector<std::int64_t>{2, 3, 4});
  CHECK(file.find("lse")->type == ElementType::f32);
  float lse = 0;
  std::memcpy(&lse, file.read(*file.find("lse")).data(), 4);
  CHECK(lse == doctest::Approx(std::log(5.0)));  // all scores are 0
  CHECK(folder.files() == 2);

  using test::require_refused;
  const std::string from = " --layout bshd --input " + input;
  require_refused("run fake --seqlen-q 3" + from, 2, "shape_mismatch", "--seqlen-q", "3");
  require_refused("run fake --dtype bf16" + from, 2, "shape_mismatch", "--dtype", "bf16");
  require_refused("run fake --input " + input, 2, "shape_mismatch", "--kv-heads", "5");  // as bhsd
}

TEST_CASE("the text of a run is short and says what matters") {
  const auto outcome = invoke("run fake --check --causal" + small);
  CHECK(outcome.status == 0);
  for (const char* words : {"batch 1, heads 2/2, q 9, kv 12", "causal, bottom-right", "tolerance",
                            "skipped 1 (17 %)", "faults", "none", "\nok\n"}) {
    CAPTURE(words);
    CHECK(outcome.out.find(words) != std::string::npos);
  }
  CHECK(std::count(outcome.out.begin(), outcome.out.end(), '\n') < 16);
}
