// Entry points that fill a rectangle of device memory and that copy boxes.
//
// Look next at copies.cpp for what one row is, copies_2d.cpp for rectangles.
#include "emulator/driver/graphs.hpp"
#include "emulator/driver/transfer.hpp"

using namespace tilewright::emulator::driver;

namespace {

template <class Element>
void fill_rectangle(CUdeviceptr to, std::size_t pitch, Element value, std::size_t width,
                    std::size_t height) {
  if (width == 0 || height == 0) return;
  require(width <= SIZE_MAX / sizeof value);
  const std::size_t row = width * sizeof value;
  require(pitch >= row || height == 1);
  require(pitch % sizeof value == 0 && to % sizeof value == 0);
  require(height - 1 <= (SIZE_MAX - row) / (pitch == 0 ? 1 : pitch));
  device_range(to, (height - 1) * pitch + row);  // all of it before anything is written
  for (std::size_t y = 0; y < height; ++y) fill(to + y * pitch, &value, sizeof value, width);
}

/// A box is its rectangles, one behind the other.
void copy_box(const CUDA_MEMCPY3D& box) {
  require(box.srcLOD == 0 && box.dstLOD == 0);
  const std::size_t from_height = box.srcHeight != 0 ? box.srcHeight : box.srcY + box.Height;
  const std::size_t to_height = box.dstHeight != 0 ? box.dstHeight : box.dstY + box.Height;
  const std::size_t from_pitch =
      box.srcPitch != 0 ? box.srcPitch : box.srcXInBytes + box.WidthInBytes;
  const std::size_t to_pitch =
      box.dstPitch != 0 ? box.dstPitch : box.dstXInBytes + box.WidthInBytes;
  require(from_height >= box.srcY + box.Height && to_height >= box.dstY + box.Height);
  for (std::size_t z = 0; z < box.Depth; ++z) {
    CUDA_MEMCPY2D flat{};
    const std::size_t from = (box.srcZ + z) * from_height * from_pitch;
    const std::size_t to = (box.dstZ + z) * to_height * to_pitch;
    flat.srcXInBytes = box.srcXInBytes;
    flat.srcY = box.srcY;
    flat.srcMemoryType = box.srcMemoryType;
    flat.srcHost = static_cast<const char*>(box.srcHost) + from;
    flat.srcDevice = box.srcDevice + from;
    flat.srcPitch = from_pitch;
    flat.dstXInBytes = box.dstXInBytes;
    flat.dstY = box.dstY;
    flat.dstMemoryType = box.dstMemoryType;
    flat.dstHost = static_cast<char*>(box.dstHost) + to;
    flat.dstDevice = box.dstDevice + to;
    flat.dstPitch = to_pitch;
    flat.WidthInBytes = box.WidthInBytes;
    flat.Height = box.Height;
    copy_rectangle(flat);
  }
}

template <class Element>
CUresult fill_now(CUdeviceptr to, std::size_t pitch, Element value, std::size_t width,
                  std::size_t height) {
  return guarded([&] {
    current_context();
    forbid_while_capturing();
    fill_rectangle(to, pitch, value, width, height);
  });
}

template <class Element>
CUresult fill_in(CUstream stream, CUdeviceptr to, std::size_t pitch, Element value,
                 std::size_t width, std::size_t height) {
  return guarded([&] {
    in_stream(stream, CU_GRAPH_NODE_TYPE_MEMSET,
              [=] { fill_rectangle(to, pitch, value, width, height); });
  });
}

}  // namespace

extern "C" {

CUresult CUDAAPI cuMemsetD2D8(CUdeviceptr to, std::size_t pitch, unsigned char value,
                              std::size_t width, std::size_t height) {
  return fill_now(to, pitch, value, width, height);
}
CUresult CUDAAPI cuMemsetD2D16(CUdeviceptr to, std::size_t pitch, unsigned short value,
                               std::size_t width, std::size_t height) {
  return fill_now(to, pitch, value, width, height);
}
CUresult CUDAAPI cuMemsetD2D32(CUdeviceptr to, std::size_t pitch, unsigned int value,
                               std::size_t width, std::size_t height) {
  return fill_now(to, pitch, value, width, height);
}
CUresult CUDAAPI cuMemsetD2D8Async(CUdeviceptr to, std::size_t pitch, unsigned char value,
                                   std::size_t width, std::size_t height, CUstream stream) {
  return fill_in(stream, to, pitch, value, width, height);
}
CUresult CUDAAPI cuMemsetD2D16Async(CUdeviceptr to, std::size_t pitch, unsigned short value,
                                    std::size_t width, std::size_t height, CUstream stream) {
  return fill_in(stream, to, pitch, value, width, height);
}
CUresult CUDAAPI cuMemsetD2D32Async(CUdeviceptr to, std::size_t pitch, unsigned int value,
                                    std::size_t width, std::size_t height, CUstream stream) {
  return fill_in(stream, to, pitch, value, width, height);
}

CUresult CUDAAPI cuMemcpy3D(const CUDA_MEMCPY3D* copy) {
  return guarded([&] {
    current_context();
    forbid_while_capturing();
    require(copy != nullptr);
    copy_box(*copy);
  });
}
CUresult CUDAAPI cuMemcpy3DAsync(const CUDA_MEMCPY3D* copy, CUstream stream) {
  return guarded([&] {
    require(copy != nullptr);
    in_stream(stream, CU_GRAPH_NODE_TYPE_MEMCPY, [what = *copy] { copy_box(what); });
  });
}

}  // extern "C"
