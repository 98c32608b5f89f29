// See positions.hpp.
#include "variants/positions.hpp"

#include <algorithm>

namespace tilewright::library {

std::int64_t first_query_position(const AttentionShape& shape) {
  return std::max<std::int64_t>(shape.seqlen_kv - shape.seqlen_q, 0);
}
std::int64_t first_key_position(const AttentionShape& shape) {
  return std::max<std::int64_t>(shape.seqlen_q - shape.seqlen_kv, 0);
}

AddedPositions::AddedPositions(const Device& device, const AttentionShape& shape,
                               SinusoidalLayout layout)
    : device_(device),
      shape_(shape),
      layout_(layout),
      plan_(compile_sinusoidal(device, {.dtype = shape.dtype})) {}

void AddedPositions::add(const Stream& stream, std::vector<Binding>& all) {
  for (Binding& one : all) {
    if (one.name == "q") add(stream, one.tensor, first_query_position(shape_));
    if (one.name == "k") add(stream, one.tensor, first_key_position(shape_));
  }
}

void AddedPositions::add(const Stream& stream, TensorView& tensor, std::int64_t first) {
  const std::int64_t heads = tensor.extents[1], rows = tensor.extents[2], dim = tensor.extents[3];
  if (tensor.extents[0] * heads * rows == 0) return;
  const std::int64_t positions = first + rows, width = heads * dim;
  const std::vector<float> numbers = sinusoidal_table(positions, width, layout_);
  Buffer& table = kept_.emplace_back(device_, numbers.size() * sizeof(float));
  table.upload(numbers.data(), numbers.size() * sizeof(float));
  const CUdeviceptr angles = table.address();
  const std::int64_t elements = tensor.extents[0] * heads * rows * dim;
  const Buffer& sums =
      kept_.emplace_back(device_, static_cast<std::size_t>(elements) *
                                      static_cast<std::size_t>(size_of(tensor.dtype)));
  const TensorView out = TensorView::contiguous(sums.address(), tensor.dtype, tensor.extents);
  const auto head_of = [&](const TensorView& whole, std::int64_t head) {
    const auto bytes = static_cast<std::uint64_t>(head * whole.strides[1] * size_of(whole.dtype));
    return TensorView{whole.data + bytes,
                      whole.dtype,
                      {whole.extents[0], rows, dim},
                      {whole.strides[0], whole.strides[2], whole.strides[3]}};
  };
  for (std::int64_t head = 0; head < heads; ++head)
    plan_.launch(stream, {.x = head_of(tensor, head),
                          .table = {angles + static_cast<std::uint64_t>(head * dim) * sizeof(float),
                                    f32,
                                    {positions, dim},
                                    {width, 1}},
                          .out = head_of(out, head),
                          .first_position = first});
  tensor = out;
}

}  // namespace tilewright::library
