// The first program to run: attention on one layer of a real model, full and causal, checked.
//
// It calls the bundled variant `flash` the way the command does: a shape and three tensors in, the
// result and what happened on the way out. Each result is compared with the same attention computed
// densely in double precision. Results and the generated CUDA are left in a folder.
//
//   build/examples/quickstart [FILE] [FOLDER]     from the root of the repository, without
//   arguments
//
// Next: 01_add.cpp, to write a kernel; library/variants/variant.hpp, to call one.
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <tilewright/error.hpp>

#include "formats/errors.hpp"
#include "formats/file.hpp"
#include "formats/safetensors.hpp"
#include "reference/compare.hpp"
#include "runtime/device.hpp"
#include "variants/table.hpp"

namespace {

using namespace tilewright;
using library::AttentionShape;
using library::Precision;

struct Layer {
  AttentionShape shape;
  std::vector<std::byte> q, k, v;

  library::Inputs inputs() const { return {q, k, v}; }
};

/// Tensors q, k and v, bf16, [batch, heads, tokens, dim], one shape for all three.
Layer read_layer(const std::string& path) {
  const auto file = formats::SafetensorsFile::open(path);
  Layer layer;
  const formats::TensorInfo* first = nullptr;
  for (auto [name, bytes] :
       {std::pair{"q", &layer.q}, std::pair{"k", &layer.k}, std::pair{"v", &layer.v}}) {
    const formats::TensorInfo* tensor = file.find(name);
    if (!tensor || tensor->type != formats::ElementType::bf16 || tensor->shape.size() != 4)
      throw Error(errors::formats["input-tensor-missing"],
                  path + ": no bf16 tensor of 4 dimensions of that name",
                  {.argument = name, .value = name, .allowed = "q, k, v", .where = ""});
    if (!first) first = tensor;
    if (tensor->shape != first->shape)
      throw Error(errors::formats["input-tensors-disagree"],
                  path + ": q, k and v differ in shape here",
                  {.argument = name, .value = name, .allowed = "one shape for all", .where = ""});
    *bytes = file.read(*tensor);
  }
  const auto& extents = first->shape;
  AttentionShape& shape = layer.shape;
  shape.batch = extents[0];
  shape.heads = shape.kv_heads = extents[1];
  shape.seqlen_q = shape.seqlen_kv = extents[2];
  shape.head_dim = shape.value_dim = extents[3];
  shape.dtype = bf16;
  shape.softmax_scale = 1 / std::sqrt(static_cast<double>(shape.head_dim));
  return layer;
}

void write_result(const std::string& path, const AttentionShape& shape,
                  const library::RunResult& result) {
  const formats::TensorData tensors[] = {
      {"out",
       formats::ElementType::bf16,
       {shape.batch, shape.heads, shape.seqlen_q, shape.value_dim},
       result.out},
      {"lse",
       formats::ElementType::f32,
       {shape.batch, shape.heads, shape.seqlen_q},
       std::as_bytes(std::span(result.lse))}};
  formats::write_safetensors(path, tensors);
}

/// One row of the table; false when the result is wrong or the emulator saw a fault.
bool run_one(const library::Variant& flash, const library::Request& request, const Layer& layer,
             const std::string& device, const std::string& folder) {
  const std::string mask = request.shape.causal ? "causal" : "full";
  const library::RunResult result = flash.run(request, device, layer.inputs());

  const auto reference = [&](Precision precision) {
    return library::dense_attention(request.shape, layer.inputs(), flash.formula(request),
                                    precision);
  };
  const library::Comparison check = library::compare(
      request.shape, result, reference(Precision::exact), reference(Precision::same_type));
  const bool ok = check.ok() && result.faults.empty();
  std::printf("  %-8s %8lld %8lld %10.1e %10.1e %8zu   %s\n", mask.c_str(),
              static_cast<long long>(result.blocks.full + result.blocks.cut),
              static_cast<long long>(result.blocks.skipped), check.max_abs_error, check.tolerance,
              result.faults.size(), ok ? "ok" : "WRONG");
  for (const library::RunFault& fault : result.faults)
    std::printf("  %s at %s: %s\n", fault.kind.c_str(), fault.source.c_str(),
                fault.message.c_str());
  if (result.faults.empty())
    write_result(folder + "/out_" + mask + ".safetensors", request.shape, result);
  return ok;
}

int quickstart(const std::string& input, const std::string& folder) {
  const Layer layer = read_layer(input);
  std::filesystem::create_directories(folder);
  const auto device = runtime::Device::open();
  const auto flash = library::find_variant(library::variants(), "flash").make();
  const AttentionShape& shape = layer.shape;
  std::printf("Read      %s: q, k, v of %lld heads, %lld tokens, %lld numbers each, bf16\n",
              input.c_str(), static_cast<long long>(shape.heads),
              static_cast<long long>(shape.seqlen_q), static_cast<long long>(shape.head_dim));
  std::printf("Runs on   %s%s\n\n", device.name().c_str(),
              device.is_emulator() ? ": no GPU, the compiled code is executed on the CPU" : "");
  std::printf("  %-8s %8s %8s %10s %10s %8s\n", "mask", "tiles", "tiles", "largest", "allowed",
              "faults");
  std::printf("  %-8s %8s %8s %10s %10s %8s\n", "", "visited", "skipped", "error", "error",
              "found");
  bool ok = true;
  library::Request request{.shape = shape, .schedule = {}, .options = {}};
  for (const bool causal : {false, true}) {
    request.shape.causal = causal;
    ok &= run_one(*flash, request, layer, device.spec(), folder);
  }
  const std::string cuda = flash->dump(request, device.architecture(), library::Stage::cuda);
  formats::write_file(folder + "/flash.cu", cuda);
  std::printf("\nResults   %s/out_full.safetensors, out_causal.safetensors (out and lse)\n",
              folder.c_str());
  std::printf("Kernel    %s/flash.cu, the causal one, to read\n", folder.c_str());
  std::printf("Next      build/tilewright run flash --help, or examples/01_add.cpp to write one\n");
  return ok ? 0 : 1;
}

}  // namespace

int main(int count, char** words) try {
  return quickstart(count > 1 ? words[1] : "examples/data/minilm_layer0.safetensors",
                    count > 2 ? words[2] : "tilewright-out");
} catch (const std::exception& error) {
  std::fprintf(stderr, "quickstart: %s\n", error.what());
  return 1;
}
