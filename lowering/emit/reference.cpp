// Assembles the text of the reference: its types, its signature, and around the program's
// statements (reference_writer.cpp) one loop for every dimension of the grid. See reference.hpp.
#include "emit/reference.hpp"

#include "emit/reference_writer.hpp"

namespace tilewright::emit {

namespace {

constexpr std::string_view array_type =
    R"(template <class T> struct Array {  // row-major, any number of axes
  std::vector<long> stride;
  std::vector<T> data;
  explicit Array(std::vector<long> shape, T fill = {}) : stride(shape), data(1, fill) {
    for (size_t i = shape.size(); i-- > 0; data.resize(data.size() * shape[i], fill)) stride[i] = long(data.size());
  }
  template <class... I> T& operator()([[maybe_unused]] I... i) {
    [[maybe_unused]] long k = 0, axis = 0;  return data[((k += i * stride[axis++]), ..., k)]; }
};
)";

std::string parameters(const ir::Kernel& kernel, const Signature& signature) {
  std::string text = "const Extents& n";
  for (const Argument& argument : kernel.arguments) {
    const std::string& name = signature.parameter.at(argument.name);
    if (argument.kind == Argument::Kind::scalar) {
      text += ", " + element_type(argument.dtype, false) + " " + name;
    } else {
      text += ", Array<" + element_type(argument.dtype, true) + ">& " + name;
    }
  }
  return text;
}

}  // namespace

std::string emit_reference(const ir::Kernel& traced, const TileSizes& tiles) {
  ReferenceWriter writer(traced, tiles);
  const Lines body = writer.program();
  const Signature& signature = writer.signature();

  std::string members;
  for (const std::string& dim : signature.dims)
    members += (members.empty() ? "" : ", ") + signature.member.at(dim);
  Lines lines = {
      "#ifdef TILEWRIGHT_MAIN  // small inputs, the kernel and this: nvcc -arch=sm_80 "
      "-DTILEWRIGHT_MAIN FILE.cu",
      "#include <cmath>", "#include <vector>"};
  if (writer.calls().contains("saturate")) lines.push_back("#include <limits>");
  if (writer.uses_algorithm()) lines.push_back("#include <algorithm>");
  lines.push_back("namespace standalone {");
  lines.push_back("struct Extents { int " + (members.empty() ? "none" : members) + "; };");
  append(lines, split(array_type));
  append(lines, definitions_of(writer.calls()));
  append(lines,
         {"",
          "// The program before any pass, in double precision. Casts of floats do not round; one "
          "block holds all of a loop's axis."});
  append_scope(lines, "inline void reference(" + parameters(traced, signature) + ") ", "", body);
  lines.insert(lines.end(), {"}  // namespace standalone", "#endif  // TILEWRIGHT_MAIN"});
  return join(lines);
}

}  // namespace tilewright::emit
