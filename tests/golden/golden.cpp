// The generated kernels, as committed: whoever changes the compiler sees in review what became of
// its output. A difference is printed as a patch; BLESS=1 in the environment writes the files anew.
//
// A file's head says what ptxas and the emulator make of the text; what ptxas does depends on its
// version, so those lines are compared only with the version they name. The text is compared from
// the line "// ---- kernel ----" on: the prelude above it and the places of the user's lines have
// tests of their own (tests/emit). Each kernel is also run, against the interpreter of the traced
// program.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>

#include "ir/interpret.hpp"
#include "kernels/form_launch.hpp"
#include "kernels/specimens.hpp"
#include "runtime/cubin_info.hpp"
#include "runtime/nvrtc.hpp"

namespace tilewright::test {
namespace {

const std::filesystem::path folder = TILEWRIGHT_GOLDEN;
constexpr const char* kernel_mark = "// ---- kernel ----";
constexpr const char* compiler_mark = "// CUDA ";

std::string read(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

/// What two files differ in, as a patch.
std::string difference(const std::filesystem::path& expected, const std::filesystem::path& actual) {
  const std::string files = "'" + expected.string() + "' '" + actual.string() + "'";
  const std::string command =
      "if command -v git >/dev/null 2>&1; then git diff --no-index --no-color " + files +
      "; else diff -u " + files + "; fi";
  std::string text;
  FILE* pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  char piece[4096];
  while (const std::size_t count = std::fread(piece, 1, sizeof piece, pipe))
    text.append(piece, count);
  ::pclose(pipe);
  return text;
}

const Device& emulator() {
  static const Device device = [] {
    ::setenv("TILEWRIGHT_CACHE_DIR", TILEWRIGHT_TEST_CACHE, 1);
    return Device::open("emulator:sm_80");
  }();
  return device;
}

/// The loop in which the kernel spends its time: of those with tensor instructions, or of all, the
/// one whose trip is longest.
const runtime::SassLoop* hot_loop(const std::vector<runtime::SassLoop>& loops) {
  const auto weight = [](const runtime::SassLoop& loop) {
    return std::pair(loop.mix.of(runtime::InstructionClass::tensor) != 0, loop.instructions());
  };
  const auto best = std::max_element(loops.begin(), loops.end(),
                                     [&](auto& a, auto& b) { return weight(a) < weight(b); });
  return best == loops.end() ? nullptr : &*best;
}

/// The lines that ptxas has a say in: registers, spills, instructions of the hot loop.
std::string compiled_head(const Specimen& one, const Lowered& lowered) {
  const emit::KernelText& text = lowered.text;
  const auto image = runtime::compile_image(text.text, text.symbol, "sm_80",
                                            runtime::ImageKind::cubin, compile_options());
  CHECK(image.log == "");
  const auto info = runtime::inspect_cubin(image.bytes);
  CHECK(info.spill_bytes() == 0);
  char line[200];
  std::snprintf(line, sizeof line, "%s%s: %d registers, %d bytes of spills.", compiler_mark,
                runtime::Nvrtc::load()->version().c_str(), info.registers, info.spill_bytes());
  std::string head = line;
  const auto loops = info.loops();
  const runtime::SassLoop* loop = hot_loop(loops);
  if (loop != nullptr && !one.element.empty()) {
    double elements = 1.0 / text.threads;
    std::string tile;
    for (const std::string& dim : one.element) {
      const int size = lowered.schedule.tile.at(dim);
      elements *= size;
      tile += (tile.empty() ? "" : " x ") + dim + " " + std::to_string(size);
    }
    std::snprintf(line, sizeof line, " Its hot loop: %.2f instructions per element of %s.",
                  static_cast<double>(loop->instructions()) / elements, tile.c_str());
    head += line;
  }
  return head + "\n";
}

std::string described(const std::vector<SpecimenTensor>& launch) {
  std::string text;
  for (const SpecimenTensor& tensor : launch) {
    text += (text.empty() ? "" : ", ") + tensor.name + "[";
    for (std::size_t i = 0; i < tensor.extents.size(); ++i)
      text += (i == 0 ? "" : ", ") + std::to_string(tensor.extents[i]);
    text += "]";
  }
  return text;
}

/// The element's distance to what the interpreter says, in units of what its type allows.
double distance(DType dtype, double got, double want) {
  if (got == want || (std::isnan(got) && std::isnan(want))) return 0;
  const double unit = dtype == bf16 ? 0x1p-7 : dtype == f16 ? 0x1p-10 : dtype == f32 ? 2e-6 : 0;
  return std::abs(got - want) / (unit * (std::abs(want) + 1));
}

/// Runs the aligned form and compares with the interpreter; the line about what was counted.
std::string run(const Specimen& one, const Program& program,
                const std::vector<SpecimenTensor>& launch) {
  ir::Inputs inputs;
  inputs.scalars = one.scalars;
  for (const SpecimenTensor& tensor : launch) {
    auto& host = inputs.tensors[tensor.name] = ir::HostTensor::zeros(tensor.dtype, tensor.extents);
    const auto numbers = numbers_of(tensor);
    for (std::size_t i = 0; i < numbers.size(); ++i)
      host.set(static_cast<std::int64_t>(i), numbers[i]);
  }
  const DeviceTensors tensors(emulator(), inputs.tensors);
  std::vector<Binding> arguments = tensors.bindings();
  for (const auto& [name, number] : one.scalars) arguments.emplace_back(name, number);
  const auto& text = program.aligned.text;
  launch_form(emulator(), program, true,
              runtime::compile_image(text.text, text.symbol, "sm_80", runtime::ImageKind::ptx,
                                     compile_options())
                  .bytes,
              arguments);
  CHECK(emulator().emulator()->faults() == std::string("[]"));
  const auto counted = nlohmann::json::parse(emulator().emulator()->counters());
  ir::interpret(program.traced, inputs);
  for (const auto& [name, after] : tensors.download()) {
    double worst = 0;
    const ir::HostTensor& expected = inputs.tensors.at(name);
    const auto count = static_cast<std::int64_t>(after.data.size()) /
                       static_cast<std::int64_t>(size_of(after.dtype));
    for (std::int64_t i = 0; i < count; ++i)
      worst = std::max(worst, distance(after.dtype, after.get(i), expected.get(i)));
    CHECK_MESSAGE(worst <= 1, name << " differs from the interpreter's by " << worst);
  }
  const auto sum = [&](const std::string& what) {
    return std::to_string(counted.at("global_load_" + what).get<std::int64_t>() +
                          counted.at("global_store_" + what).get<std::int64_t>());
  };
  return "// " + described(launch) + ":\n// " + sum("bytes") + " bytes in " + sum("sectors") +
         " sectors of global memory, " + counted.at("shared_wavefronts").dump() +
         " passes over shared memory, " + counted.at("shared_conflicts").dump() +
         " of them bank conflicts.\n";
}

/// Without the line that another version of ptxas would write otherwise.
std::string comparable(const std::string& text, const std::string& golden) {
  const auto compiler = [](const std::string& of) {
    const std::size_t at = of.find(compiler_mark);
    return at == std::string::npos ? std::string() : of.substr(at, of.find(':', at) - at);
  };
  if (compiler(text) == compiler(golden)) return text;
  const std::size_t at = text.find(compiler_mark);
  return text.substr(0, at) + text.substr(text.find('\n', at) + 1);
}

}  // namespace

TEST_CASE("every kernel's CUDA, what ptxas makes of it, and its result") {
  const char* bless = std::getenv("BLESS");
  for (const Specimen& one : specimens()) {
    CAPTURE(one.name);
    const Program program = make_program(*one.kernel, "sm_80", one.request);
    const std::string whole = program.aligned.text.text;
    const std::size_t start = whole.find(kernel_mark);
    REQUIRE(start != std::string::npos);
    std::string text = "// " + one.name + ", aligned tensors, sm_80: " + one.summary + ".\n";
    text += compiled_head(one, program.aligned);
    for (const auto& launch : one.launches) {
      const std::string line = run(one, program, launch);
      if (&launch == &one.launches.front()) text += line;
    }
    text += whole.substr(start);

    const std::filesystem::path golden = folder / (one.name + ".cu");
    if (bless != nullptr && std::string(bless) == "1") {
      std::ofstream(golden, std::ios::binary) << text;
      MESSAGE("written: " << golden.string());
    }
    const std::string kept = read(golden);
    if (comparable(kept, text) == comparable(text, kept)) continue;
    const auto made = std::filesystem::temp_directory_path() / ("golden-" + one.name + ".cu");
    std::ofstream(made, std::ios::binary) << text;
    FAIL_CHECK(one.name << ".cu is not what the compiler makes now (BLESS=1 accepts this):\n"
                        << difference(golden, made));
    std::filesystem::remove(made);
  }
}

TEST_CASE("every file here is a kernel of the table") {
  const auto all = specimens();
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".cu") continue;
    CAPTURE(entry.path().string());
    CHECK(std::any_of(all.begin(), all.end(),
                      [&](const Specimen& one) { return entry.path().stem() == one.name; }));
  }
}

TEST_CASE("each kernel is under 60 lines of the language") {
  for (const Specimen& one : specimens()) {
    CAPTURE(one.path);
    std::istringstream source(read(std::filesystem::path(TILEWRIGHT_ROOT) / one.path));
    int lines = 0, kernels = 0;
    for (std::string line; std::getline(source, line);) {
      const std::size_t first = line.find_first_not_of(' ');
      lines += first != std::string::npos && !line.substr(first).starts_with("//");
      for (const char* start : {"kernel(\"", "kernel(name"})
        kernels += line.find(start) != std::string::npos;
    }
    REQUIRE(kernels > 0);
    CHECK(lines < 60 * kernels);
  }
}

}  // namespace tilewright::test
