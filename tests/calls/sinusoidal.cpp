// Sinusoidal positions: their tables by the paper's formula, and the sum with them.
#include "calls.hpp"

using namespace calls;

namespace {

Memory uploaded(const std::vector<float>& numbers) {
  return {f32, {numbers.begin(), numbers.end()}};
}

struct Shape {
  std::int64_t batch, length, dim;
  std::int64_t size() const { return batch * length * dim; }
  std::vector<std::int64_t> extents() const { return {batch, length, dim}; }
};

/// Rounded once, after a sum in f32 of two numbers: half a unit of the last place, and f32's.
double unit(DType dtype) { return dtype == bf16 ? 0x1p-8 : dtype == f16 ? 0x1p-11 : 0x1p-23; }

void check_sum(const std::vector<double>& x, const std::vector<double>& out, const Shape& shape,
               DType dtype,
               const std::function<std::int64_t(std::int64_t, std::int64_t)>& position) {
  double worst = 0;
  for (std::int64_t i = 0; i < shape.size(); ++i) {
    const std::int64_t d = i % shape.dim, row = i / shape.dim;
    const auto p = static_cast<double>(position(row / shape.length, row % shape.length));
    const double angle =
        p / std::pow(10'000.0, static_cast<double>(d / 2 * 2) / static_cast<double>(shape.dim));
    const double want = x[i] + (d % 2 == 0 ? std::sin(angle) : std::cos(angle));
    worst = std::max(worst, std::abs(out[i] - want) / ((std::abs(want) + 1) * unit(dtype)));
  }
  CHECK(worst <= 1);
}

}  // namespace

TEST_CASE("tables by the formula, both layouts, odd widths") {
  const auto near = [](const std::vector<float>& table, std::vector<double> want) {
    CHECK(oracle::largest_difference({table.begin(), table.end()}, want) <= 1e-6);
  };
  near(sinusoidal_table(2, 4), {0, 1, 0, 1, .841471, .540302, .010000, .999950});
  near(sinusoidal_table(2, 4, SinusoidalLayout::concatenated),
       {0, 0, 1, 1, .841471, .010000, .540302, .999950});
  // Of three there are two sines and one cosine.
  const double slow = std::sin(std::pow(10'000, -2. / 3));
  near(sinusoidal_table(2, 3), {0, 1, 0, .841471, .540302, slow});
  near(sinusoidal_table(2, 3, SinusoidalLayout::concatenated), {0, 0, 1, .841471, slow, .540302});
  near(sinusoidal_table(3, 1, SinusoidalLayout::interleaved), {0, .841471, .909297});
  // Far out, where an angle in f32 would be off by a tenth.
  const auto far = sinusoidal_table(1'000'001, 2);
  CHECK(std::abs(far[2'000'000] - std::sin(1e6)) <= 1e-7);
  CHECK(sinusoidal_table(0, 4).empty());
}

TEST_CASE("the sum, from a first position on") {
  for (const DType dtype : {bf16, f16, f32}) {
    const SinusoidalPlan plan = compile_sinusoidal(emulator(), {.dtype = dtype});
    for (const Shape& shape :
         {Shape{2, 65, 64}, {1, 1, 1}, {3, 17, 7}, {1, 130, 257}, {2, 33, 768}}) {
      CAPTURE(name(dtype));
      CAPTURE(shape.dim);
      const auto numbers = random_numbers(dtype, shape.size(), 5);
      const Memory x(dtype, numbers), out(dtype, shape.size());
      const Memory table = uploaded(sinusoidal_table(1000, shape.dim));
      const std::int64_t first = shape.batch == 2 ? 1000 - shape.length : 3;
      plan.launch(Stream::default_stream(emulator()), {.x = x.view(shape.extents()),
                                                       .table = table.view({1000, shape.dim}),
                                                       .out = out.view(shape.extents()),
                                                       .first_position = first});
      check_sum(numbers, out.numbers(), shape, dtype,
                [&](std::int64_t, std::int64_t i) { return first + i; });
      CHECK(faults() == "[]");
    }
  }
}

TEST_CASE("the sum at positions of one's own, strided, and with none that the table has") {
  const SinusoidalPlan plan =
      compile_sinusoidal(emulator(), {.dtype = f32, .positions_given = true});
  const Shape shape{2, 37, 24};
  const auto position = [](std::int64_t b, std::int64_t i) { return b == 0 ? 90 - 2 * i : i; };
  std::vector<std::int32_t> at;
  for (std::int64_t b = 0; b < 2; ++b)
    for (std::int64_t i = 0; i < 37; ++i) at.push_back(static_cast<std::int32_t>(position(b, i)));
  at[40] = 91;  // behind the end
  at[41] = -1;
  Buffer positions(emulator(), at.size() * 4);
  positions.upload(at.data(), at.size() * 4);
  const auto numbers = random_numbers(f32, shape.size(), 6);
  // x lies as [length, batch, dim].
  std::vector<double> moved(numbers.size());
  for (std::size_t b = 0; b < 2; ++b)
    for (std::size_t i = 0; i < 37; ++i)
      for (std::size_t d = 0; d < 24; ++d)
        moved[(i * 2 + b) * 24 + d] = numbers[(b * 37 + i) * 24 + d];
  const Memory x(f32, moved), out(f32, shape.size());
  const Memory table = uploaded(sinusoidal_table(91, 24));
  plan.launch(Stream::default_stream(emulator()),
              {.x = x.view({37, 2, 24}).transposed(0, 1),
               .table = table.view({91, 24}),
               .positions = TensorView::contiguous(positions.address(), i32, {2, 37}),
               .out = out.view(shape.extents())});
  CHECK(faults() == "[]");
  auto result = out.numbers();
  for (std::size_t row : {40, 41})
    for (std::size_t d = 0; d < 24; ++d) {
      CHECK(std::isnan(result[row * 24 + d]));
      const double angle =
          static_cast<double>(row - 37) / std::pow(10'000.0, static_cast<double>(d / 2 * 2) / 24);
      result[row * 24 + d] =
          numbers[row * 24 + d] + (d % 2 == 0 ? std::sin(angle) : std::cos(angle));
    }
  check_sum(numbers, result, shape, f32, position);
}

TEST_CASE("nothing to add to") {
  const SinusoidalPlan plan = compile_sinusoidal(emulator(), {.dtype = f32});
  const Memory x(f32, 0), table = uploaded(sinusoidal_table(4, 8));
  for (const Shape& shape : {Shape{0, 3, 8}, {2, 0, 8}})
    plan.launch(Stream::default_stream(emulator()), {.x = x.view(shape.extents()),
                                                     .table = table.view({4, 8}),
                                                     .out = x.view(shape.extents())});
  CHECK(faults() == "[]");
}

TEST_CASE("what sinusoidal positions refuse") {
  const SinusoidalPlan plan = compile_sinusoidal(emulator(), {.dtype = bf16});
  const Memory x(bf16, 40), out(bf16, 40), table = uploaded(sinusoidal_table(6, 8));
  const SinusoidalTensors right{
      .x = x.view({1, 5, 8}), .table = table.view({6, 8}), .out = out.view({1, 5, 8})};
  const auto launch = [&](auto change) {
    return [&plan, right, change] {
      SinusoidalTensors given = right;
      change(given);
      plan.launch(Stream::default_stream(emulator()), given);
    };
  };
  using Given = SinusoidalTensors&;
  launch([](Given g) { g.first_position = 1; })();
  const Error late =
      refused(ErrorKind::shape_mismatch, "table", launch([](Given g) { g.first_position = 2; }));
  CHECK(std::string(late.id()) == "sinusoidal-positions-too-few");
  CHECK(late.allowed() == "at least 7 positions");
  refused(ErrorKind::shape_mismatch, "first_position",
          launch([](Given g) { g.first_position = -1; }));
  refused(ErrorKind::shape_mismatch, "table", launch([](Given g) { g.table.extents[1] = 7; }));
  refused(ErrorKind::shape_mismatch, "out", launch([](Given g) { g.out.extents[1] = 4; }));
  refused(ErrorKind::invalid_argument, "x", launch([](Given g) { g.x = {}; }));
  refused(ErrorKind::invalid_argument, "x", launch([](Given g) { g.x.dtype = f16; }));
  const Error same =
      refused(ErrorKind::invalid_argument, "out", launch([](Given g) { g.out = g.x; }));
  CHECK(std::string(same.id()) == "sinusoidal-in-place");
  const SinusoidalPlan at = compile_sinusoidal(emulator(), {.positions_given = true});
  refused(ErrorKind::invalid_argument, "positions",
          [&] { at.launch(Stream::default_stream(emulator()), right); });
  refused(ErrorKind::unsupported, "dtype",
          [] { (void)compile_sinusoidal(emulator(), {.dtype = i32}); });
  const auto number = [](const char* argument, const auto& action) {
    const Error error = refused(ErrorKind::invalid_argument, argument, action);
    CHECK(std::string(error.id()) == "sinusoidal-number-unusable");
  };
  number("positions", [] { sinusoidal_table(-1, 4); });
  number("dim", [] { sinusoidal_table(4, 0); });
  number("base", [] { sinusoidal_table(4, 4, SinusoidalLayout::interleaved, -1); });
}
