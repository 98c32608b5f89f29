// Flattened dimensions: the query heads of one key head as rows of one tile, and pairs of indices
// in grids, loops and Vars. The test's own loops know the two dimensions only.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <tilewright/dsl.hpp>

#include "build.hpp"
#include "language_device.hpp"
#include "runtime/errors.hpp"
#include "tilewright/error.hpp"

using namespace tilewright;
using namespace tilewright::test;

namespace {

constexpr Dim<"batch"> B;
constexpr Dim<"kv_head"> HK;
constexpr Dim<"group"> G;
constexpr Dim<"q"> M;
constexpr Dim<"kv"> N;
constexpr Dim<"d"> D;
constexpr Dim<"e"> E;
constexpr Dim<"page"> P;
constexpr Dim<"slot"> S;
constexpr auto GM = flatten(M, G);

/// Softmax attention with the group's heads in the rows of the tile; `visible` makes the mask.
template <DType T, typename Mask>
auto packed_attention(const Mask& visible) {
  return kernel("packed", [=](In<"q", T, B, HK, G, M, D> Q, In<"k", T, B, HK, N, D> K,
                              In<"v", T, B, HK, N, E> V, Out<"out", T, B, HK, G, M, E> O,
                              Out<"lse", f32, B, HK, G, M> LSE, Scalar<"scale", f32> scale) {
    auto b = each(B);
    auto hk = each(HK);
    auto gm = blocks(GM);
    auto q = let("q", load(Q(b, hk, gm[G], gm[M], D)));
    OnlineSoftmax<GM, E> softmax;
    for_blocks(N, visible(), [&](auto n) {
      auto s = let("s", dot(q, load(K(b, hk, n, D)), D) * scale);
      softmax.update(s, load(V(b, hk, n, E)), N);
    });
    store(O(b, hk, gm[G], gm[M], E), softmax.result());
    store(LSE(b, hk, gm[G], gm[M]), softmax.logsumexp());
  });
}

/// The same with one head of queries after the other, for comparison bit by bit.
auto separate_attention() {
  return kernel("separate", [](In<"q", bf16, B, HK, G, M, D> Q, In<"k", bf16, B, HK, N, D> K,
                               In<"v", bf16, B, HK, N, E> V, Out<"out", bf16, B, HK, G, M, E> O,
                               Out<"lse", f32, B, HK, G, M> LSE, Scalar<"scale", f32> scale) {
    auto b = each(B);
    auto hk = each(HK);
    auto g = each(G);
    auto m = blocks(M);
    auto q = let("q", load(Q(b, hk, g, m, D)));
    OnlineSoftmax<M, E> softmax;
    for_blocks(N, causal(M, N), [&](auto n) {
      auto s = let("s", dot(q, load(K(b, hk, n, D)), D) * scale);
      softmax.update(s, load(V(b, hk, n, E)), N);
    });
    store(O(b, hk, g, m, E), softmax.result());
    store(LSE(b, hk, g, m), softmax.logsumexp());
  });
}

struct Shape {
  std::int64_t batch = 2, heads = 2, group = 1, rows = 1, keys = 70, d = 40, e = 24;
};

/// Attention over all pairs that `visible(row, key, head of the group)` shows.
template <typename Visible>
Problem attention(DType type, const Shape& n, const Visible& visible) {
  const double scale = 0.2;
  Data q{type, {n.batch, n.heads, n.group, n.rows, n.d}}, k{type, {n.batch, n.heads, n.keys, n.d}},
      v{type, {n.batch, n.heads, n.keys, n.e}}, out{type, {n.batch, n.heads, n.group, n.rows, n.e}},
      lse{f32, {n.batch, n.heads, n.group, n.rows}};
  q.numbers = noise(q.size(), 51), k.numbers = noise(k.size(), 52), v.numbers = noise(v.size(), 53);
  for (std::int64_t bh = 0; bh < n.batch * n.heads; ++bh)
    for (std::int64_t g = 0; g < n.group; ++g)
      for (std::int64_t i = 0; i < n.rows; ++i) {
        std::vector<double> p;
        double top = -std::numeric_limits<double>::infinity(), sum = 0;
        for (std::int64_t j = 0; j < n.keys; ++j) {
          double s = 0;
          for (std::int64_t c = 0; c < n.d; ++c)
            s += q.numbers[at(((bh * n.group + g) * n.rows + i) * n.d + c)] *
                 k.numbers[at((bh * n.keys + j) * n.d + c)];
          p.push_back(visible(i, j, g) ? s * scale : -std::numeric_limits<double>::infinity());
          top = std::max(top, p.back());
        }
        for (double& x : p) sum += x = std::isinf(top) ? 0 : std::exp(x - top);
        for (std::int64_t c = 0; c < n.e; ++c) {
          double o = 0;
          for (std::int64_t j = 0; j < n.keys; ++j)
            o += p[at(j)] * v.numbers[at((bh * n.keys + j) * n.e + c)];
          out.expected.push_back(sum == 0 ? 0 : o / sum);
        }
        lse.expected.push_back(top + std::log(sum == 0 ? 1 : sum));
      }
  out.tolerance = type == f32 ? 1e-5 : 6e-3;
  lse.tolerance = 1e-5;
  return {{{"q", q}, {"k", k}, {"v", v}, {"out", out}, {"lse", lse}},
          {{"scale", scale}},
          {{"d", n.d}, {"e", n.e}}};
}

template <DType T>
void packed_heads() {
  const auto full = packed_attention<T>([] { return index(N) >= 0; });
  const auto lower = packed_attention<T>([] { return causal(GM[M], N); });
  for (const std::int64_t group : {1, 3, 8})
    for (const std::int64_t rows : {1, 5, 16, 65}) {
      CAPTURE(group);
      CAPTURE(rows);
      const Shape n{.group = group, .rows = rows};
      check(full, attention(T, n, [](auto, auto, auto) { return true; }));
      check(lower, attention(T, n, [&](std::int64_t i, std::int64_t j, auto) {
              return j <= i + n.keys - n.rows;
            }));
    }
}

/// What a launch leaves in `out` and `lse`, as bytes, and what the emulator counted.
struct Launched {
  std::vector<unsigned char> out, lse;
  nlohmann::json counters;
  std::string faults;
};
Launched launched(const Plan& plan, const Problem& problem) {
  const Device& device = emulator();
  std::map<std::string, Buffer> buffers;
  std::vector<Binding> bindings;
  for (const auto& [name, data] : problem.tensors) {
    ir::HostTensor tensor = ir::HostTensor::zeros(data.dtype, data.extents);
    for (std::int64_t i = 0; i < data.size() && !data.numbers.empty(); ++i)
      tensor.set(i, data.numbers[at(i)]);
    Buffer& buffer = buffers[name] = Buffer(device, tensor.data.size() + 16);
    buffer.upload(tensor.data.data(), tensor.data.size());
    bindings.emplace_back(name, TensorView::contiguous(buffer.address(), data.dtype, data.extents));
  }
  for (const auto& [name, number] : problem.scalars) bindings.emplace_back(name, number);
  device.emulator()->reset();
  plan.launch(Stream::default_stream(device), bindings);
  Launched result;
  result.counters = nlohmann::json::parse(device.emulator()->counters());
  result.faults = device.emulator()->faults();
  device.emulator()->reset();
  for (auto [bytes, name] : {std::pair{&result.out, "out"}, {&result.lse, "lse"}}) {
    const Data& data = problem.tensors.at(name);
    bytes->resize(at(data.size() * size_of(data.dtype)));
    buffers.at(name).download(bytes->data(), bytes->size());
  }
  return result;
}

/// An Error of `body`, which must give one.
template <typename Body>
Error error_of(const Body& body) {
  try {
    body();
  } catch (const Error& error) {
    return error;
  }
  FAIL("no error");
  return Error(errors::runtime["cache-not-writable"], "");
}

}  // namespace

