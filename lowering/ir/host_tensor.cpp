// Elements of host tensors: addressing and conversion (interpret.hpp).
#include <cstring>

#include "ir/errors.hpp"
#include "ir/interpret.hpp"
#include "tilewright/error.hpp"

namespace tilewright::ir {

namespace {

template <typename T>
T read(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

template <typename T>
void write(std::byte* at, T value) {
  std::memcpy(at, &value, sizeof value);
}

[[noreturn]] void refuse_type(DType dtype) {
  throw Error(errors::ir["interpreter-type-unsupported"],
              "the interpreter has no elements of this type",
              {"dtype", std::string(name(dtype)), "f32, f16, bf16, i8, u8, i32, u32, i64, b1", ""});
}

}  // namespace

HostTensor HostTensor::zeros(DType dtype, std::vector<std::int64_t> shape) {
  HostTensor tensor;
  tensor.dtype = dtype;
  tensor.shape = std::move(shape);
  std::size_t bytes = static_cast<std::size_t>(size_of(dtype));
  for (const std::int64_t size : tensor.shape) bytes *= static_cast<std::size_t>(size);
  tensor.data.resize(bytes);
  return tensor;
}

std::int64_t HostTensor::stride(std::size_t axis) const {
  if (!strides.empty()) return strides[axis];
  std::int64_t stride = 1;
  for (std::size_t i = axis + 1; i < shape.size(); ++i) stride *= shape[i];
  return stride;
}

double HostTensor::get(std::int64_t offset) const {
  const std::byte* at = data.data() + offset * size_of(dtype);
  switch (dtype) {
    case DType::f32: return read<float>(at);
    case DType::f16: return from_f16(read<std::uint16_t>(at));
    case DType::bf16: return from_bf16(read<std::uint16_t>(at));
    case DType::i8: return read<std::int8_t>(at);
    case DType::u8:
    case DType::b1: return read<std::uint8_t>(at);
    case DType::i32: return read<std::int32_t>(at);
    case DType::u32: return read<std::uint32_t>(at);
    case DType::i64: return static_cast<double>(read<std::int64_t>(at));
    default: refuse_type(dtype);
  }
}

void HostTensor::set(std::int64_t offset, double value) {
  std::byte* at = data.data() + offset * size_of(dtype);
  const auto integer = [&] { return static_cast<std::int64_t>(value); };
  switch (dtype) {
    case DType::f32: return write(at, static_cast<float>(value));
    case DType::f16: return write(at, to_f16(static_cast<float>(value)));
    case DType::bf16: return write(at, to_bf16(static_cast<float>(value)));
    case DType::i8: return write(at, static_cast<std::int8_t>(integer()));
    case DType::u8:
    case DType::b1: return write(at, static_cast<std::uint8_t>(integer()));
    case DType::i32: return write(at, static_cast<std::int32_t>(integer()));
    case DType::u32: return write(at, static_cast<std::uint32_t>(integer()));
    case DType::i64: return write(at, integer());
    default: refuse_type(dtype);
  }
}

}  // namespace tilewright::ir
