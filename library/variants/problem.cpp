// The options of a variant, read (recipe.hpp).
#include <algorithm>
#include <tilewright/error.hpp>
#include <utility>

#include "command/arguments.hpp"
#include "command/errors.hpp"
#include "inputs/philox.hpp"
#include "variants/errors.hpp"
#include "variants/recipe.hpp"

namespace tilewright::library {
namespace {

/// The command's readers refuse in the words that all options are refused in.
command::Arguments with(const char* option, const std::string& text) {
  command::Arguments arguments;
  arguments.set(option, text);
  return arguments;
}

}  // namespace

const std::string& Problem::text(const char* option) const { return options_.at(option); }

int Problem::integer(const char* option, int lowest, int highest) const {
  return static_cast<int>(with(option, text(option)).integer(option, 0, lowest, highest));
}

double Problem::real(const char* option) const {
  return with(option, text(option)).real(option, 0);
}

std::vector<int> Problem::integers(const char* option, int lowest, int highest) const {
  std::vector<int> numbers;
  const std::string& all = text(option);
  for (std::size_t at = 0; at < all.size() || (at == all.size() && at > 0);) {
    const std::size_t end = std::min(all.find(',', at), all.size());
    const std::string one = all.substr(at, end - at);
    numbers.push_back(static_cast<int>(with(option, one).integer(option, 0, lowest, highest)));
    at = end + 1;
  }
  return numbers;
}

std::pair<int, int> Problem::grid(const char* option) const {
  const std::string& both = text(option);
  const std::size_t at = both.find('x');
  if (at == std::string::npos)
    throw Error(errors::command["option-not-a-number"], std::string(option) + " is no grid",
                {option, both, "HxW, as 16x32", ""});
  const auto side = [&](const std::string& one) {
    return static_cast<int>(with(option, one).integer(option, 0, 1, 1 << 15));
  };
  return {side(both.substr(0, at)), side(both.substr(at + 1))};
}

std::size_t Problem::choice(const char* option, std::vector<std::string_view> words) const {
  return with(option, text(option)).choice(option, 0, words);
}

bool Problem::flag(const char* option) const { return text(option) == "true"; }

std::optional<MaskFile> Problem::file(const char* option) const {
  if (text(option).empty()) return std::nullopt;
  return MaskFile(text(option));
}

void Problem::require_one_each(const char* option, std::size_t numbers, std::int64_t wanted) const {
  if (std::cmp_equal(numbers, wanted)) return;
  throw Error(errors::variants["variant-option-disagrees"],
              std::string(option) + " has another number of values than the shape wants",
              {option, text(option), std::to_string(wanted) + " numbers", ""});
}

void Problem::require_table(const char* option, std::initializer_list<std::int64_t> extents) const {
  constexpr std::int64_t most = std::int64_t{1} << 27;
  std::int64_t numbers = 1;
  for (const std::int64_t extent : extents)
    if (numbers > 0 && extent > most / numbers)
      throw Error(errors::variants["variant-table-too-large"],
                  "a table that the variant makes has too many numbers",
                  {option, text(option), "one for a table of at most 134217728 numbers", ""});
    else
      numbers *= extent;
}

std::vector<double> Problem::normals(std::uint32_t stream, std::int64_t count) const {
  std::vector<double> numbers;
  for (std::int64_t i = 0; i < count; i += 4)
    for (const double number : inputs::normals(seed, stream, static_cast<std::uint64_t>(i / 4)))
      numbers.push_back(number);
  numbers.resize(static_cast<std::size_t>(count));
  return numbers;
}

}  // namespace tilewright::library
