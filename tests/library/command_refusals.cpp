// What the command refuses: each request is wrong in one way, and the refusal names it, with the
// exit status other programs rely on.
#include "command_harness.hpp"
#include "formats/safetensors.hpp"
#include "temporary_folder.hpp"

namespace {

using namespace tilewright;
using formats::ElementType;
using test::require_refused;

void refused(const std::string& options, const std::string& argument, const std::string& value = {},
             const std::string& kind = "invalid_argument", const std::string& id = {}) {
  require_refused("run fake " + options, 2, kind, argument, value, id);
}

}  // namespace

TEST_CASE("words that are no commands, variants or options") {
  require_refused("", 2, "invalid_argument", "command");
  require_refused("frobnicate", 2, "invalid_argument", "command", "frobnicate", "command-unknown");
  require_refused("cache", 2, "invalid_argument", "command", "", "command-missing");
  require_refused("cache purge", 2, "invalid_argument", "arguments", "purge");
  require_refused("run", 2, "invalid_argument", "VARIANT");
  require_refused("run nothing", 2, "invalid_argument", "VARIANT", "nothing", "variant-unknown");
  require_refused("run fake extra", 2, "invalid_argument", "arguments", "extra");
  require_refused("list --causal", 2, "invalid_argument", "--causal");
  refused("--frob 3", "--frob", "--frob", "invalid_argument", "option-unknown");
  refused("--frob=3", "--frob", "--frob=3");
  refused("--heads", "--heads");
  refused("--heads 8 --heads 9", "--heads", "", "invalid_argument", "option-misused");
  refused("--window 3", "--window", "3", "invalid_argument",
          "option-unknown");  // another variant's
}

TEST_CASE("numbers that are none, or out of range") {
  refused("--heads abc", "--heads", "abc", "invalid_argument", "option-not-a-number");
  refused("--heads 8x", "--heads", "8x");
  refused("--heads 8.5", "--heads", "8.5");
  refused("--heads=", "--heads");
  refused("--heads -8", "--heads", "-8");
  refused("--heads --causal", "--heads", "--causal");
  refused("--seqlen-q 1000000000000", "--seqlen-q", "1000000000000");
  refused("--seqlen-kv 99999999999999999999999", "--seqlen-kv", "99999999999999999999999");
  refused("--batch 2147483648", "--batch", "2147483648", "invalid_argument", "option-out-of-range");
  refused("--head-dim 0", "--head-dim", "0");
  refused("--head-dim 257", "--head-dim", "257");
  refused("--value-dim 257", "--value-dim", "257");
  refused("--kv-heads -1", "--kv-heads", "-1");
  refused("--softmax-scale nan", "--softmax-scale", "nan");
  refused("--softmax-scale inf", "--softmax-scale", "inf");
  refused("--softmax-scale 1e999", "--softmax-scale", "1e999");
  refused("--softmax-scale 0.5f", "--softmax-scale", "0.5f");
  refused("--seed -1", "--seed", "-1");
  refused("--seed 18446744073709551616", "--seed", "18446744073709551616");
  refused("--tile-q 0", "--tile-q", "0");
  refused("--stages two", "--stages", "two");
}

TEST_CASE("words outside a list, and a type that is not built") {
  refused("--layout hbsd", "--layout", "hbsd", "invalid_argument", "option-value-unknown");
  refused("--causal-alignment middle", "--causal-alignment", "middle");
  refused("--dtype f32 --dot-precision bf16", "--dot-precision", "bf16");
  refused("--dot-precision tf32", "--dot-precision", "tf32", "invalid_argument",
          "tf32-without-f32");
  refused("--dtype f16 --dot-precision tf32", "--dot-precision", "tf32");
  refused("--dtype f64", "--dtype", "f64");
  refused("--dtype BF16", "--dtype", "BF16");
  refused("--dtype f64", "--dtype", "f64", "invalid_argument");
  require_refused("dump fake --stage asm", 2, "invalid_argument", "--stage", "asm");
  require_refused("dump fake --arch sm_10", 2, "invalid_argument", "--arch", "sm_10");
}