TEST_CASE("the heads of a group as rows of one tile, bf16") { packed_heads<bf16>(); }
TEST_CASE("the heads of a group as rows of one tile, f32") { packed_heads<f32>(); }

TEST_CASE("packed or one after the other: the same bits, with the group's share of the work") {
  const auto packed = packed_attention<bf16>([] { return causal(GM[M], N); });
  for (const std::int64_t group : {1, 3, 8})
    for (const std::int64_t rows : {1, 16, 65}) {
      CAPTURE(group);
      CAPTURE(rows);
      const Shape n{.group = group, .rows = rows, .keys = 150, .d = 64, .e = 64};
      const Problem problem =
          attention(bf16, n, [](std::int64_t, std::int64_t, auto) { return true; });
      const Plan together = compile(emulator(), packed, {problem.bound, {}});
      const Plan apart = compile(emulator(), separate_attention(), {problem.bound, {}});
      const auto tile = [](const Plan& plan, const char* dim) -> std::int64_t {
        return plan.program().aligned.schedule.tile.at(dim);
      };
      REQUIRE(tile(together, "kv") == tile(apart, "kv"));
      const Launched a = launched(together, problem), b = launched(apart, problem);
      CHECK(a.faults == "[]");
      CHECK(b.faults == "[]");
      CHECK(a.out == b.out);
      CHECK(a.lse == b.lse);
      // One tile of rows per key head and not one per head, as long as they fit in it.
      if (rows * group > tile(together, "q*group")) continue;
      CHECK(b.counters.at("tensor_ops") == group * a.counters.at("tensor_ops").get<long>());
    }
}

