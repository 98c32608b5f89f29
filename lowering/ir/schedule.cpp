// The schedule's text form, and its reader, which accepts nothing it would not print. One table
// holds the numeric keys and their ranges, so that printing, reading and the messages agree.
#include "ir/schedule.hpp"

#include <array>
#include <charconv>
#include <set>
#include <vector>

#include "ir/errors.hpp"
#include "tilewright/error.hpp"

namespace tilewright::ir {

namespace {

struct NumberKey {
  const char* name;
  int Schedule::*field;
  int largest;
  bool power_of_two;
};

constexpr std::array number_keys = {
    NumberKey{"warps", &Schedule::warps, 32, false},
    NumberKey{"stages", &Schedule::stages, 8, false},
    NumberKey{"lanes_per_row", &Schedule::lanes_per_row, 1024, true},
    NumberKey{"vector", &Schedule::vector, 16, true},
};
constexpr int largest_tile = 65536;
constexpr std::array precisions = {"f32", "tf32"};
constexpr std::array places = {"uniform", "fragment", "operand_a", "operand_b", "shared"};

std::string range_text(int largest, bool power_of_two) {
  return (power_of_two ? "powers of two from 1 to " : "1 to ") + std::to_string(largest);
}

[[noreturn]] void refuse(const ErrorEntry& entry, int line, const std::string& key,
                         const std::string& message, std::string value, std::string allowed) {
  throw Error(entry, "schedule: " + message,
              {key, std::move(value), std::move(allowed), "line " + std::to_string(line)});
}

std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> words;
  const char* blanks = " \t\r";
  for (std::size_t at = line.find_first_not_of(blanks); at != std::string_view::npos;) {
    const std::size_t end = std::min(line.find_first_of(blanks, at), line.size());
    words.emplace_back(line.substr(at, end - at));
    at = line.find_first_not_of(blanks, end);
  }
  return words;
}

int number(int line, const std::string& key, const std::string& text, int largest,
           bool power_of_two) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool read = error == std::errc{} && end == text.data() + text.size();
  if (!read || value < 1 || value > largest || (power_of_two && (value & (value - 1)) != 0))
    refuse(errors::ir["schedule-value-invalid"], line, key,
           "'" + key + "' is not a number it can be", text, range_text(largest, power_of_two));
  return value;
}

bool is_target(const std::string& text) {
  if (!text.starts_with("sm_")) return false;
  std::size_t digits = 3;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') ++digits;
  return digits > 3 && (digits == text.size() || text.substr(digits) == "a");
}

class Reader {
 public:
  Schedule all(std::string_view text) {
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      ++line_;
      one(text.substr(0, end));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    return schedule_;
  }

 private:
  void one(std::string_view line) {
    while (line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with('#')) {
      line.remove_prefix(1);
      if (line.starts_with(' ')) line.remove_prefix(1);
      if (has_reason_) schedule_.why += "\n";
      has_reason_ = true;
      schedule_.why += line;
      return;
    }
    const std::vector<std::string> words = words_of(line.substr(0, line.find('#')));
    if (words.empty()) return;
    const std::string& key = words[0];
    for (const NumberKey& entry : number_keys)
      if (key == entry.name) {
        expect(words, 2, key + " NUMBER");
        claim(key);
        schedule_.*entry.field = number(line_, key, words[1], entry.largest, entry.power_of_two);
        return;
      }
    if (key == "target") {
      expect(words, 2, "target sm_NN");
      claim(key);
      if (!is_target(words[1]))
        refuse(errors::ir["schedule-value-invalid"], line_, key, "not a target", words[1],
               "sm_NN or sm_NNa");
      schedule_.target = words[1];
    } else if (key == "dot_precision") {
      expect(words, 2, "dot_precision PRECISION");
      claim(key);
      schedule_.dot_precision = choice(key, "not a precision", words[1], precisions);
    } else if (key == "tile") {
      expect(words, 3, "tile DIMENSION NUMBER");
      claim("tile " + words[1]);
      schedule_.tile[words[1]] = number(line_, "tile " + words[1], words[2], largest_tile, false);
    } else if (key == "place") {
      expect(words, 3, "place VALUE PLACE");
      claim("place " + words[1]);
      schedule_.place[words[1]] = choice("place " + words[1], "not a place", words[2], places);
    } else {
      std::string allowed = "target, dot_precision, tile, place";
      for (const NumberKey& entry : number_keys) allowed += std::string(", ") + entry.name;
      refuse(errors::ir["schedule-key-unknown"], line_, key, "unknown key '" + key + "'", key,
             allowed);
    }
  }

  /// `word`, which must be one of `words`.
  template <typename Words>
  std::string choice(const std::string& key, const std::string& message, const std::string& word,
                     const Words& words) const {
    std::string allowed;
    for (const char* one : words) {
      if (word == one) return word;
      allowed += (allowed.empty() ? "" : ", ") + std::string(one);
    }
    refuse(errors::ir["schedule-value-invalid"], line_, key, message, word, allowed);
  }

  void expect(const std::vector<std::string>& words, std::size_t count,
              const std::string& form) const {
    if (words.size() == count) return;
    std::string given;
    for (const std::string& word : words) given += (given.empty() ? "" : " ") + word;
    refuse(errors::ir["schedule-line-malformed"], line_, words[0],
           "this line does not have the form of its key", given, form);
  }

  void claim(const std::string& key) {
    if (!seen_.insert(key).second)
      refuse(errors::ir["schedule-key-twice"], line_, key, "'" + key + "' is given twice", key,
             "each key once");
  }

  Schedule schedule_;
  std::set<std::string> seen_;
  int line_ = 0;
  bool has_reason_ = false;
};

}  // namespace

std::string print(const Schedule& schedule) {
  std::string text;
  if (!schedule.why.empty()) {
    text += "# ";
    for (const char c : schedule.why) {
      text += c;
      if (c == '\n') text += "# ";
    }
    text += "\n";
  }
  if (!schedule.target.empty()) text += "target " + schedule.target + "\n";
  for (const auto& [dimension, elements] : schedule.tile)
    text += "tile " + dimension + " " + std::to_string(elements) + "\n";
  for (const NumberKey& entry : number_keys)
    if (schedule.*entry.field != 0)
      text += std::string(entry.name) + " " + std::to_string(schedule.*entry.field) + "\n";
  if (!schedule.dot_precision.empty()) text += "dot_precision " + schedule.dot_precision + "\n";
  for (const auto& [value, place] : schedule.place) text += "place " + value + " " + place + "\n";
  return text;
}

Schedule read_schedule(std::string_view text) { return Reader().all(text); }

}  // namespace tilewright::ir
