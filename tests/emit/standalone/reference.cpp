// The emitted reference, compiled by the host compiler and called, against the interpreter at odd
// extents. Both read the same rounded inputs; the reference does not round at casts, so tolerances
// follow the types.
#include <dlfcn.h>
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "../../dsl/kernels.hpp"
#include "build.hpp"
#include "emit/identifiers.hpp"
#include "emit/reference.hpp"
#include "emit/sample.hpp"
#include "harness.hpp"
#include "ir/interpret.hpp"
#include "kernels.hpp"

using namespace tilewright;

namespace {

/// Wraps `reference` so that any kernel is called the same way: extents in Signature's order, one
/// array of doubles per tensor, scalars as doubles.
std::string wrapped(const ir::Kernel& kernel) {
  const emit::Signature signature(kernel);
  std::string text = emit::emit_reference(kernel);
  text +=
      "using namespace standalone;\n"
      "extern \"C\" void run(const int* n, double* const* x, const double* s) {\n  Extents e{";
  for (std::size_t i = 0; i < signature.dims.size(); ++i)
    text += (i ? ", n[" : "n[") + std::to_string(i) + "]";
  text += "};\n  (void)s;\n";
  std::string call = "  reference(e", back;
  int tensors = 0, scalars = 0;
  for (const Argument& argument : kernel.arguments) {
    if (argument.kind == Argument::Kind::scalar) {
      call += ", " + emit::element_type(argument.dtype, false) + "(s[" + std::to_string(scalars++) +
              "])";
      continue;
    }
    const std::string t = "t" + std::to_string(tensors), x = "x[" + std::to_string(tensors) + "]";
    text += "  Array<" + emit::element_type(argument.dtype, true) + "> " + t + "({";
    for (std::size_t i = 0; i < argument.dims.size(); ++i)
      text += (i ? ", e." : "e.") + signature.member.at(argument.dims[i]);
    text += "});\n  for (size_t i = 0; i < " + t + ".data.size(); ++i) " + t + ".data[i] = " + x +
            "[i];\n";
    back +=
        "  for (size_t i = 0; i < " + t + ".data.size(); ++i) " + x + "[i] = " + t + ".data[i];\n";
    call += ", " + t;
    ++tensors;
  }
  return text + call + ");\n" + back + "}\n";
}

struct Case {
  std::map<std::string, std::int64_t> extents;  ///< all of them
  std::map<std::string, double> scalars = {};
  std::map<std::string, std::vector<double>> given = {};  ///< instead of noise
  double tolerance = 2e-5;
};

double noise(unsigned& seed) {
  seed = seed * 1664525u + 1013904223u;
  return (seed >> 8) / double(1 << 23) - 1;
}

/// The largest |reference - interpreter| / (1 + |interpreter|) over all outputs.
double difference(const ir::Kernel& kernel, const Case& test) {
  ir::Inputs inputs;
  inputs.extents = test.extents;
  inputs.scalars = test.scalars;
  std::vector<std::vector<double>> arrays;
  std::vector<double> scalars;
  unsigned seed = 7;
  for (const Argument& argument : kernel.arguments) {
    if (argument.kind == Argument::Kind::scalar) {
      scalars.push_back(test.scalars.at(argument.name));
      continue;
    }
    std::vector<std::int64_t> shape;
    std::int64_t size = 1;
    for (const std::string& dim : argument.dims) {
      shape.push_back(test.extents.at(dim));
      size *= shape.back();
    }
    ir::HostTensor tensor = ir::HostTensor::zeros(argument.dtype, shape);
    const auto given = test.given.find(argument.name);
    for (std::int64_t i = 0; i < size; ++i)
      tensor.set(i, given != test.given.end() ? given->second.at(static_cast<std::size_t>(i))
                    : argument.kind == Argument::Kind::out ? 3
                                                           : noise(seed));
    std::vector<double> array;
    for (std::int64_t i = 0; i < size; ++i) array.push_back(tensor.get(i));
    arrays.push_back(std::move(array));
    inputs.tensors[argument.name] = std::move(tensor);
  }
  ir::interpret(kernel, inputs, {.default_tile = 16});

  const Folder folder;
  const std::string source = folder.write("reference.cpp", wrapped(kernel));
  const std::string object = folder.path("reference.so");
  const int status =
      folder.run(std::string(HOST_COMPILER) +
                 " -std=c++17 -O1 -Wall -Werror -shared -fPIC -x c++ -DTILEWRIGHT_MAIN "
                 "-DTILEWRIGHT_REFERENCE_ONLY -o '" +
                 object + "' '" + source + "'");
  REQUIRE_MESSAGE(status == 0, folder.output() << wrapped(kernel));
  void* const library = dlopen(object.c_str(), RTLD_NOW | RTLD_LOCAL);
  REQUIRE_MESSAGE(library != nullptr, dlerror());
  using Run = void (*)(const int*, double* const*, const double*);
  const auto run = reinterpret_cast<Run>(dlsym(library, "run"));
  std::vector<int> extents;
  for (const std::string& dim : emit::Signature(kernel).dims)
    extents.push_back(static_cast<int>(test.extents.at(dim)));
  std::vector<double*> pointers;
  for (auto& array : arrays) pointers.push_back(array.data());
  run(extents.data(), pointers.data(), scalars.data());
  dlclose(library);

  double most = 0;
  std::size_t tensor = 0;
  for (const Argument& argument : kernel.arguments) {
    if (argument.kind == Argument::Kind::scalar) continue;
    const std::vector<double>& array = arrays[tensor++];
    if (argument.kind == Argument::Kind::in) continue;
    for (std::size_t i = 0; i < array.size(); ++i) {
      const double want = inputs.tensors.at(argument.name).get(static_cast<std::int64_t>(i));
      if (array[i] == want) continue;
      const double error = std::fabs(array[i] - want) / (1 + std::fabs(want));
      most = error >= 0 ? std::fmax(most, error) : std::numeric_limits<double>::infinity();
    }
  }
  return most;
}

void agrees(const KernelSource& source, const std::map<std::string, std::int64_t>& bound,
            const Case& test) {
  const ir::Kernel kernel = build(source, bound);
  const double error = difference(kernel, test);
  CHECK_MESSAGE(error <= test.tolerance, kernel.name << ": " << error);
}

}  // namespace

