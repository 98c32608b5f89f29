// Products of f32 in one TF32 product each, where the schedule asks for it: the error of TF32 and
// no more, a third of the tensor operations, what the interpreter makes of it, and who is refused.
#include <doctest/doctest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <tilewright/dsl.hpp>

#include "dots/device.hpp"
#include "ir/interpret.hpp"
#include "ir/print.hpp"

using namespace tilewright;
using namespace tilewright::test;

namespace {

constexpr Dim<"m"> M;
constexpr Dim<"n"> N;
constexpr Dim<"k"> K;
constexpr Dim<"e"> E;

/// (x y) z: an operand from memory, and one that is an accumulator already.
template <DType T>
auto products() {
  return kernel("products", [](In<"x", T, M, K> X, In<"y", T, N, K> Y, In<"z", T, N, E> Z,
                               Out<"c", f32, M, E> C) {
    auto m = blocks(M);
    auto x = let("x_tile", load(X(m, K)));
    Var<f32, M, E> acc{"acc", 0.f};
    for_blocks(N, [&](auto n) {
      auto s = let("s", dot(x, load(Y(n, K)), K));
      acc = acc + dot(cast<T>(s), load(Z(n, E)), N);
    });
    store(C(m, E), acc);
  });
}

CompileRequest asking(const std::string& precision, int k, int e) {
  CompileRequest request{.extents = {{"k", k}, {"e", e}}, .schedule = {}};
  request.schedule.dot_precision = precision;
  request.schedule.tile["n"] = 32;
  return request;
}

struct Result {
  double worst = 0;  ///< |c - exact|
  double size = 0;   ///< the largest sum of |x y z|
  std::int64_t tensor_ops = 0;
};

Result result_of(const std::string& precision, int m, int n, int k, int e) {
  const Plan plan = compile(emulator(), products<f32>(), asking(precision, k, e));
  const Numbers x(f32, {m, k}, 1), y(f32, {n, k}, 2), z(f32, {n, e}, 3);
  Numbers c(f32, {m, e});
  emulator().emulator()->reset();
  plan.launch(Stream::default_stream(emulator()), {{"x", x}, {"y", y}, {"z", z}, {"c", c}});
  CHECK(emulator().emulator()->faults() == std::string("[]"));
  Result result;
  result.tensor_ops =
      nlohmann::json::parse(emulator().emulator()->counters()).at("tensor_ops").get<std::int64_t>();
  emulator().emulator()->reset();
  c.download();

  // The scheduled program in the interpreter rounds where the tensor cores do.
  ir::Inputs inputs;
  const auto host = [&](const char* name, const Numbers& from, std::int64_t rows,
                        std::int64_t columns) {
    ir::HostTensor& tensor = inputs.tensors[name] = ir::HostTensor::zeros(f32, {rows, columns});
    for (std::int64_t i = 0; i < rows * columns; ++i)
      tensor.set(i, from.at({i / columns, i % columns}));
  };
  host("x", x, m, k), host("y", y, n, k), host("z", z, n, e), host("c", c, m, e);
  ir::interpret(plan.program().aligned.scheduled, inputs);

  double apart = 0;
  for (int i = 0; i < m; ++i)
    for (int j = 0; j < e; ++j) {
      double sum = 0, size = 0;
      for (int l = 0; l < n; ++l) {
        double s = 0, s_size = 0;
        for (int d = 0; d < k; ++d) {
          s += x.at({i, d}) * y.at({l, d});
          s_size += std::abs(x.at({i, d}) * y.at({l, d}));
        }
        sum += s * z.at({l, j});
        size += s_size * std::abs(z.at({l, j}));
      }
      result.worst = std::max(result.worst, std::abs(c.at({i, j}) - sum));
      result.size = std::max(result.size, size);
      apart = std::max(apart, std::abs(c.at({i, j}) - inputs.tensors.at("c").get(i * e + j)));
    }
  // The order of sums, and here and there an s that rounds to the other neighbour.
  CHECK(apart <= result.size * 0x1p-16);
  return result;
}

}  // namespace

TEST_CASE("a third of the tensor operations, and the error of TF32") {
  for (const auto& [m, n, k, e] :
       {std::tuple{1, 1, 1, 1}, {65, 133, 33, 17}, {128, 128, 64, 64}, {40, 70, 80, 48}}) {
    const Result accurate = result_of("", m, n, k, e), asked = result_of("f32", m, n, k, e),
                 fast = result_of("tf32", m, n, k, e);
    CHECK(asked.tensor_ops == accurate.tensor_ops);
    CHECK(3 * fast.tensor_ops == accurate.tensor_ops);
    CHECK(accurate.worst <= accurate.size * 0x1p-20);
    // Each factor is rounded to 11 bits: four roundings of half a unit, 2^-12 each.
    CHECK(fast.worst <= fast.size * 4 * 0x1p-12);
    if (m > 1) CHECK(fast.worst > 8 * accurate.worst);
  }
}

TEST_CASE("the choice is in the schedule, its text and the program's") {
  const Program program = make_program(products<f32>(), "sm_80", asking("tf32", 32, 32));
  const ir::Schedule& schedule = program.aligned.schedule;
  CHECK(ir::print(schedule).find("\ndot_precision tf32\n") != std::string::npos);
  CHECK(ir::read_schedule(ir::print(schedule)) == schedule);
  CHECK(ir::print(program.aligned.scheduled).find(" tf32 :") != std::string::npos);
  CHECK(program.cuda_source().find("mma_f32") == std::string::npos);
}

TEST_CASE("without a product of f32 there is nothing to ask for") {
  try {
    make_program(products<bf16>(), "sm_80", asking("tf32", 32, 32));
    FAIL("was not refused");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::invalid_argument);
    CHECK(std::string(error.id()) == "tf32-without-f32");
    CHECK(error.argument() == "dot_precision");
    CHECK(error.value() == "tf32");
    CHECK(error.allowed() == "f32");
  }
  CHECK_NOTHROW(make_program(products<bf16>(), "sm_80", asking("f32", 32, 32)));
}
