// See signature.hpp.
#include "signature.hpp"

#include <algorithm>

#include "plan_errors.hpp"
#include "tilewright/error.hpp"

namespace tilewright {
namespace {

std::string sort_of(bool scalar, bool temporary) {
  return scalar ? "a scalar" : temporary ? "a Temp" : "a tensor";
}

}  // namespace

int Signature::slot(const std::string& name) const {
  for (std::size_t i = 0; i < slots_.size(); ++i)
    if (slots_[i].name == name) return static_cast<int>(i);
  return -1;
}

int Signature::dimension(const std::string& name) const {
  for (std::size_t i = 0; i < dimensions_.size(); ++i)
    if (dimensions_[i].name == name) return static_cast<int>(i);
  return -1;
}

int Signature::dimension_for(const std::string& name) {
  if (const int known = dimension(name); known >= 0) return known;
  dimensions_.push_back({name, -1});
  return static_cast<int>(dimensions_.size()) - 1;
}

void Signature::bind(const std::string& dim, std::int64_t extent, const std::string& who) {
  Dimension& known = dimensions_[static_cast<std::size_t>(dimension_for(dim))];
  if (known.bound >= 0 && known.bound != extent)
    throw Error(errors::plan["extent-compiled-otherwise"],
                "dimension '" + dim + "' of " + who + " was compiled for another extent",
                {dim, std::to_string(extent), std::to_string(known.bound) + ", as before it", ""});
  known.bound = extent;
}

void Signature::add(const ir::Kernel& kernel, int step, const std::string& who) {
  for (const Argument& argument : kernel.arguments) add(argument, step, who);
  for (const auto& [dim, extent] : kernel.bound) bind(dim, extent, who);
}

void Signature::add(const Argument& argument, int step, const std::string& who, bool packed) {
  const bool scalar = argument.kind == Argument::Kind::scalar;
  const bool reads = argument.kind != Argument::Kind::out;
  const bool writes = !scalar && argument.kind != Argument::Kind::in;
  std::vector<int> dims;
  for (const std::string& dim : argument.dims) dims.push_back(dimension_for(dim));

  int number = slot(argument.name);
  if (number < 0) {
    number = static_cast<int>(slots_.size());
    slots_.push_back({.name = argument.name,
                      .dtype = argument.dtype,
                      .dims = dims,
                      .scalar = scalar,
                      .temporary = argument.temporary,
                      .first = step});
  }
  Slot& known = slots_[static_cast<std::size_t>(number)];
  const auto refuse = [&](const ErrorEntry& entry, const std::string& what,
                          const std::string& value, const std::string& allowed) {
    throw Error(entry, "argument '" + argument.name + "' of " + who + " has another " + what,
                {argument.name, value, allowed + ", as before it", ""});
  };
  if (known.scalar != scalar || known.temporary != argument.temporary)
    refuse(errors::plan["plan-argument-type-disagrees"], "meaning",
           sort_of(scalar, argument.temporary), sort_of(known.scalar, known.temporary));
  if (known.dtype != argument.dtype)
    refuse(errors::plan["plan-argument-type-disagrees"], "element type",
           std::string(name(argument.dtype)), std::string(name(known.dtype)));
  if (known.dims != dims) {
    const auto list = [&](const std::vector<int>& numbers) {
      std::string text;
      for (const int one : numbers) text += (text.empty() ? "" : ", ") + dimension_name(one);
      return "[" + text + "]";
    };
    refuse(errors::plan["plan-argument-shape-disagrees"], "list of dimensions", list(dims),
           list(known.dims));
  }
  if (known.temporary && reads && !known.written && unwritten.empty()) {
    unwritten = argument.name;
    unwritten_reader = who;
  }
  known.required |= reads;
  known.written |= writes;
  known.packed |= packed;
  known.last = std::max(known.last, step);
}

}  // namespace tilewright
