// Writes main(). The functions it calls come first, only those that the program's element types
// need: a small float is a sign, some exponent bits and some mantissa bits, and one pair of
// functions reads and writes all of them. See standalone.hpp.
#include "emit/standalone.hpp"

#include <utility>

#include "emit/errors.hpp"
#include "emit/identifiers.hpp"
#include "emit/lines.hpp"
#include "emit/reference.hpp"
#include "emit/sample.hpp"
#include "emit/standalone_functions.hpp"
#include "ir/flattened.hpp"
#include "ir/print.hpp"
#include "tilewright/error.hpp"

namespace tilewright::emit {

namespace {

struct Format {
  int bytes, exponent, mantissa;
};

/// Bytes and bits of an element in memory. Integers have no exponent; their mantissa is 1 when
/// signed.
Format format_of(DType dtype) {
  switch (dtype) {
    case DType::f32: return {4, 8, 23};
    case DType::f16: return {2, 5, 10};
    case DType::bf16: return {2, 8, 7};
    case DType::e4m3: return {1, 4, 3};
    case DType::e5m2: return {1, 5, 2};
    case DType::u8:
    case DType::b1: return {1, 0, 0};
    case DType::u32: return {4, 0, 0};
    case DType::i8: return {1, 0, 1};
    case DType::i64: return {8, 0, 1};
    default: return {4, 0, 1};
  }
}

class Main {
 public:
  Main(const ir::Kernel& traced, const KernelText& kernel)
      : traced_(traced),
        kernel_(kernel),
        signature_(traced),
        extents_(sample_extents(traced)),
        lists_(sample_lists(traced, extents_)) {
    choice_.lists = !lists_.empty();
    signature_.names.take(kernel.symbol);
    for (const Argument& argument : traced.arguments) {
      if (argument.kind == Argument::Kind::scalar) continue;
      device_[argument.name] =
          signature_.names.take(signature_.parameter.at(argument.name) + "_device");
      if (!is_floating(argument.dtype)) choice_.integers = true;
      if (argument.dtype == DType::e4m3) choice_.e4m3 = true;
    }
    for (const KernelText::Aligned& aligned : kernel.aligned) {
      const Argument* tensor = traced.find_argument(aligned.tensor);
      if (!tensor || aligned.inner_axis < 0 ||
          static_cast<std::size_t>(aligned.inner_axis) >= tensor->dims.size())
        refuse({Parameter::Kind::stride, aligned.tensor, "", aligned.tensor, aligned.inner_axis});
      const auto inner = static_cast<std::size_t>(aligned.inner_axis);
      const bool rows =
          inner + 1 == tensor->dims.size() && extents_.at(tensor->dims[inner]) % 16 == 0;
      if (rows || tensor->dims.size() == 1) continue;
      inner_[aligned.tensor] = aligned.inner_axis;
      choice_.layouts = true;
    }
  }

  std::string text() {
    Lines lines = {"#if defined TILEWRIGHT_MAIN && !defined TILEWRIGHT_REFERENCE_ONLY",
                   "#include <cstdio>", "#include <cstdlib>", "#include <cstring>",
                   "namespace standalone {"};
    append(lines, standalone_functions(choice_));
    lines.push_back("}  // namespace standalone");
    Lines body = {"using namespace standalone;"};
    inputs(body);
    launch(body);
    comparison(body);
    append_scope(lines, "int main() ", "", body);
    lines.push_back("#endif  // TILEWRIGHT_MAIN");
    return join(lines);
  }

 private:
  void inputs(Lines& lines);
  void launch(Lines& lines) const;
  void comparison(Lines& lines) const;
  std::string argument_text(const Parameter& parameter) const;
  std::string extents_of(const Argument& tensor) const;
  std::string format_text(const Argument& tensor) const;
  bool is_of_list(const std::string& tensor) const {
    for (const SampleList& list : lists_)
      if (tensor == list.begin || tensor == list.end || tensor == list.tiles) return true;
    return false;
  }
  const std::string& name(const Argument& argument) const {
    return signature_.parameter.at(argument.name);
  }
  [[noreturn]] void refuse(const Parameter& parameter) const {
    throw Error(errors::emit["standalone-parameter-unknown"],
                "parameter '" + parameter.name + "' of kernel '" + kernel_.symbol +
                    "' names nothing of the traced program",
                {parameter.name, parameter.name_of, "its tensors, dimensions and scalars", ""});
  }

