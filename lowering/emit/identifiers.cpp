// The words that are taken before the program names anything, and the shared signature. See
// identifiers.hpp for what it is for.
#include "emit/identifiers.hpp"

#include <algorithm>

#include "ir/flattened.hpp"

namespace tilewright::emit {

namespace {

/// C++ keywords, the functions and types the text calls, and macros of the kernel's half of the
/// file.
constexpr const char* reserved[] = {
    "alignas", "alignof", "and", "and_eq", "asm", "auto", "bitand", "bitor", "bool", "break",
    "case", "catch", "char", "class", "compl", "const", "const_cast", "constexpr", "continue",
    "decltype", "default", "delete", "do", "double", "dynamic_cast", "else", "enum", "explicit",
    "export", "extern", "false", "float", "for", "friend", "goto", "if", "inline", "int", "long",
    "mutable", "namespace", "new", "noexcept", "not", "not_eq", "nullptr", "operator", "or",
    "or_eq", "private", "protected", "public", "register", "reinterpret_cast", "return", "short",
    "signed", "sizeof", "static", "static_assert", "static_cast", "struct", "switch", "template",
    "this", "thread_local", "throw", "true", "try", "typedef", "typeid", "typename", "union",
    "unsigned", "using", "virtual", "void", "volatile", "wchar_t", "while", "xor", "xor_eq",
    "concept", "requires", "char8_t", "char16_t", "char32_t", "consteval", "constinit", "co_await",
    "co_return", "co_yield",
    // called by the reference
    "n", "inf", "std", "abs", "exp", "exp2", "exp2_safe", "fabs", "floor_div", "floor_mod", "fmax",
    "fmin", "log", "log2", "sqrt", "tanh", "saturate", "Array", "Extents", "reference",
    "standalone",
    // called by main, and macros of the system's headers and of the prelude
    "main", "check", "fill", "fill_list", "upload", "align", "agrees", "decode", "Format", "ok",
    "unroll", "neg_inf", "pos_inf", "assert", "errno", "stdin", "stdout", "stderr", "NAN", "NULL",
    "INFINITY", "EOF", "linux", "unix", "dim3", "u32", "i64", "f16", "bf16"};

}  // namespace

Identifiers::Identifiers() : taken_(std::begin(reserved), std::end(reserved)) {}

std::string Identifiers::take(const std::string& wanted) {
  std::string name = wanted.empty() ? "x" : wanted;
  for (int i = 2; !taken_.insert(name).second; ++i) name = wanted + "_" + std::to_string(i);
  return name;
}

std::string Identifiers::take(const std::string& wanted, const std::string& otherwise) {
  return take(taken_.contains(wanted) ? otherwise : wanted);
}

Signature::Signature(const ir::Kernel& kernel) {
  names.take(kernel.name);
  Identifiers members;
  const auto add = [&](const std::string& dim) {
    if (dim.empty() || member.contains(dim) || ir::is_flattened(dim)) return;
    dims.push_back(dim);
    member[dim] = members.take(dim);
  };
  for (const Argument& argument : kernel.arguments) {
    for (const std::string& dim : argument.dims) add(dim);
    parameter[argument.name] = names.take(argument.name);
  }
  for (const std::string& dim : kernel.grid) add(dim);
}

std::string element_type(DType dtype, bool in_array) {
  if (is_floating(dtype)) return "double";
  switch (dtype) {
    case DType::u32: return "unsigned";
    case DType::i64: return "long long";
    case DType::b1: return in_array ? "char" : "bool";
    default: return "int";
  }
}

}  // namespace tilewright::emit