TEST_CASE("an empty part launches nothing; no keys give the neutral result") {
  const auto packed = packed_attention<bf16>([] { return causal(GM[M], N); });
  for (const auto& [group, rows, keys] : {std::tuple{0, 5, 9}, {3, 0, 9}, {3, 5, 0}}) {
    CAPTURE(rows);
    const Shape n{.group = group, .rows = rows, .keys = keys};
    check(packed, attention(bf16, n, [&](std::int64_t i, std::int64_t j, auto) {
            return j <= i + n.keys - n.rows;
          }));
  }
}

TEST_CASE("a mask that asks for the head, a window of run-time width, and a scale below zero") {
  const auto by_head = packed_attention<bf16>([] { return causal(GM[M], N) || index(GM[G]) == 1; });
  const auto window = packed_attention<f32>(
      [] { return causal(GM[M], N) && position(GM[M]) - index(N) < extent(D) / 4; });
  const Shape n{.group = 3, .rows = 50, .keys = 170};
  Problem first = attention(bf16, n, [&](std::int64_t i, std::int64_t j, std::int64_t g) {
    return j <= i + n.keys - n.rows || g == 1;
  });
  check(by_head, first);
  check(window, attention(f32, n, [&](std::int64_t i, std::int64_t j, auto) {
          return j <= i + n.keys - n.rows && i + n.keys - n.rows - j < 10;
        }));
}

TEST_CASE("one tile size for the flattened rows: asked for, and bound at compile") {
  const auto lower = packed_attention<f16>([] { return causal(GM[M], N, top_left); });
  const Shape n{.group = 5, .rows = 13, .keys = 40};
  Problem problem = attention(f16, n, [](std::int64_t i, std::int64_t j, auto) { return j <= i; });
  problem.schedule = ir::read_schedule("tile q*group 32\n");
  check(lower, problem);
  problem.bound["group"] = n.group;
  check(lower, problem);
  problem.bound["q"] = n.rows;
  check(lower, problem);
}

