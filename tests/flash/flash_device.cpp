// See flash_device.hpp: compiling, placing, launching.
#include "flash_device.hpp"

#include <cstdlib>
#include <cstring>
#include <tuple>

#include "ir/schedule.hpp"
#include "loops/flash_forward.hpp"

namespace tilewright::test {
namespace {

constexpr std::uint16_t poison_half = 0x7fff;        // NaN as bf16 and as f16
constexpr std::uint32_t poison_float = 0x7fffffffu;  // NaN
constexpr std::int64_t largest_poisoned = std::int64_t{1} << 24;

std::uint16_t bits_of(DType type, double value) {
  const auto number = static_cast<float>(value);
  return type == bf16 ? to_bf16(number) : to_f16(number);
}
double value_of(DType type, std::uint16_t bits) {
  return type == bf16 ? from_bf16(bits) : from_f16(bits);
}

/// Calls body(offset, first, count, step) for every row of the last axis: `first` counts elements
/// in row-major order.
template <typename Body>
void each_row(const Placement& place, Body body) {
  std::int64_t rows = 1;
  for (std::size_t i = 0; i + 1 < place.extents.size(); ++i) rows *= place.extents[i];
  const std::int64_t width = place.extents.back();
  for (std::int64_t row = 0; row < rows; ++row) {
    std::int64_t rest = row, at = place.offset;
    for (std::size_t i = place.extents.size() - 1; i-- > 0;) {
      at += rest % place.extents[i] * place.strides[i];
      rest /= place.extents[i];
    }
    body(at, row * width, width, place.strides.back());
  }
}

/// A tensor on the device. Small allocations have a host image that is copied whole; large ones
/// (gigabytes that nobody touches) are copied row by row.
template <typename Bits>
class Placed {
 public:
  Placed(const Device& device, const Placement& place, Bits poison)
      : place_(place), buffer_(device, static_cast<std::size_t>(place.elements) * sizeof(Bits)) {
    if (place.elements <= largest_poisoned)
      image_.assign(static_cast<std::size_t>(place.elements), poison);
  }
  bool is_small() const { return place_.elements <= largest_poisoned; }

  /// `bits` in row-major order; empty: poison only.
  void upload(const std::vector<Bits>& bits) {
    const auto put = [&](std::int64_t to, std::int64_t from) {
      if (is_small())
        image_.at(static_cast<std::size_t>(to)) = bits[static_cast<std::size_t>(from)];
      else
        buffer_.upload(&bits[static_cast<std::size_t>(from)], sizeof(Bits),
                       static_cast<std::size_t>(to) * sizeof(Bits));
    };
    if (!bits.empty())
      each_row(place_,
               [&](std::int64_t at, std::int64_t first, std::int64_t count, std::int64_t step) {
                 for (std::int64_t i = 0; i < count; ++i) put(at + i * step, first + i);
               });
    if (!image_.empty()) buffer_.upload(image_.data(), image_.size() * sizeof(Bits));
  }

  /// In row-major order. `changed` becomes true if anything else in the allocation is not as it
  /// was.
  std::vector<Bits> download(bool& changed) {
    std::vector<Bits> bits, now(image_.size());
    if (!now.empty()) buffer_.download(now.data(), now.size() * sizeof(Bits));
    each_row(place_, [&](std::int64_t at, std::int64_t, std::int64_t count, std::int64_t step) {
      for (std::int64_t i = 0; i < count; ++i) {
        const auto from = static_cast<std::size_t>(at + i * step);
        Bits one{};
        if (is_small()) {
          one = now[from];
          now[from] = image_[from];
        } else {
          buffer_.download(&one, sizeof(Bits), from * sizeof(Bits));
        }
        bits.push_back(one);
      }
    });
    changed |= now != image_;
    return bits;
  }

  TensorView view(DType dtype) const {
    const std::size_t start = static_cast<std::size_t>(place_.offset) * sizeof(Bits);
    return {buffer_.address() == 0 ? 0 : buffer_.address() + start, dtype, place_.extents,
            place_.strides};
  }

