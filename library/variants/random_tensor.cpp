// See random_tensor.hpp.
#include "variants/random_tensor.hpp"

#include <cstring>

#include "inputs/philox.hpp"

namespace tilewright::library {

std::vector<std::byte> random_tensor(const AttentionShape& shape, std::uint64_t seed,
                                     std::uint32_t stream, std::int64_t heads, std::int64_t length,
                                     std::int64_t dim) {
  const std::int64_t width = size_of(shape.dtype);
  std::vector<std::byte> bytes(
      static_cast<std::size_t>(shape.batch * heads * length * dim * width));
  if (bytes.empty()) return bytes;  // one extent is 0, the others may be huge
  std::uint64_t index = 0;
  std::array<double, 4> group{};
  for (std::int64_t b = 0; b < shape.batch; ++b) {
    for (std::int64_t h = 0; h < heads; ++h) {
      for (std::int64_t s = 0; s < length; ++s) {
        const auto row = row_offset(shape.layout, heads, length, dim, b, h, s);
        for (std::int64_t d = 0; d < dim; ++d, ++index) {
          if (index % 4 == 0) group = inputs::normals(seed, stream, index / 4);
          const auto value = static_cast<float>(group[index % 4]);
          const std::uint16_t bits = shape.dtype == DType::bf16 ? to_bf16(value) : to_f16(value);
          std::byte* to = bytes.data() + (row + d) * width;
          if (shape.dtype == DType::f32)
            std::memcpy(to, &value, sizeof value);
          else
            std::memcpy(to, &bits, sizeof bits);
        }
      }
    }
  }
  return bytes;
}

}  // namespace tilewright::library