TEST_CASE("sums over pairs and triples: the grid and loops") {
  constexpr auto ABC = flatten(flatten(B, HK), G);
  static_assert(std::is_same_v<decltype(ABC), decltype(flatten(B, HK, G)) const>);
  const auto sums = kernel("sums", [=](In<"x", f32, G, B, HK, D> X, In<"w", f32, P, S> W,
                                       Out<"y", f32, HK, G, B> Y, Out<"total", f32, B, HK, G> T) {
    auto abc = blocks(ABC);
    store(Y(abc[HK], abc[G], abc[B]),
          reduce_sum(load(X(abc[G], abc[B], abc[HK], D)), D) + cast<f32>(index(ABC) * 3 + abc[G]));
    constexpr auto PS = flatten(P, S);
    Var<f32, ABC> total{"sum", 0.f};
    for_blocks(PS, index(PS[S]) <= index(PS[P]), [&](auto ps) {
      auto w = let("w_tile", load(W(ps[P], ps[S])));
      total = total + reduce_sum(w * cast<f32>(index(ABC) + 1), PS);
    });
    store(T(abc[B], abc[HK], abc[G]), total);
  });
  for (const auto& [b, hk, g] : {std::tuple{1, 1, 1}, {2, 3, 5}, {4, 7, 3}, {16, 1, 9}}) {
    CAPTURE(b);
    const std::int64_t d = 33, pages = 27, slots = 11;
    Data x{f32, {g, b, hk, d}}, y{f32, {hk, g, b}}, w{f32, {pages, slots}}, total{f32, {b, hk, g}};
    x.numbers = noise(x.size(), 61), w.numbers = noise(w.size(), 62);
    for (std::int64_t j = 0; j < hk; ++j)
      for (std::int64_t k = 0; k < g; ++k)
        for (std::int64_t i = 0; i < b; ++i) {
          double sum = 3.0 * static_cast<double>((i * hk + j) * g + k) + static_cast<double>(k);
          for (std::int64_t c = 0; c < d; ++c) sum += x.numbers[at(((k * b + i) * hk + j) * d + c)];
          y.expected.push_back(sum);
        }
    double sum = 0;
    for (std::int64_t p = 0; p < pages; ++p)
      for (std::int64_t s = 0; s < slots && s <= p; ++s) sum += w.numbers[at(p * slots + s)];
    for (std::int64_t i = 1; i <= total.size(); ++i)
      total.expected.push_back(sum * static_cast<double>(i));
    y.tolerance = total.tolerance = 1e-5;
    check(sums, {{{"x", x}, {"w", w}, {"y", y}, {"total", total}}, {}, {{"d", d}}});
  }
}

TEST_CASE("a loop over pairs stores what its mask shows, and counts its tiles") {
  constexpr auto PS = flatten(P, S);
  const auto pairs = kernel("pairs", [=](In<"w", f32, P, S> W, InOut<"y", f32, B, S, P> Y) {
    auto b = each(B);
    for_blocks(PS, index(PS[P]) >= 4,
               [&](auto ps) { store(Y(b, ps[S], ps[P]), load(W(ps[P], ps[S])) + cast<f32>(b)); });
  });
  for (const auto& [pages, slots] : {std::pair{7, 5}, {61, 70}, {3, 9}, {0, 4}, {4, 0}}) {
    CAPTURE(pages);
    const std::int64_t batch = 2;
    Data w{f32, {pages, slots}}, y{f32, {batch, slots, pages}};
    w.numbers = noise(w.size(), 64), y.numbers.assign(at(y.size()), 9);
    for (std::int64_t b = 0; b < batch; ++b)
      for (std::int64_t s = 0; s < slots; ++s)
        for (std::int64_t p = 0; p < pages; ++p)
          y.expected.push_back(p >= 4 ? w.numbers[at(p * slots + s)] + static_cast<double>(b) : 9);
    check(pairs, {{{"w", w}, {"y", y}}});
  }
}