  const ir::Kernel& traced_;
  const KernelText& kernel_;
  Signature signature_;
  std::map<std::string, int> extents_;
  std::map<std::string, std::string> device_;
  std::map<std::string, int> inner_;  ///< tensors that are not row-major
  std::vector<SampleList> lists_;
  FunctionChoice choice_;
};

std::string Main::extents_of(const Argument& tensor) const {
  std::string text = "{";
  for (std::size_t i = 0; i < tensor.dims.size(); ++i)
    text += (i ? ", n." : "n.") + signature_.member.at(tensor.dims[i]);
  return text + "}";
}

/// Its Format; an input of integers carries how many different ones it may hold.
std::string Main::format_text(const Argument& tensor) const {
  const Format format = format_of(tensor.dtype);
  std::string text = "Format{" + std::to_string(format.bytes) + ", " +
                     std::to_string(format.exponent) + ", " + std::to_string(format.mantissa);
  if (choice_.integers)
    text += ", " + std::to_string(is_floating(tensor.dtype) ? 0
                                  : tensor.dtype == DType::b1
                                      ? 2
                                      : sample_limit(traced_, tensor.name, extents_));
  return text + "}";
}

void Main::inputs(Lines& lines) {
  std::string numbers;
  for (const std::string& dim : signature_.dims)
    numbers += (numbers.empty() ? "" : ", ") + std::to_string(extents_.at(dim));
  lines.push_back("const Extents n{" + (numbers.empty() ? "0" : numbers) + "};");
  int seed = 0;
  for (const Argument& argument : traced_.arguments) {
    const std::string& x = name(argument);
    if (argument.kind == Argument::Kind::scalar) {
      const char* value = is_floating(argument.dtype)   ? "0.125"
                          : argument.dtype == DType::b1 ? "true"
                                                        : "17";
      lines.push_back("const " + element_type(argument.dtype, false) + " " + x + " = " + value +
                      ";");
      continue;
    }
    const bool input = argument.kind != Argument::Kind::out;
    lines.push_back("Array<" + element_type(argument.dtype, true) + "> " + x + "(" +
                    extents_of(argument) + ");");
    if (is_of_list(argument.name)) continue;
    if (const auto inner = inner_.find(argument.name); inner != inner_.end())
      lines.push_back("align(" + x + ", " + extents_of(argument) + ", " +
                      std::to_string(inner->second) + ");");
    const std::string filled = "void* const " + device_.at(argument.name) + " = fill(" + x + ", " +
                               format_text(argument) + ", " + std::to_string(input ? ++seed : 0) +
                               ");  // " + std::string(tilewright::name(argument.dtype));
    if (lines.back().size() + filled.size() + 4 <= 120 && !inner_.contains(argument.name))
      lines.back() += "  " + filled;
    else
      lines.push_back(filled);
  }
  for (const SampleList& list : lists_) {
    const auto of = [&](const std::string& tensor) { return signature_.parameter.at(tensor); };
    lines.push_back("fill_list(" + of(list.begin) + ", " + of(list.end) + ", " + of(list.tiles) +
                    ", " + std::to_string(list.columns) + (list.cut ? ", true);" : ", false);"));
    for (const std::string& tensor : {list.begin, list.end, list.tiles})
      lines.push_back("void* const " + device_.at(tensor) + " = upload(" + of(tensor) + ");");
  }
}

std::string Main::argument_text(const Parameter& parameter) const {
  const Argument* argument = traced_.find_argument(parameter.name_of);
  const bool tensor = argument && argument->kind != Argument::Kind::scalar;
  switch (parameter.kind) {
    case Parameter::Kind::pointer:
      if (!tensor) refuse(parameter);
      return "(" + parameter.type + ")" + device_.at(argument->name);
    case Parameter::Kind::stride: {
      if (!tensor || parameter.axis < 0 ||
          static_cast<std::size_t>(parameter.axis) >= argument->dims.size())
        refuse(parameter);
      return name(*argument) + ".stride[" + std::to_string(parameter.axis) + "]";
    }
    case Parameter::Kind::extent:
      if (!signature_.member.contains(parameter.name_of)) refuse(parameter);
      return "n." + signature_.member.at(parameter.name_of);
    case Parameter::Kind::scalar:
      if (!argument || tensor) refuse(parameter);
      return name(*argument);
  }
  refuse(parameter);
}

void Main::launch(Lines& lines) const {
  std::string grid;
  for (const GridFactor& factor : kernel_.grid) {
    std::string extent;
    for (const std::string& part : ir::parts_of(factor.dim)) {
      const auto member = signature_.member.find(part);
      if (member == signature_.member.end())
        refuse({Parameter::Kind::extent, "grid", "int", part, -1});
      extent += (extent.empty() ? "n." : " * n.") + member->second;
    }
    grid += grid.empty() ? "" : " * ";
    grid += factor.tile == 1 ? extent
                             : "((" + extent + " + " + std::to_string(factor.tile - 1) + ") / " +
                                   std::to_string(factor.tile) + ")";
  }
  if (kernel_.shared_bytes > 48 * 1024)
    lines.push_back("check(cudaFuncSetAttribute((const void*)" + kernel_.symbol +
                    ", cudaFuncAttributeMaxDynamicSharedMemorySize, " +
                    std::to_string(kernel_.shared_bytes) + "), \"shared memory\");");
  std::string arguments;
  for (const Parameter& parameter : kernel_.parameters)
    arguments += (arguments.empty() ? "" : ", ") + argument_text(parameter);
  lines.push_back(kernel_.symbol + "<<<" + (grid.empty() ? "1" : grid) + ", " +
                  std::to_string(kernel_.threads) + ", " + std::to_string(kernel_.shared_bytes) +
                  ">>>(" + arguments + ");");
  lines.push_back("check(cudaGetLastError(), \"launch of " + kernel_.symbol +
                  "\"), check(cudaDeviceSynchronize(), \"" + kernel_.symbol + "\");");
}

void Main::comparison(Lines& lines) const {
  std::string call = "reference(n";
  for (const Argument& argument : traced_.arguments) call += ", " + name(argument);
  lines.push_back(call + ");");
  std::string declaration = "bool ok = ";
  for (const Argument& argument : traced_.arguments)
    if (argument.kind == Argument::Kind::out || argument.kind == Argument::Kind::in_out)
      lines.push_back(std::exchange(declaration, "ok &= ") + "agrees(\"" + argument.name + "\", " +
                      name(argument) + ", " + device_.at(argument.name) + ", " +
                      format_text(argument) + ", " +
                      ir::print_number(sample_tolerance(traced_, argument.name)) + ");");
  lines.push_back(declaration == "ok &= " ? "return ok ? 0 : 1;" : "return 0;");
}

}  // namespace

std::string emit_main(const ir::Kernel& traced, const KernelText& kernel) {
  return Main(traced, kernel).text();
}

std::string emit_standalone(const ir::Kernel& traced, const KernelText& kernel) {
  return "\n" + emit_reference(traced, kernel.tiles) + emit_main(traced, kernel);
}

}  // namespace tilewright::emit
