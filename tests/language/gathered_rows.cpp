// Rows that tiles of indices name, on their way to the tensor cores: the keys of a paged cache,
// ahead of their use, rows named by what a loop computes, and indices that are needed elsewhere
// too. What they move is counted: whole rows travel in whole sectors, once.
#include <doctest/doctest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <tilewright/dsl.hpp>

#include "language_device.hpp"

using namespace tilewright;
using namespace tilewright::test;

namespace {

constexpr Dim<"batch"> B;
constexpr Dim<"q"> M;
constexpr Dim<"kv"> N;
constexpr Dim<"d"> D;
constexpr Dim<"e"> E;
constexpr Dim<"page"> P;
constexpr Dim<"slot_row"> R;

/// Attention to keys that lie in pages: key j of sequence b is row table[b, j / size] * size +
/// j % size. Every third row of the cache counts half.
template <DType T>
auto paged_attention(bool halves) {
  return kernel(
      "paged", [=](In<"q", T, B, M, D> Q, In<"k", T, R, D> K, In<"v", T, R, E> V,
                   In<"table", i32, B, P> Table, In<"length", i32, B> Length, In<"any", i32, N> Any,
                   Out<"out", T, B, M, E> O, Scalar<"size", i32> size) {
        auto b = each(B);
        auto m = blocks(M);
        auto q = let("q", load(Q(b, m, D)));
        auto length = let("length", load(Length(b)));
        OnlineSoftmax<M, E> softmax;
        for_blocks(N, index(N) < length, [&](auto n) {
          auto rows = let("rows", load(Table(b, index(N) / size)) * size + index(N) % size);
          auto s = let("s", dot(q, load(K(rows, D)), D) * 0.25f);
          auto v = load(V(rows, E));
          if (halves) {
            auto weighed = let("weighed", where((rows + load(Any(n))) % 3 == 0, s * 0.5f, s));
            softmax.update(weighed, v, N);
          } else {
            softmax.update(s, v, N);
          }
        });
        store(O(b, m, E), softmax.result());
      });
}

template <DType T>
Problem paged_problem(std::int64_t rows, std::int64_t longest, std::int64_t d, std::int64_t e,
                      std::int64_t size, bool halves) {
  const std::int64_t batch = 3, pages = (longest + size - 1) / size, cache = batch * pages * size;
  Data q{T, {batch, rows, d}}, k{T, {cache, d}}, v{T, {cache, e}}, out{T, {batch, rows, e}};
  Data table{i32, {batch, pages}}, length{i32, {batch}}, any{i32, {longest}};
  q.numbers = noise(q.size(), 71), k.numbers = noise(k.size(), 72), v.numbers = noise(v.size(), 73);
  any.numbers.assign(at(longest), 0);
  for (std::int64_t i = 0; i < table.size(); ++i)  // backwards; what is past a length is wild
    table.numbers.push_back(static_cast<double>(table.size() - 1 - i));
  for (std::int64_t b = 0; b < batch; ++b) {
    const std::int64_t has = b == 0 ? longest : b == 1 ? (longest + 1) / 2 : 0;
    length.numbers.push_back(static_cast<double>(has));
    for (std::int64_t p = (has + size - 1) / size; p < pages; ++p)
      table.numbers[at(b * pages + p)] = p % 2 ? -5 : 1e6;
    for (std::int64_t i = 0; i < rows; ++i) {
      std::vector<double> weight;
      double top = -1e300, sum = 0;
      for (std::int64_t j = 0; j < has; ++j) {
        const auto row =
            static_cast<std::int64_t>(table.numbers[at(b * pages + j / size)]) * size + j % size;
        double s = 0;
        for (std::int64_t c = 0; c < d; ++c)
          s += q.numbers[at((b * rows + i) * d + c)] * k.numbers[at(row * d + c)];
        weight.push_back(s * (halves && row % 3 == 0 ? 0.125 : 0.25));
        top = std::max(top, weight.back());
      }
      for (double& w : weight) sum += w = std::exp(w - top);
      for (std::int64_t c = 0; c < e; ++c) {
        double o = 0;
        for (std::int64_t j = 0; j < has; ++j) {
          const auto row =
              static_cast<std::int64_t>(table.numbers[at(b * pages + j / size)]) * size + j % size;
          o += weight[at(j)] * v.numbers[at(row * e + c)];
        }
        out.expected.push_back(has == 0 ? 0 : o / sum);
      }
    }
  }
  out.tolerance = T == f32 ? 1e-5 : 6e-3;
  return {{{"q", q},
           {"k", k},
           {"v", v},
           {"table", table},
           {"length", length},
           {"any", any},
           {"out", out}},
          {{"size", static_cast<double>(size)}},
          {{"d", d}, {"e", e}}};
}

}  // namespace

