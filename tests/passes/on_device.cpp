// Random programs on the emulated device: NVRTC compiles what the emitter wrote, and both kernels
// of a plan, the one that relies on alignment and the one for any strides, give what the
// interpreter gives. A program that the compiler does not take is refused by a named error.
#include <doctest/doctest.h>
#include <stdlib.h>

#include <cstdio>
#include <cstring>
#include <map>
#include <optional>
#include <regex>
#include <vector>

#include "agreement.hpp"
#include "build.hpp"
#include "ir/print.hpp"
#include "random_program.hpp"
#include "tilewright/compile.hpp"
#include "tilewright/error.hpp"

using namespace tilewright;
using namespace tilewright::test;

namespace {

constexpr int wanted = 120;
constexpr std::uint64_t first_seed = 700'000;

std::string plain(const std::string& text) {
  static const std::regex particular(R"(tests/random\.cpp:\d+: |%[\w.]+ (= )?)");
  return std::regex_replace(text, particular, "");
}

const Device& emulator() {
  static const Device device = [] {
    ::setenv("TILEWRIGHT_CACHE_DIR", TILEWRIGHT_TEST_CACHE, 1);
    return Device::open("emulator:sm_80");
  }();
  return device;
}

/// A host tensor's place in device memory: rows on 16-byte boundaries, or off every one of them.
/// What lies between rows is 0xff, which is NaN, before the launch and after it.
class Placed {
 public:
  Placed(const ir::HostTensor& tensor, bool aligned) : tensor_(tensor) {
    const auto size = static_cast<std::size_t>(size_of(tensor.dtype));
    std::int64_t pitch = 1;
    for (std::size_t axis = tensor.shape.size(); axis-- > 0;) {
      strides_.insert(strides_.begin(), tensor.strides.empty() ? pitch : tensor.strides[axis]);
      pitch *= tensor.shape[axis];
      if (axis + 1 == tensor.shape.size()) pitch = aligned ? (pitch + 15) / 16 * 16 : pitch + 1;
    }
    start_ = aligned ? 0 : 1;
    image_.assign((static_cast<std::size_t>(pitch) + 17) * size, std::byte{0xff});
    if (!tensor.strides.empty()) image_.resize(32 * size);
    each([&](std::size_t from, std::size_t to) {
      std::memcpy(image_.data() + to * size, tensor.data.data() + from * size, size);
    });
    buffer_ = Buffer(emulator(), image_.size());
    buffer_.upload(image_.data(), image_.size());
  }
  TensorView view() const {
    return {buffer_.address() + static_cast<CUdeviceptr>(start_ * size_of(tensor_.dtype)),
            tensor_.dtype, tensor_.shape, strides_};
  }
  /// `outside` becomes true if anything between the rows has changed.
  ir::HostTensor result(bool& outside) const {
    const auto size = static_cast<std::size_t>(size_of(tensor_.dtype));
    std::vector<std::byte> now(image_.size()), kept = image_;
    buffer_.download(now.data(), now.size());
    ir::HostTensor tensor = tensor_;
    each([&](std::size_t from, std::size_t to) {
      std::memcpy(tensor.data.data() + from * size, now.data() + to * size, size);
      std::memcpy(kept.data() + to * size, now.data() + to * size, size);
    });
    outside |= kept != now;
    return tensor;
  }

 private:
  /// element of the host tensor, element of the image; nothing for tensors without data of their
  /// own
  template <typename Action>
  void each(const Action& action) const {
    if (!tensor_.strides.empty()) return;
    std::int64_t count = 1;
    for (const std::int64_t extent : tensor_.shape) count *= extent;
    for (std::int64_t i = 0; i < count; ++i) {
      std::int64_t rest = i, at = start_;
      for (std::size_t axis = tensor_.shape.size(); axis-- > 0;) {
        at += rest % tensor_.shape[axis] * strides_[axis];
        rest /= tensor_.shape[axis];
      }
      action(static_cast<std::size_t>(i), static_cast<std::size_t>(at));
    }
  }

