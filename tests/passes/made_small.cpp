// Makes a failing random program small (random_program.hpp), greedily: every statement that is not
// needed for a failure goes, until none does; then each extent takes the least length that fails.
#include "random_program.hpp"

namespace tilewright::test {

std::string made_small(
    std::uint64_t seed,
    const std::function<std::optional<std::string>(const RandomProgram&)>& wrong) {
  std::set<std::uint64_t> skip;
  std::map<std::string, std::int64_t> extents;
  const auto fails = [&](const std::set<std::uint64_t>& without,
                         const std::map<std::string, std::int64_t>& lengths) {
    RandomProgram program(seed, without);
    for (const auto& [dim, length] : lengths) program.set_extent(dim, length);
    auto finding = wrong(program);
    return std::pair(finding, program.statements());
  };
  for (bool again = true; again;) {
    again = false;
    for (const std::uint64_t statement : fails(skip, extents).second) {
      if (skip.contains(statement)) continue;
      auto more = skip;
      more.insert(statement);
      if (fails(more, extents).first) skip = more, again = true;
    }
  }
  for (const char* dim : {"b", "m", "n", "p", "d", "e"})
    for (const std::int64_t length : {1, 2, 15, 16, 17}) {
      if (std::string(dim) == "b" && length > 2) continue;
      auto shorter = extents;
      shorter[dim] = length;
      if (std::string(dim) == "b") shorter["g"] = 1;
      if (!fails(skip, shorter).first) continue;
      extents = shorter;
      break;
    }
  RandomProgram program(seed, skip);
  for (const auto& [dim, length] : extents) program.set_extent(dim, length);
  std::string text = "seed " + std::to_string(seed) + ", made small, with";
  for (const auto& [dim, length] : program.recipe().extents)
    text += " " + dim + " " + std::to_string(length);
  return text + "\n" + wrong(program).value_or("does not fail any more");
}

}  // namespace tilewright::test
