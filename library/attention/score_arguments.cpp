// See score_arguments.hpp. Extents, strides and devices of tables are Plan::launch's to check.
#include "attention/score_arguments.hpp"

#include <cmath>
#include <tilewright/error.hpp>

#include "attention/errors.hpp"
#include "scores/node.hpp"

namespace tilewright::library {
namespace {

template <typename Value>
const Value* find(const std::vector<std::pair<std::string, Value>>& list, const std::string& name) {
  const Value* found = nullptr;
  for (const auto& [key, value] : list) {
    if (key != name) continue;
    if (found != nullptr)
      throw Error(errors::attention["score-argument-twice"], "'" + name + "' is given twice",
                  {name, "", "once", ""});
    found = &value;
  }
  return found;
}

template <typename Value>
void refuse_strangers(const char* what, const std::vector<std::pair<std::string, Value>>& given,
                      const std::vector<ScoreTree>& known, Op op) {
  std::string names;
  for (const ScoreTree& one : known)
    if (one->op == op) names += (names.empty() ? "" : ", ") + one->name;
  for (const auto& [name, value] : given) {
    bool found = false;
    for (const ScoreTree& one : known) found = found || (one->op == op && one->name == name);
    if (found) continue;
    throw Error(errors::attention["score-argument-unknown"],
                std::string("this attention has no ") + what + " of that name",
                {name, name, names.empty() ? "none" : names, ""});
  }
}

double checked(const ScoreNode& number, double value) {
  const bool integer = number.dtype == i32;
  constexpr double most = 1 << 30;  // what is added to a position stays within 32 bits
  if (integer ? value == std::floor(value) && std::fabs(value) <= most : std::isfinite(value))
    return value;
  throw Error(errors::attention["score-number-unusable"],
              "number '" + number.name + "' is not one it can take",
              {number.name, std::to_string(value),
               integer ? "an integer from -1073741824 to 1073741824" : "a finite number", ""});
}

}  // namespace

void bind_arguments(const std::vector<ScoreTree>& known,
                    const std::vector<std::pair<std::string, double>>& numbers,
                    const std::vector<std::pair<std::string, TensorView>>& tables,
                    std::vector<Binding>& arguments) {
  refuse_strangers("number", numbers, known, Op::scalar_argument);
  refuse_strangers("table", tables, known, Op::load);
  for (const ScoreTree& one : known) {
    if (one->op == Op::scalar_argument) {
      const double* value = find(numbers, one->name);
      arguments.emplace_back(one->name, value ? checked(*one, *value) : one->constant);
      continue;
    }
    const TensorView* table = find(tables, one->name);
    if (table == nullptr)
      throw Error(errors::attention["score-table-missing"],
                  "table '" + one->name + "' is not given",
                  {one->name, "", "a tensor in AttentionTensors::tables", ""});
    arguments.emplace_back(one->name, *table);
  }
}

}  // namespace tilewright::library