  ir::HostTensor tensor_;
  std::vector<std::int64_t> strides_;
  std::int64_t start_ = 0;
  std::vector<std::byte> image_;
  Buffer buffer_;
};

/// What differs between a run of `plan` and the interpreter's of what was scheduled.
std::string wrong_on_device(const RandomProgram& program, const tilewright::Plan& plan,
                            bool aligned, bool& ran_aligned) {
  const Lowered& lowered = aligned ? plan.program().aligned : plan.program().general;
  const ir::Inputs inputs = random_inputs(plan.program().traced, program.recipe(), program.seed());
  const Run expected = interpreted(lowered.scheduled, inputs);
  std::map<std::string, Placed> placed;
  std::vector<Binding> arguments;
  for (const auto& [name, tensor] : inputs.tensors) {
    placed.emplace(name, Placed(tensor, aligned));
    arguments.emplace_back(name, placed.at(name).view());
  }
  for (const auto& [name, number] : inputs.scalars) arguments.emplace_back(name, number);
  ran_aligned = plan.runs_aligned(arguments);
  emulator().emulator()->reset();
  plan.launch(Stream::default_stream(emulator()), arguments);
  const std::string faults = emulator().emulator()->faults();
  emulator().emulator()->reset();
  if (faults != "[]") return "faults " + faults;
  Run run{inputs, false};
  bool outside = false;
  for (const auto& [name, place] : placed) run.result.tensors[name] = place.result(outside);
  if (outside) return "something outside of the tensors was written";
  std::map<std::string, double> allowed;
  if (expected.rounded) allowed = sensitivity(lowered.scheduled, inputs, expected, program.seed());
  return difference(expected.result, run.result, allowed);
}

struct Tally {
  int accepted = 0, of_aligned = 0, of_general = 0;
  std::map<std::string, int> refusals;
};

/// What went wrong, or nothing.
std::optional<std::string> examine(const RandomProgram& program, Tally* tally, bool with_text) {
  std::optional<tilewright::Plan> plan;
  try {
    plan = compile(emulator(), program, {.extents = program.recipe().bound(), .schedule = {}});
  } catch (const std::exception& error) {
    const std::string words = plain(error.what());
    const auto* own = dynamic_cast<const Error*>(&error);
    const bool named = own != nullptr && own->kind() == ErrorKind::unsupported &&
                       words.find("internal defect") == std::string::npos;
    if (!named) return error.what();
    if (tally) ++tally->refusals[words.substr(0, 70)];
    return std::nullopt;
  }
  if (tally) ++tally->accepted;
  for (const bool aligned : {true, false}) {
    bool ran_aligned = false;
    const std::string wrong = wrong_on_device(program, *plan, aligned, ran_aligned);
    if (tally) ++(ran_aligned ? tally->of_aligned : tally->of_general);
    if (wrong.empty()) continue;
    const Lowered& lowered = ran_aligned ? plan->program().aligned : plan->program().general;
    std::string text = (ran_aligned ? "aligned kernel: " : "general kernel: ") + wrong;
    if (with_text) text += "\n" + ir::print(lowered.scheduled) + "\n" + lowered.text.text;
    return text;
  }
  return std::nullopt;
}

}  // namespace

TEST_CASE("random programs on the device") {
  if (const char* only = std::getenv("RANDOM_SEED"); only != nullptr) {
    const std::uint64_t seed = std::strtoull(only, nullptr, 10);
    const auto judge = [](const RandomProgram& program) { return examine(program, nullptr, true); };
    if (judge(RandomProgram(seed))) FAIL(made_small(seed, judge));
    return;
  }
  Tally tally;
  int tried = 0;
  for (; tally.accepted < wanted && tried < 3 * wanted; ++tried) {
    const std::uint64_t seed = first_seed + static_cast<std::uint64_t>(tried);
    const auto wrong = examine(RandomProgram(seed), &tally, false);
    if (wrong) FAIL_CHECK("seed " << seed << ": " << *wrong);
  }
  std::printf("%d programs: %d accepted (%d runs of aligned kernels, %d of general ones)\n", tried,
              tally.accepted, tally.of_aligned, tally.of_general);
  std::printf("refused by name:\n");
  for (const auto& [what, count] : tally.refusals) std::printf("  %s: %d\n", what.c_str(), count);
  CHECK(tally.accepted == wanted);
  CHECK(tally.of_aligned >= wanted / 2);
  CHECK(tally.of_general >= wanted / 2);
}
