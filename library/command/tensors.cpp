// See tensors.hpp.
#include "command/tensors.hpp"

#include <tilewright/error.hpp>

#include "formats/errors.hpp"
#include "variants/random_tensor.hpp"

namespace tilewright::command {
namespace {

using formats::ElementType;
using library::AttentionShape;
using library::Layout;

/// The extents of a rank-4 tensor, whatever order they have in memory.
struct Extents {
  std::int64_t batch, heads, length, dim;
};

Extents extents(const formats::TensorInfo& tensor, Layout layout) {
  const auto& s = tensor.shape;
  return layout == Layout::bhsd ? Extents{s[0], s[1], s[2], s[3]} : Extents{s[0], s[2], s[1], s[3]};
}

void require_equal(const std::string& path, const char* tensor, const char* what,
                   std::int64_t value, std::int64_t expected, const char* other) {
  if (value == expected) return;
  throw Error(errors::formats["input-tensors-disagree"],
              path + ": " + tensor + " and " + other + " disagree in " + what,
              {tensor, std::to_string(value), std::to_string(expected), ""});
}

DType dtype_of(const std::string& path, const formats::TensorInfo& tensor) {
  if (tensor.type == ElementType::bf16) return DType::bf16;
  if (tensor.type == ElementType::f16) return DType::f16;
  if (tensor.type == ElementType::f32) return DType::f32;
  throw Error(errors::formats["input-type-unsupported"],
              path + ": tensor '" + tensor.name +
                  "' has a type that is "
                  "not built",
              {tensor.name, std::string(name(tensor.type)), "BF16, F16, F32", ""});
}

}  // namespace

InputFile::InputFile(const std::string& path, Layout layout)
    : file_(formats::SafetensorsFile::open(path)) {
  for (const char* wanted : {"q", "k", "v"}) {
    if (tensor(wanted).shape.size() != 4) {
      throw Error(errors::formats["input-rank-disagrees"],
                  path + ": tensor '" + wanted + "' does not have 4 dimensions",
                  {wanted, "rank " + std::to_string(tensor(wanted).shape.size()),
                   std::string("rank 4, ") + std::string(name(layout)), ""});
    }
  }
  const Extents q = extents(tensor("q"), layout);
  const Extents k = extents(tensor("k"), layout);
  const Extents v = extents(tensor("v"), layout);
  require_equal(path, "k", "batch", k.batch, q.batch, "q");
  require_equal(path, "v", "batch", v.batch, q.batch, "q");
  require_equal(path, "k", "head dimension", k.dim, q.dim, "q");
  require_equal(path, "v", "heads", v.heads, k.heads, "k");
  require_equal(path, "v", "length", v.length, k.length, "k");
  shape_ = {path,    q.batch,  q.heads,
            k.heads, q.length, k.length,
            q.dim,   v.dim,    dtype_of(path, tensor("q"))};
  for (const char* other : {"k", "v"}) {
    if (dtype_of(path, tensor(other)) != shape_.dtype) {
      throw Error(
          errors::formats["input-tensors-disagree"],
          path + ": q, k and v must have one element type",
          {other, std::string(name(tensor(other).type)), std::string(name(tensor("q").type)), ""});
    }
  }
}

const formats::TensorInfo& InputFile::tensor(std::string_view wanted) const {
  if (const formats::TensorInfo* found = file_.find(wanted)) return *found;
  std::string names;
  for (const formats::TensorInfo& info : file_.tensors()) {
    names += (names.empty() ? "" : ", ") + info.name;
  }
  throw Error(
      errors::formats["input-tensor-missing"], "the input file lacks a tensor",
      {std::string(wanted), names.empty() ? "no tensors" : names, "tensors q, k and v", ""});
}

HostTensors InputFile::read() const {
  return {file_.read(tensor("q")), file_.read(tensor("k")), file_.read(tensor("v"))};
}

HostTensors random_tensors(const AttentionShape& s, std::uint64_t seed) {
  using library::random_tensor;
  return {random_tensor(s, seed, 0, s.heads, s.seqlen_q, s.head_dim),
          random_tensor(s, seed, 1, s.kv_heads, s.seqlen_kv, s.head_dim),
          random_tensor(s, seed, 2, s.kv_heads, s.seqlen_kv, s.value_dim)};
}

void write_result(const std::string& path, const AttentionShape& s,
                  const library::RunResult& result, std::string_view variant) {
  const bool heads_first = s.layout == Layout::bhsd;
  const std::vector<std::int64_t> out_shape =
      heads_first ? std::vector{s.batch, s.heads, s.seqlen_q, s.value_dim}
                  : std::vector{s.batch, s.seqlen_q, s.heads, s.value_dim};
  const std::array tensors{formats::TensorData{"out",
                                               s.dtype == DType::bf16  ? ElementType::bf16
                                               : s.dtype == DType::f16 ? ElementType::f16
                                                                       : ElementType::f32,
                                               out_shape, result.out},
                           formats::TensorData{"lse",
                                               ElementType::f32,
                                               {s.batch, s.heads, s.seqlen_q},
                                               std::as_bytes(std::span(result.lse))}};
  formats::write_safetensors(
      path, tensors, {{"variant", std::string(variant)}, {"layout", std::string(name(s.layout))}});
}

}  // namespace tilewright::command