TEST_CASE("grouped heads under a mask that hides whole rows") {
  // More rows than keys: with the ends aligned the first rows see nothing and give 0 and -inf.
  agrees(
      kernels::flash, {{"d", 20}, {"e", 12}},
      {{{"batch", 2}, {"q_head", 4}, {"kv_head", 2}, {"q", 37}, {"kv", 29}, {"d", 20}, {"e", 12}},
       {{"softmax_scale", 0.3}},
       {},
       2e-2});
}

TEST_CASE("no keys at all") {
  agrees(kernels::flash, {{"d", 8}, {"e", 4}},
         {{{"batch", 1}, {"q_head", 2}, {"kv_head", 1}, {"q", 5}, {"kv", 0}, {"d", 8}, {"e", 4}},
          {{"softmax_scale", 0.3}}});
}

TEST_CASE("the running softmax spelled out, in f32") {
  agrees(
      kernels::spelled_out<f32>, {{"d", 16}, {"e", 9}},
      {{{"batch", 1}, {"q_head", 2}, {"kv_head", 1}, {"q", 33}, {"kv", 171}, {"d", 16}, {"e", 9}},
       {{"scale_log2", 0.7}}});
}

TEST_CASE("elementwise, whole rows, a contraction in a loop") {
  agrees(standalone_kernels::sum_of_two, {}, {{{"q", 51}}});
  agrees(standalone_kernels::row_softmax, {{"d", 19}}, {{{"batch", 3}, {"q", 17}, {"d", 19}}});
  agrees(standalone_kernels::product, {{"d", 7}}, {{{"q", 18}, {"kv", 65}, {"d", 7}}});
}

TEST_CASE("a masked store leaves the rest alone") {
  agrees(standalone_kernels::masked_store, {}, {{{"q", 23}, {"kv", 35}}, {{"window", 4}}});
}

TEST_CASE("Vars of a counted loop that read each other") {
  agrees(standalone_kernels::exchange, {}, {{{"batch", 3}, {"q", 5}}, {}, {{"count", {0, 1, 9}}}});
}

TEST_CASE("indices from memory and integers that round toward -inf") {
  agrees(standalone_kernels::gathered, {{"d", 18}},
         {{{"batch", 4}, {"page", 3}, {"d", 18}}, {}, {{"table", {2, 0, 2, 1}}}});
}

TEST_CASE("two dimensions as the rows of one tile") {
  agrees(standalone_kernels::packed, {{"d", 6}}, {{{"q", 13}, {"group", 3}, {"kv", 17}, {"d", 6}}});
  agrees(standalone_kernels::packed, {{"d", 6}, {"group", 4}},
         {{{"q", 9}, {"group", 4}, {"kv", 5}, {"d", 6}}});
}

TEST_CASE("places of largest elements, random bits, shifts by any number") {
  for (const int columns : {3, 41}) {
    Case test{{{"q", 19}, {"kv", columns}, {"d", 40}}, {{"seed", -77}}};
    auto& k = test.given["k"];
    for (int i = 0; i < 19 * 40; ++i)
      k.push_back(i % 9 == 0 ? -2147483648.0 : i % 9 == 1 ? 2147483647 : (i * 7919) % 2001 - 1000);
    agrees(standalone_kernels::integers, {{"d", 40}}, test);
  }
}

TEST_CASE("tensors read and written, branches, additions, rows by number") {
  for (const int columns : {3, 21}) {
    Case test{{{"q", 7}, {"kv", columns}, {"page", 6}}};
    test.given["pick"] = {3, 0, -1, 5, 6, 2, 4};
    test.given["bins"] = {0, 1, 2, 3, 4, 5};
    agrees(standalone_kernels::statements, {}, test);
  }
}

TEST_CASE("the tiles that a list names, those it marks as cut under the mask") {
  // 37 rows are 3 tiles of 16, 29 columns 4 tiles of 8; the second row is empty.
  const Case test{
      {{"batch", 2}, {"q", 37}, {"kv", 29}, {"d", 5}, {"blocks_rows", 3}, {"blocks_entries", 9}},
      {},
      {{"blocks_begin", {0, 2, 2, 5, 3, 1}},
       {"blocks_end", {2, 2, 5, 9, 4, 2}},
       {"blocks_tiles", {3, -1, 0, -4, 2, -3, 1, 3, 0}}}};
  agrees(standalone_kernels::listed<true>, {{"d", 5}}, test);
  agrees(standalone_kernels::listed<false>, {{"d", 5}}, test);
}

TEST_CASE("a list whose rows are reduced has no reference") {
  try {
    emit::emit_reference(build(standalone_kernels::listed_columns));
    FAIL("accepted");
  } catch (const Error& error) {
    CHECK(std::string(error.id()) == "reference-list-unsupported");
    CHECK(error.argument() == "q");
  }
}
