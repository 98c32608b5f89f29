// What the type of an expression says: element type and dimensions, by broadcasting, contraction
// and reduction, for every kind of operand. Compiling is the test; doctest reports that it ran.
#include <doctest/doctest.h>

#include <map>
#include <type_traits>

#include "dimensions.hpp"

namespace {

using q = Dim<"q">;
using kv = Dim<"kv">;
using d = Dim<"d">;

template <typename Expected, typename X>
constexpr bool has_shape(const X&) {
  return std::is_same_v<shape_of<X>, Expected>;
}

constexpr auto rows = index(M);
constexpr auto keys = index(N);

static_assert(has_shape<Tile<i32, q>>(rows));
static_assert(has_shape<Tile<i32>>(extent(M)));
static_assert(has_shape<Tile<i32, q>>(position(M)));
static_assert(has_shape<Tile<b1, q, kv>>(causal(M, N)));
static_assert(has_shape<Tile<b1, q, kv>>(causal(M, N, top_left)));

// Broadcasting: the first operand's dimensions, then what the second adds.
static_assert(has_shape<Tile<i32, q, kv>>(rows + keys));
static_assert(has_shape<Tile<i32, kv, q>>(keys + rows));
static_assert(has_shape<Tile<i32, q, kv>>((rows + keys) * rows));
static_assert(has_shape<Tile<i32, q>>(rows + extent(N)));
static_assert(has_shape<Tile<b1, kv, q>>(keys <= rows && keys > rows - 128));
static_assert(has_shape<Tile<i32, q>>(-rows / 3 % 5 << 1 ^ ~rows));

// A C++ number takes the type of the tile beside it.
constexpr auto reals = cast<f32>(rows);
static_assert(has_shape<Tile<f32, q>>(reals));
static_assert(has_shape<Tile<f32, q>>(reals * 2));
static_assert(has_shape<Tile<f32, q>>(0.5 * reals));
static_assert(has_shape<Tile<bf16, q>>(cast<bf16>(rows) * 0.5f));
static_assert(has_shape<Tile<f32, q>>(where(rows > 0, 1, reals)));
static_assert(has_shape<Tile<f32, q>>(where(rows > 0, 1.f, 0)));
static_assert(has_shape<Tile<i32, q>>(where(rows > 0, 1, 0)));
static_assert(has_shape<Tile<f32, q>>(cast<f32>(rows > 0)));
static_assert(has_shape<Tile<f32, q>>(max(reals, 0)));
static_assert(has_shape<Tile<f32, q>>(min(-infinity, reals)));

// Contraction and reduction make the named dimension vanish.
constexpr auto scores = cast<bf16>(rows * index(D));
constexpr auto weights = cast<bf16>(keys * index(D));
static_assert(has_shape<Tile<bf16, q, d>>(scores));
static_assert(has_shape<Tile<f32, q, kv>>(dot(scores, weights, D)));
static_assert(has_shape<Tile<f32, kv, q>>(dot(weights, scores, D)));
static_assert(has_shape<Tile<bf16, q>>(reduce_max(scores, D)));
static_assert(has_shape<Tile<f32>>(reduce_sum(reals, M)));
static_assert(has_shape<Tile<f32, q, kv>>(exp2_safe(dot(scores, weights, D), reals)));

// The dimensions of a loaded tile come from its indices: a number brings none.
constexpr In<"q", bf16, B, H, M, D> Q;
static_assert(has_shape<Tile<bf16, q, d>>(load(Q(0, extent(H) - 1, M, D))));
static_assert(has_shape<Tile<bf16, d>>(load(Q(0, 0, 0, D))));
static_assert(has_shape<Tile<bf16>>(load(Q(0, 0, 0, 0))));
constexpr In<"pages", i32, B> Pages;
static_assert(has_shape<Tile<bf16, q>>(load(Q(load(Pages(0)), 0, M, 0))));

// Two objects with one name are one dimension; another name is another.
constexpr Dim<"q"> other_rows;
static_assert(has_shape<Tile<i32, q>>(index(other_rows) + rows));
static_assert(!has_shape<Tile<i32, q>>(keys));

// State is not copied.
static_assert(!std::is_copy_constructible_v<Var<f32, M>>);
static_assert(!std::is_copy_constructible_v<OnlineSoftmax<M, E>>);
static_assert(!std::is_convertible_v<decltype(rows), bool>);

}  // namespace

TEST_CASE("types are as asserted above") {
  const std::map<std::string, std::int64_t> extents{{D, 128}, {E, 64}};
  CHECK(extents.at("d") == 128);
  CHECK(extents.at("e") == 64);
}