TEST_CASE("a flattened dimension that is whole, in a Var, and rows that leave the tensor") {
  const auto whole = kernel("whole", [](In<"x", bf16, G, M, D> X, Out<"y", f32, B, M, G> Y,
                                        Out<"shifted", f32, B, G, M, D> Z) {
    auto b = each(B);
    Var<f32, GM> sum{"sum", 0.f};
    sum = sum + reduce_sum(cast<f32>(load(X(index(GM[G]), index(GM[M]), D))), D);
    store(Y(b, index(GM[M]), index(GM[G])), sum);
    store(Z(b, index(GM[G]), index(GM[M]) + 1 - b, D),
          cast<f32>(load(X(index(GM[G]), index(GM[M]) * 2 - 1, D))) * 2.f);
  });
  const std::int64_t batch = 2, g = 3, m = 6, d = 16;
  Data x{bf16, {g, m, d}}, y{f32, {batch, m, g}}, z{f32, {batch, g, m, d}};
  x.numbers = noise(x.size(), 63);
  const auto element = [&](std::int64_t j, std::int64_t i, std::int64_t c) {
    return i < 0 || i >= m ? 0 : x.numbers[at((j * m + i) * d + c)];
  };
  z.numbers.assign(at(z.size()), 9);
  for (std::int64_t i = 0; i < batch * m; ++i)
    for (std::int64_t j = 0; j < g; ++j) {
      double sum = 0;
      for (std::int64_t c = 0; c < d; ++c) sum += element(j, i % m, c);
      y.expected.push_back(sum);
    }
  for (std::int64_t b = 0; b < batch; ++b)
    for (std::int64_t j = 0; j < g; ++j)
      for (std::int64_t i = 0; i < m; ++i)
        for (std::int64_t c = 0; c < d; ++c)
          z.expected.push_back(i < 1 - b ? 9 : 2 * element(j, 2 * (i - 1 + b) - 1, c));
  y.tolerance = 1e-6;
  check(whole, {{{"x", x}, {"y", y}, {"shifted", z}}, {}, {{"d", d}, {"group", g}, {"q", m}}});
}

TEST_CASE("results stay bit-stable: every pair is written once") {
  const auto lower = packed_attention<bf16>([] { return causal(GM[M], N); });
  CHECK(make_program(lower, "sm_80", {{{"d", 64}, {"e", 64}}, {}}).order_dependent().empty());
  const auto shared = kernel("shared", [](In<"x", f32, M, G> X, Out<"y", f32, M> Y) {
    auto gm = blocks(GM);
    store(Y(gm[M]), load(X(gm[M], gm[G])));
  });
  CHECK(make_program(shared, "sm_80", {}).order_dependent().size() == 1);
}

TEST_CASE("more pairs than 32 bits number are refused at launch, and at compile where known") {
  const auto ones = kernel("ones", [](In<"x", f32, M> X, In<"w", f32, G> W, Out<"y", f32, B> Y) {
    auto gm = blocks(GM);
    store(Y(gm[M] * 0), load(X(gm[M])) * load(W(gm[G])));
  });
  const auto view = [&](std::vector<std::int64_t> extents) {
    return TensorView{CUdeviceptr{16}, f32, std::move(extents), {0}};
  };
  const Plan plan = compile(emulator(), ones);
  Buffer y(emulator(), 16);
  const Error at_launch = error_of([&] {
    plan.launch(Stream::default_stream(emulator()),
                {{"x", view({70000})},
                 {"w", view({70000})},
                 {"y", TensorView::contiguous(y.address(), f32, {4})}});
  });
  CHECK(at_launch.kind() == ErrorKind::unsupported);
  CHECK(at_launch.argument() == "q*group");
  const Error at_compile = error_of([&] { build(ones, {{"q", 70000}, {"group", 70000}}); });
  CHECK(at_compile.kind() == ErrorKind::unsupported);
  CHECK(at_compile.argument() == "q*group");
  CHECK(at_compile.value() == "4900000000");
}
