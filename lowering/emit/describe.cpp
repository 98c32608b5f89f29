#include "emit/describe.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <set>

namespace tilewright::emit {
namespace {

using ir::Operation;

struct Phrase {
  std::string text;
  int precedence = 100;  ///< how tightly its outermost operator binds
};

const char* infix(Op op) {
  switch (op) {
    case Op::add: return " + ";
    case Op::sub: return " - ";
    case Op::mul: return " * ";
    case Op::div: return " / ";
    case Op::mod: return " % ";
    case Op::lt: return " < ";
    case Op::le: return " <= ";
    case Op::gt: return " > ";
    case Op::ge: return " >= ";
    case Op::eq: return " == ";
    case Op::ne: return " != ";
    case Op::logical_and: return " && ";
    case Op::logical_or: return " || ";
    case Op::shl: return " << ";
    case Op::shr: return " >> ";
    case Op::bit_and: return " & ";
    case Op::bit_or: return " | ";
    case Op::bit_xor: return " ^ ";
    default: return nullptr;
  }
}

int precedence(Op op) {
  switch (op) {
    case Op::mul:
    case Op::div:
    case Op::mod: return 50;
    case Op::add:
    case Op::sub: return 40;
    case Op::shl:
    case Op::shr: return 35;
    case Op::logical_and: return 15;
    case Op::logical_or: return 10;
    case Op::bit_and:
    case Op::bit_or:
    case Op::bit_xor: return 18;
    default: return 30;
  }
}

class Describer {
 public:
  Describer(const ir::Kernel& kernel, const ir::Kernel& scheduled)
      : kernel_(kernel), phrases_(kernel.values.size()) {
    collect(scheduled.body, scheduled);
    region(kernel.body);
  }

  std::vector<std::string> texts() const {
    std::vector<std::string> result;
    for (const Phrase& phrase : phrases_) result.push_back(phrase.text);
    return result;
  }

 private:
  void region(const ir::Region& region) {
    for (const auto& operation : region.operations) {
      for (const auto& inner : operation->regions) this->region(*inner);
      if (operation->results.size() == 1)
        phrases_[static_cast<std::size_t>(operation->results[0])] = phrase(*operation);
    }
  }

  /// A value where it is used: its name if it has one.
  Phrase use(ValueId value) const {
    const std::string& name = kernel_.values[static_cast<std::size_t>(value)].name;
    if (!name.empty() && shown_.contains(name)) return {name};
    return phrases_[static_cast<std::size_t>(value)];
  }
  std::string dim(ir::AxisId axis) const {
    return axis < 0 ? "" : kernel_.axes[static_cast<std::size_t>(axis)].dim;
  }

  Phrase phrase(const Operation& operation) const {
    const auto word = std::string(info(operation.op).name);
    if (const char* sign = infix(operation.op)) {
      const int own = precedence(operation.op);
      const Phrase left = use(operation.operands[0]), right = use(operation.operands[1]);
      const auto wrap = [](const Phrase& part, bool needed) {
        return needed ? "(" + part.text + ")" : part.text;
      };
      return {wrap(left, left.precedence < own) + sign + wrap(right, right.precedence <= own), own};
    }
    switch (operation.op) {
      case Op::constant: return {float_text(operation.constant)};
      case Op::scalar_argument: return {operation.name};
      case Op::each: return {operation.name};
      case Op::block: return {operation.name + "_block"};
      case Op::index: return {"index(" + dim(operation.axis) + ")"};
      case Op::iota: return {"iota(" + dim(operation.axis) + ")"};
      case Op::random_bits: return {random_text(operation)};
      case Op::extent: return {"extent(" + operation.name + ")"};
      case Op::load: return {"load(" + operation.name + ")"};
      case Op::neg: return signed_with("-", use(operation.operands[0]));
      case Op::logical_not: return signed_with("!", use(operation.operands[0]));
      case Op::cast:
        return {"cast<" + std::string(name(kernel_.type(operation.results[0]).dtype)) + ">(" +
                use(operation.operands[0]).text + ")"};
      default: break;
    }
    std::string text = word + "(";
    for (std::size_t i = 0; i < operation.operands.size(); ++i)
      text += (i ? ", " : "") + use(operation.operands[i]).text;
    if (operation.axis >= 0) text += ", " + dim(operation.axis);
    return {text + ")"};
  }

  /// Two minus signs would be one operator.
  static Phrase signed_with(const std::string& sign, const Phrase& of) {
    constexpr int own = 60;
    const bool apart = of.precedence < own || of.text.starts_with('-');
    return {sign + (apart ? "(" + of.text + ")" : of.text), own};
  }

  /// As the user wrote it: without the upper half of the seed and the stream where they are 0.
  std::string random_text(const Operation& operation) const {
    const auto text = [&](std::size_t i) { return use(operation.operands[i]).text; };
    const std::string seed = text(1) == "0" ? text(0) : "seed64(" + text(0) + ", " + text(1) + ")";
    return "random_bits(" + seed + ", " + text(2) + (text(3) == "0" ? "" : ", " + text(3)) + ")";
  }

  void collect(const ir::Region& region, const ir::Kernel& scheduled) {
    const auto take = [&](ValueId value) {
      shown_.insert(scheduled.values[static_cast<std::size_t>(value)].name);
    };
    for (const ValueId argument : region.arguments) take(argument);
    for (const auto& operation : region.operations) {
      for (const ValueId result : operation->results) take(result);
      for (const auto& inner : operation->regions) collect(*inner, scheduled);
    }
  }

  const ir::Kernel& kernel_;
  std::set<std::string> shown_;
  std::vector<Phrase> phrases_;
};

}  // namespace

std::string float_text(double value) {
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  if (std::isnan(value)) return "nan";
  std::array<char, 64> buffer{};
  const auto [end, error] =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), static_cast<float>(value));
  return std::string(buffer.data(), end);
}

std::vector<std::string> describe(const ir::Kernel& traced, const ir::Kernel& scheduled) {
  return Describer(traced, scheduled).texts();
}

}  // namespace tilewright::emit
