// Attention by the builder, outside the tree: from the installed headers, without a template.
#include <cmath>
#include <cstdio>
#include <tilewright/library.hpp>
#include <vector>

using namespace tilewright;

int main() try {
  const Device device = Device::open();
  const auto plan = Attention{}.mask(causal()).compile(device, {.dtype = f32, .head_dim = 8});
  const int rows = 20;
  std::vector<float> numbers(rows * 8), result(rows * 8);
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<float>(i / 8);
  const std::vector<float> zeros(numbers.size());
  Buffer zero(device, 4 * numbers.size()), v(device, 4 * numbers.size());
  Buffer out(device, 4 * numbers.size());
  zero.upload(zeros.data(), zero.bytes());
  v.upload(numbers.data(), v.bytes());
  const auto view = [&](const Buffer& buffer) {
    return TensorView::contiguous(buffer.address(), f32, {1, 1, rows, 8});
  };
  plan.launch(Stream::default_stream(device),
              {.q = view(zero), .k = view(zero), .v = view(v), .out = view(out)});
  out.download(result.data(), out.bytes());
  // Scores are all 0, so row i is the mean of the values 0 … i.
  for (int i = 0; i < rows; ++i)
    if (std::fabs(result[static_cast<std::size_t>(8 * i)] - 0.5f * static_cast<float>(i)) > 1e-4f)
      return 1;
  std::printf("called on %s\n", device.spec().c_str());
  return 0;
} catch (const Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