 private:
  Placement place_;
  Buffer buffer_;
  std::vector<Bits> image_;
};

std::vector<std::uint16_t> bits_of(DType type, const std::vector<double>& values) {
  std::vector<std::uint16_t> bits;
  bits.reserve(values.size());
  for (const double value : values) bits.push_back(bits_of(type, value));
  return bits;
}

template <DType T>
std::unique_ptr<KernelSource> kernel_of(Mask mask) {
  const auto keep = [](auto made) { return std::make_unique<decltype(made)>(std::move(made)); };
  if (mask == Mask::none) return keep(library::flash_forward<T>(library::everything));
  if (mask == Mask::top_left) return keep(library::flash_forward<T>(library::causal_top_left));
  return keep(library::flash_forward<T>(library::causal_bottom_right));
}

}  // namespace

const Device& emulator() {
  static const Device device = [] {
    ::setenv("TILEWRIGHT_CACHE_DIR", TILEWRIGHT_TEST_CACHE, 1);
    return Device::open("emulator:sm_80");
  }();
  return device;
}

std::unique_ptr<KernelSource> flash_kernel(const Shape& shape) {
  return shape.dtype == bf16 ? kernel_of<DType::bf16>(shape.mask)
                             : kernel_of<DType::f16>(shape.mask);
}

const Plan& flash_plan(const Shape& shape, const ir::Schedule& schedule) {
  static auto* plans =
      new std::map<std::tuple<DType, std::int64_t, std::int64_t, Mask, std::string>, Plan>;
  const auto key = std::tuple(shape.dtype, shape.d, shape.e, shape.mask, ir::print(schedule));
  const auto found = plans->find(key);
  if (found != plans->end()) return found->second;
  const CompileRequest request{.extents = {{"d", shape.d}, {"e", shape.e}}, .schedule = schedule};
  return plans->emplace(key, compile(emulator(), *flash_kernel(shape), request)).first->second;
}

Placement Placement::strided(std::vector<std::int64_t> extents, std::vector<std::int64_t> strides,
                             std::int64_t spare) {
  std::int64_t last = 0, before = 0;
  for (std::size_t i = 0; i < extents.size(); ++i) {
    const std::int64_t reach = std::max<std::int64_t>(extents[i] - 1, 0) * strides[i];
    (reach < 0 ? before : last) += reach;
  }
  return {std::move(extents), std::move(strides), -before, last - before + 1 + spare};
}

Placement Placement::dense(std::vector<std::int64_t> extents, std::int64_t pitch,
                           std::int64_t spare) {
  const std::int64_t row = pitch > 0 ? pitch : extents[3];
  const std::int64_t head = (extents[2] + spare) * row;
  const std::int64_t all = extents[0] * extents[1] * head;
  const std::vector<std::int64_t> strides = {extents[1] * head, head, row, 1};
  return {std::move(extents), strides, 0, all};
}

Placement Placement::heads_inside(std::vector<std::int64_t> extents) {
  const std::int64_t row = extents[1] * extents[3];
  const std::vector<std::int64_t> strides = {extents[2] * row, extents[3], row, 1};
  return {extents, strides, 0, extents[0] * extents[2] * row};
}

Placement placement_of(const Shape& s, const std::string& tensor, const Placements& given) {
  const auto found = given.find(tensor);
  if (found != given.end()) return found->second;
  if (tensor == "q") return Placement::dense({s.batch, s.heads, s.q, s.d});
  if (tensor == "k") return Placement::dense({s.batch, s.kv_heads, s.kv, s.d});
  if (tensor == "v") return Placement::dense({s.batch, s.kv_heads, s.kv, s.e});
  if (tensor == "out") return Placement::dense({s.batch, s.heads, s.q, s.e});
  return {{s.batch, s.heads, s.q}, {s.heads * s.q, s.q, 1}, 0, s.batch * s.heads * s.q};
}

Outcome launch(const Plan& plan, const Shape& shape, const oracle::Problem& problem,
               const Placements& placements) {
  const Device& device = emulator();
  const auto half = [&](const char* tensor, const std::vector<double>& values) {
    Placed<std::uint16_t> placed(device, placement_of(shape, tensor, placements), poison_half);
    placed.upload(bits_of(shape.dtype, values));
    return placed;
  };
  auto q = half("q", problem.q), k = half("k", problem.k), v = half("v", problem.v);
  auto out = half("out", {});
  Placed<std::uint32_t> lse(device, placement_of(shape, "lse", placements), poison_float);
  lse.upload({});

  const std::vector<Binding> arguments = {
      {"q", q.view(shape.dtype)}, {"k", k.view(shape.dtype)},
      {"v", v.view(shape.dtype)}, {"out", out.view(shape.dtype)},
      {"lse", lse.view(f32)},     {"softmax_scale", shape.softmax_scale()}};
  Outcome outcome;
  outcome.aligned = true;
  for (std::size_t i = 0; i < plan.kernels(); ++i)
    outcome.aligned &= plan.runs_aligned(arguments, i);
  // Fresh memory: the detectors see a read of what nothing has written.
  const Buffer workspace(device, plan.workspace_bytes({{"batch", shape.batch},
                                                       {"q_head", shape.heads},
                                                       {"kv_head", shape.kv_heads},
                                                       {"q", shape.q},
                                                       {"kv", shape.kv}}));
  device.emulator()->reset();
  plan.launch(Stream::default_stream(device), arguments, workspace);
  outcome.faults = device.emulator()->faults();
  outcome.counters = device.emulator()->counters();
  device.emulator()->reset();  // what failed the context is in `faults`; the results still show it

  outcome.out_bits = out.download(outcome.wrote_outside);
  for (const std::uint16_t bits : outcome.out_bits)
    outcome.answer.out.push_back(value_of(shape.dtype, bits));
  for (const std::uint32_t bits : lse.download(outcome.wrote_outside)) {
    float number = 0;
    std::memcpy(&number, &bits, sizeof number);
    outcome.answer.lse.push_back(number);
  }
  for (auto* input : {&q, &k, &v}) (void)input->download(outcome.wrote_outside);
  return outcome;
}

}  // namespace tilewright::test
