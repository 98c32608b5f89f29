// A missing barrier, wait or fence is a fault on the emulator, not luck: each one of the corpus's
// kernels is deleted in the PTX, alone (an acquire or release becomes relaxed), and the kernel's
// launches must report faults of exactly the kind that its absence means, at a line of the source
// where there is line information. Those few that may go unnoticed are listed here with the reason.
// Prints a table.
#include <doctest/doctest.h>

#include <cstdio>
#include <map>
#include <sstream>

#include "cases.hpp"

namespace tilewright::corpus {
namespace {

struct Deletion {
  std::size_t line = 0;  ///< index into the text's lines
  std::string kernel;    ///< the entry it stands in; "" in a function
  std::string words;
  std::string expected;
  std::string instead;  ///< what stands there in its place
};

/// The kind of fault that deleting this line must give; "" for a line that stays.
std::string expected_kind(const std::string& line) {
  const auto has = [&](const char* word) { return line.find(word) != std::string::npos; };
  const std::size_t first = line.find_first_not_of(" \t");
  if (first == std::string::npos || line.compare(first, 2, "//") == 0) return "";
  // Of the two halves of a named barrier, without an arrival nobody gets past it; without the wait
  // something races, and then the halves of the next round no longer fit together.
  if (has("bar.arrive")) return "deadlock";
  if (has("bar.sync %")) return "data_race, deadlock";
  if (has(".acquire.") || has(".release.")) return "data_race";
  if (has("bar.sync") || has("bar.warp.sync") || has("barrier.sync")) return "data_race";
  if (has("membar") || has("fence.")) return "data_race";
  if (has("cp.async.wait_group") || has("cp.async.wait_all")) return "missing_wait";
  return "";
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::vector<Deletion> deletions_in(const std::vector<std::string>& lines) {
  std::vector<Deletion> found;
  std::string kernel;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].find(".func") != std::string::npos) kernel.clear();
    if (const std::size_t at = lines[i].find(".entry "); at != std::string::npos)
      kernel = lines[i].substr(at + 7, lines[i].find('(') - at - 7);
    const std::string expected = expected_kind(lines[i]);
    if (expected.empty()) continue;
    std::string words = lines[i].substr(lines[i].find_first_not_of(" \t"));
    words = words.substr(0, words.find(';'));
    for (char& c : words) c = c == '\t' ? ' ' : c;
    std::string weaker;
    for (const std::string order : {".acquire.", ".release."}) {
      if (const std::size_t at = lines[i].find(order); at != std::string::npos)
        weaker = std::string(lines[i]).replace(at, order.size(), ".relaxed.");
    }
    found.push_back({i, kernel, words, expected, weaker});
  }
  return found;
}

/// Deletions that change nothing a program could notice, by kernel and place among the kernel's
/// own.
const std::map<std::string, const char*>& silent() {
  static const std::map<std::string, const char*> reasons = [] {
    std::map<std::string, const char*> made;
    for (const std::string kernel : {"triton_matmul_f16/matmul#", "triton_matmul_bf16/matmul#"}) {
      made[kernel + "3"] = "silent: repeats the wait before it, no copy is issued in between";
      made[kernel + "4"] = "silent: only reads of shared memory between the barriers around it";
      made[kernel + "6"] = "silent: the next instruction is the same wait";
      made[kernel + "7"] = "silent: the instruction before is the same wait";
    }
    for (const std::string type : {"f16", "bf16", "f16_causal", "bf16_causal"}) {
      made["triton_attention_" + type + "/attention#4"] =
          "silent: nothing touches again what may still be in flight here";
    }
    return made;
  }();
  return reasons;
}

TEST_CASE("every barrier, wait and fence of the corpus is missed when it is gone") {
  std::printf("%-28s %-18s %-5s %-26s %-13s %-14s %s\n", "program", "kernel", "line", "deleted",
              "expected", "reported", "source lines");
  std::map<std::string, std::vector<Case>> by_file;
  for (const Case& each : all_cases()) by_file[each.file].push_back(each);
  std::size_t deleted = 0;
  for (const auto& [file, cases] : by_file) {
    const auto lines = lines_of(file_text("ptx/" + file + ".ptx"));
    std::map<std::string, int> ordinal;
    for (const Deletion& each : deletions_in(lines)) {
      std::string text;
      for (std::size_t i = 0; i < lines.size(); ++i)
        text += (i == each.line ? each.instead : lines[i]) + "\n";
      std::vector<Fault> faults;
      for (const Case& one : cases) {
        if (!each.kernel.empty() && one.kernel != each.kernel) continue;
        Session session(text, "2000000");
        try {
          one.run(session);
        } catch (const DriverError&) {
          // What the fault did to the context; which fault it was stands in the list.
        }
        faults.insert(faults.end(), session.faults().begin(), session.faults().end());
      }
      std::set<int> places;
      for (const Fault& fault : faults) places.insert(fault.cuda_line);
      std::string where;
      for (const int place : places) where += (where.empty() ? "" : ", ") + std::to_string(place);
      const std::string name = file + "/" + each.kernel;
      const auto reason = silent().find(name + "#" + std::to_string(++ordinal[name]));
      std::printf("%-28s %-18s %-5zu %-26s %-13s %-14s %s\n", file.c_str(), each.kernel.c_str(),
                  each.line + 1, each.words.c_str(),
                  reason == silent().end() ? each.expected.c_str() : "none",
                  kinds_of(faults).c_str(),
                  reason == silent().end() ? where.c_str() : reason->second);
      CAPTURE(name);
      CAPTURE(each.line + 1);
      CAPTURE(each.words);
      if (reason != silent().end()) {
        CHECK(kinds_of(faults) == "none");
      } else {
        CHECK(kinds_of(faults) == each.expected);
        CHECK(places.count(0) == (file.rfind("hand_", 0) == 0 ? places.size() : 0));
      }
      ++deleted;
    }
  }
  CHECK(deleted >= 60);
}

}  // namespace
}  // namespace tilewright::corpus
