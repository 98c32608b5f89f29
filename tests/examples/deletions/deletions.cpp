// A missing barrier or wait is a fault on the emulator, not luck: each one of the lessons' kernels
// and the goldens' is deleted in the PTX, alone, and must be reported as exactly one kind of fault,
// at a line of the kernel's own source that loads or stores, or loops over what does. The untouched
// kernels are silent.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <tilewright/error.hpp>

#include "kernels/form_launch.hpp"
#include "launches.hpp"

namespace tilewright::test {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines(1);
  for (const char c : text) {
    if (c == '\n')
      lines.emplace_back();
    else
      lines.back() += c;
  }
  return lines;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

/// The kind of fault that deleting this line of PTX must give; "" for a line that stays.
std::string expected_kind(const std::string& line) {
  const auto has = [&](const char* word) { return line.find(word) != std::string::npos; };
  if (line.starts_with("//")) return "";
  if (has("bar.sync") || has("barrier.sync") || has("barrier.cta.sync") || has("bar.warp.sync"))
    return "data_race";
  if (has("cp.async.wait_group") || has("cp.async.wait_all")) return "missing_wait";
  return "";
}

struct Report {
  std::set<std::string> kinds;
  std::set<std::string> places;  ///< the user's file:line, "" where the emulator knew none
};

/// What the emulator reports of `subject` running as `ptx` with the arguments of `launch`.
void observe(const Device& device, const Subject& subject, const std::string& ptx,
             const Launch& launch, Report& report) {
  const emit::KernelText& text = subject.text();
  try {
    launch_form(device, subject.program, subject.aligned, ptx, launch.arguments);
  } catch (const Error&) {
    // A fault; which one stands in the list below.
  }
  for (const auto& fault : nlohmann::json::parse(device.emulator()->faults())) {
    report.kinds.insert(fault.at("kind").get<std::string>());
    report.places.insert(emit::source_of(text, fault.at("cuda_line").get<int>()));
  }
  device.emulator()->reset();
}

std::string list(const std::set<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return words.empty() ? "nothing" : text;
}

/// Whether `place` is a line of the kernel's own file that moves data, or the loop around such
/// lines.
bool is_access(const std::string& place, const Subject& subject,
               const std::vector<std::string>& source) {
  if (!place.starts_with(subject.source_file + ":")) return false;
  const std::size_t line = std::stoul(place.substr(subject.source_file.size() + 1));
  if (line == 0 || line > source.size()) return false;
  const auto says = [&](const char* word) {
    return source[line - 1].find(word) != std::string::npos;
  };
  return says("load(") || says("store(") || says("for_blocks(") || says("for_range(") ||
         says("dot(");
}

/// The line of the kernel in `generated` that line `at` of `ptx` comes from: that of the .loc above
/// it, or, where that stands in a function before the kernel, the place the function was called at.
std::size_t generated_line(const std::vector<std::string>& ptx, std::size_t at,
                           const std::vector<std::string>& generated) {
  std::size_t kernel = 0;
  while (kernel < generated.size() && !generated[kernel].starts_with("extern \"C\"")) ++kernel;
  for (std::size_t i = at + 1; i-- > 0;) {
    const std::size_t loc = ptx[i].find(".loc");
    if (loc == std::string::npos) continue;
    std::size_t file = 0, line = 0;
    std::sscanf(ptx[i].c_str() + loc, ".loc %zu %zu", &file, &line);
    const std::size_t call = ptx[i].find("inlined_at ");
    if (line < kernel && call != std::string::npos)
      std::sscanf(ptx[i].c_str() + call, "inlined_at %zu %zu", &file, &line);
    return line;
  }
  return 0;
}

TEST_CASE("every barrier and wait of the lessons and the goldens is missed when it is gone") {
  const Device device = Device::open("emulator:sm_80");
  std::size_t deleted = 0;
  std::printf("%-28s %-6s %-24s %-14s %-14s %s\n", "kernel", "line", "deleted PTX", "expected",
              "reported", "at");
  for (const Subject& subject : subjects(device)) {
    const std::string ptx =
        runtime::compile_image(subject.text().text, subject.text().symbol, "sm_80",
                               runtime::ImageKind::ptx, compile_options())
            .bytes;
    std::ifstream file(subject.source_path);
    const std::vector<std::string> source =
        lines_of({std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()});
    const std::vector<std::string> lines = lines_of(ptx);
    const std::vector<std::string> generated = lines_of(subject.text().text);
    CAPTURE(subject.name);

    for (const Launch& launch : subject.launches) {
      CAPTURE(launch.shape);
      Report untouched;
      observe(device, subject, ptx, launch, untouched);
      CHECK_MESSAGE(untouched.kinds.empty(), list(untouched.kinds), " at ", list(untouched.places));
    }
    std::size_t of_kernel = 0;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const std::string expected = expected_kind(lines[i]);
      if (expected.empty()) continue;
      ++of_kernel;
      std::vector<std::string> without = lines;
      without[i].clear();
      Report report;
      for (const Launch& launch : subject.launches)
        observe(device, subject, joined(without), launch, report);

      const std::size_t line = generated_line(lines, i, generated);
      std::string words = lines[i];
      std::replace(words.begin(), words.end(), '\t', ' ');
      std::printf("%-28s %-6zu %-24s %-14s %-14s %s\n", subject.name.c_str(), line, words.c_str(),
                  expected.c_str(), list(report.kinds).c_str(), list(report.places).c_str());
      INFO("generated line ", line, ": ",
           line > 0 && line <= generated.size() ? generated[line - 1] : "?");
      INFO("deleted: ", words);
      CHECK(list(report.kinds) == expected);
      for (const std::string& place : report.places)
        CHECK_MESSAGE(is_access(place, subject, source), "reported at '", place, "'");
    }
    if (of_kernel == 0) std::printf("%-28s has neither barrier nor wait\n", subject.name.c_str());
    if (subject.name.starts_with("flash")) CHECK(of_kernel >= (subject.aligned ? 4 : 1));
    deleted += of_kernel;
  }
  CHECK(deleted >= 10);
}

}  // namespace
}  // namespace tilewright::test