TEST_CASE("keys in pages, copied ahead of their use") {
  for (const bool halves : {false, true}) {
    CAPTURE(halves);
    for (const std::int64_t longest : {1, 15, 64, 333}) {
      CAPTURE(longest);
      check(paged_attention<bf16>(halves), paged_problem<bf16>(20, longest, 64, 40, 16, halves));
      check(paged_attention<f32>(halves), paged_problem<f32>(5, longest, 24, 64, 5, halves));
      check(paged_attention<f16>(halves), paged_problem<f16>(33, longest, 7, 9, 4, halves));
    }
  }
  const Program program =
      make_program(paged_attention<bf16>(true), "sm_80", {{{"d", 64}, {"e", 64}}, {}});
  CHECK(program.aligned.schedule.stages > 1);
  const std::string& text = program.aligned.text.text;
  CHECK(text.find("copy_rows<") != std::string::npos);
  CHECK(text.find("const int kv_at = next * ") != std::string::npos);
  for (std::size_t begin = text.find("---- kernel"), end; begin < text.size(); begin = end + 1) {
    end = std::min(text.find('\n', begin), text.size());
    CHECK_MESSAGE(end - begin <= 120, text.substr(begin, end - begin));
  }
}

TEST_CASE("whole rows move in whole sectors, each once for every tile that needs it") {
  const auto picked = kernel("picked", [](In<"a", bf16, R, D> A, In<"pick", i32, M> Pick,
                                          In<"b", bf16, N, D> Bs, Out<"c", f32, M, N> C) {
    auto m = blocks(M, 64);
    auto n = blocks(N, 64);
    store(C(m, n), dot(load(A(load(Pick(m)), D)), load(Bs(n, D)), D));
  });
  const std::int64_t rows = 128, columns = 64, d = 64, table = 300;
  const Plan plan = compile(emulator(), picked, {{{"d", d}}, {}});
  Buffer a(emulator(), at(table * d * 2)), b(emulator(), at(columns * d * 2)),
      c(emulator(), at(rows * columns * 4)), pick(emulator(), at(rows * 4));
  std::vector<std::int32_t> numbers;
  for (std::int64_t i = 0; i < rows; ++i)
    numbers.push_back(static_cast<std::int32_t>(i * 37 % table));
  std::vector<unsigned char> zeros(at(table * d * 2));
  a.upload(zeros.data(), at(table * d * 2)), b.upload(zeros.data(), at(columns * d * 2));
  pick.upload(numbers.data(), numbers.size() * 4);
  emulator().emulator()->reset();
  plan.launch(Stream::default_stream(emulator()),
              {{"a", TensorView::contiguous(a.address(), bf16, {table, d})},
               {"pick", TensorView::contiguous(pick.address(), i32, {rows})},
               {"b", TensorView::contiguous(b.address(), bf16, {columns, d})},
               {"c", TensorView::contiguous(c.address(), f32, {rows, columns})}});
  const auto counted = nlohmann::json::parse(emulator().emulator()->counters());
  CHECK(std::string(emulator().emulator()->faults()) == "[]");
  emulator().emulator()->reset();
  const std::int64_t tiles = rows / 64 * (columns / 64), tile = 64 * d * 2;
  const std::int64_t loaded = counted.at("global_load_bytes");
  // Beside the two tiles, only indices: 4 bytes for each 16 bytes of a row.
  CHECK(loaded >= tiles * 2 * tile);
  CHECK(loaded <= tiles * (2 * tile + tile / 4));
  CHECK(counted.at("tensor_ops") == 2 * rows * columns * d);
}

TEST_CASE("indices that no other thread can work out stay where they are") {
  const auto walk = kernel("walk", [](In<"a", bf16, R, D> A, InOut<"next", i32, R> Next,
                                      In<"b", bf16, N, D> Bs, Out<"c", f32, M, N> C) {
    auto m = blocks(M);
    auto n = blocks(N);
    Var<i32, M> row{"row", index(M)};
    Var<f32, M, N> sum{"sum", 0.f};
    for_range(3, [&](auto) {
      sum = sum + dot(load(A(row, D)), load(Bs(n, D)), D);
      row = load(Next(row));
    });
    store(C(m, n), sum);
  });
  const std::int64_t rows = 21, columns = 18, d = 40, table = 30;
  Data a{bf16, {table, d}}, b{bf16, {columns, d}}, next{i32, {table}}, c{f32, {rows, columns}};
  a.numbers = noise(a.size(), 74), b.numbers = noise(b.size(), 75);
  for (std::int64_t i = 0; i < table; ++i)
    next.numbers.push_back(static_cast<double>((i * 11 + 3) % (table + 4) - 2));
  next.expected = next.numbers;
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t j = 0; j < columns; ++j) {
      double sum = 0;
      std::int64_t row = i;
      for (int step = 0; step < 3; ++step) {
        const bool inside = row >= 0 && row < table;
        for (std::int64_t k = 0; k < d && inside; ++k)
          sum += a.numbers[at(row * d + k)] * b.numbers[at(j * d + k)];
        row = inside ? static_cast<std::int64_t>(next.numbers[at(row)]) : 0;
      }
      c.expected.push_back(sum);
    }
  c.tolerance = 1e-5;
  check(walk, {{{"a", a}, {"next", next}, {"b", b}, {"c", c}}, {}, {{"d", d}}});
}