TEST_CASE("shapes that do not fit together, or no machine") {
  refused("--heads 8 --kv-heads 3", "--kv-heads", "3", "shape_mismatch", "heads-do-not-divide");
  refused("--heads 8 --kv-heads 0", "--kv-heads", "0", "shape_mismatch");
  refused("--heads 4 --kv-heads 8", "--kv-heads", "8", "shape_mismatch");
  refused("--batch 2147483647 --heads 2147483647 --seqlen-q 2147483647", "shape");
  refused("--batch 100000 --seqlen-q 2000000", "shape", "", "invalid_argument",
          "shape-exceeds-memory");
}

TEST_CASE("input files that are wrong, by tensor") {
  const test::TemporaryFolder folder;
  const auto path = (folder / "in.safetensors").string();
  const std::string run = "run fake --input " + path;
  const std::vector<std::byte> bytes(4096);
  using Shape = std::vector<std::int64_t>;
  const auto write = [&](const Shape& q, const Shape& k, const Shape& v,
                         ElementType type = ElementType::bf16,
                         ElementType v_type = ElementType::bf16) {
    const auto tensor = [&](const char* name, const Shape& shape, ElementType element) {
      std::size_t size = formats::size_of(element);
      for (const auto extent : shape) size *= static_cast<std::size_t>(extent);
      return formats::TensorData{name, element, shape, std::span(bytes).first(size)};
    };
    const std::array tensors{tensor("q", q, type), tensor("k", k, type), tensor("v", v, v_type)};
    formats::write_safetensors(path, tensors);
  };
  require_refused(run, 2, "invalid_file", path, "", "file-not-readable");
  test::write_text(path, "not a tensor file at all");
  require_refused(run, 2, "invalid_file", path);
  formats::write_safetensors(path, {});
  require_refused(run, 2, "invalid_file", "q", "", "input-tensor-missing");
  write({2, 3, 4}, {1, 2, 3, 4}, {1, 2, 3, 4});
  require_refused(run, 2, "shape_mismatch", "q", "rank 3", "input-rank-disagrees");
  write({2, 2, 3, 4}, {1, 2, 3, 4}, {2, 2, 3, 4});
  require_refused(run, 2, "shape_mismatch", "k", "1", "input-tensors-disagree");
  write({1, 2, 3, 4}, {1, 2, 3, 5}, {1, 2, 3, 4});
  require_refused(run, 2, "shape_mismatch", "k", "5");
  write({1, 2, 3, 4}, {1, 2, 3, 4}, {1, 2, 4, 4});
  require_refused(run, 2, "shape_mismatch", "v", "4");
  write({1, 2, 3, 4}, {1, 2, 3, 4}, {1, 1, 3, 4});
  require_refused(run, 2, "shape_mismatch", "v", "1");
  write({1, 3, 3, 4}, {1, 2, 3, 4}, {1, 2, 3, 4});
  require_refused(run, 2, "shape_mismatch", "--kv-heads", "2");
  write({1, 2, 3, 4}, {1, 2, 3, 4}, {1, 2, 3, 4}, ElementType::i32);
  require_refused(run, 2, "unsupported", "q", "I32", "input-type-unsupported");
  write({1, 2, 3, 4}, {1, 2, 3, 4}, {1, 2, 3, 4}, ElementType::bf16, ElementType::f16);
  require_refused(run, 2, "shape_mismatch", "v", "F16", "input-tensors-disagree");
  write({1, 1, 1, 300}, {1, 1, 1, 300}, {1, 1, 1, 4});
  require_refused(run, 2, "invalid_argument", "--head-dim", "300");
  require_refused("run fake --schedule " + path + "x", 2, "invalid_file", "--schedule");
}

TEST_CASE("what is missing is 3, what fails is 1") {
  require_refused("run fake --plant missing", 3, "missing", "nvrtc", "", "nvrtc-not-found");
  require_refused("run fake --plant compile", 1, "compile_failed", "");
  require_refused("run fake --plant crash", 1, "launch_failed", "internal", "", "internal-error");
  require_refused("run fake --plant memory", 1, "launch_failed", "shape", "", "out-of-memory");
}

TEST_CASE("an output that cannot be written is 1, before anything runs") {
  const test::TemporaryFolder folder;
  const auto path = (folder / "no/folder/out").string();
  // The variant would answer 3: it must not have been asked.
  require_refused("run fake --plant missing --output " + path, 1, "io", "output", path,
                  "file-not-written");
  require_refused("dump fake -o " + path, 1, "io", "output", path);
  if (std::filesystem::exists("/dev/full")) {
    require_refused("run fake --seqlen-q 4 --output /dev/full", 1, "io", "output", "/dev/full");
  }
}
