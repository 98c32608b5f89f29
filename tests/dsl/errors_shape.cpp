// What is refused of slices, halos, other names and concat while a kernel is traced: extents are
// known only then.
#include <doctest/doctest.h>

#include "build.hpp"
#include "dimensions.hpp"
#include "tracing.hpp"

using namespace tilewright::test;

namespace {

using Q = In<"q", f32, M, D>;
using O = Out<"o", f32, M, D>;

/// The error that tracing `body` gives with 30 elements of d.
template <typename Body>
Error error_in(const Body& body) {
  return error_of(kernel("shapes", body), {{"d", 30}});
}

std::string here(int line) { return "dsl/errors_shape.cpp:" + std::to_string(line); }

}  // namespace

TEST_CASE("a slice that leaves its dimension names the elements and the extent") {
  int line = 0;
  const Error error = error_in([&](Q q, O o) {
    auto m = blocks(M);
    line = __LINE__ + 1;
    store(o(m, slice(D, 20, 11)), load(q(m, slice(D, 20, 11))));
  });
  CHECK(error.kind() == ErrorKind::shape_mismatch);
  CHECK(says(error, "slice of 'd' leaves it: its extent is 30", "slice-out-of-range"));
  CHECK(error.value() == "elements 20 … 30");
  CHECK(error.where() == here(line));
  CHECK(says(error_in([](Q q, O) { let("x", load(q(0, slice(D, -1, 4)))); }),
             "slice of 'd' leaves it"));
}

TEST_CASE("a split that does not divide, and a part that is not there") {
  const Error uneven = error_in([](Q q, O o) {
    auto m = blocks(M);
    store(o(m, split(D, 4, E)[0]), load(q(m, split(D, 4, E)[1])));
  });
  CHECK(says(uneven, "split of 'd': its extent does not divide into 4 parts", "split-invalid"));
  CHECK(uneven.value() == "30");
  CHECK(uneven.allowed() == "a multiple of 4");
  const Error absent = error_in([](Q q, O) { let("x", load(q(blocks(M), split(D, E, 2)[2]))); });
  CHECK(says(absent, "split of 'd': there is no such part"));
  CHECK(absent.allowed() == "0 … 1");
}

TEST_CASE("two extents of one dimension do not meet; names of their own bring slices together") {
  const Error error = error_in([](Q q, O) {
    auto m = blocks(M);
    let("x", load(q(m, slice(D, 0, 10))) + load(q(m, slice(D, 0, 12))));
  });
  CHECK(says(error, "two extents of dimension 'd' meet in one expression", "tilings-meet"));
  CHECK(error.value() == "10 and 12");
  build(kernel("named",
               [](Q q, O o) {
                 auto m = blocks(M);
                 auto low = load(q(m, as<E>(slice(D, 0, 10))));
                 store(o(m, as<E>(slice(D, 20, 10))), low + load(q(m, as<E>(slice(D, 7, 10)))));
               }),
        {{"d", 30}});
}

TEST_CASE("a store through a halo, a step that is none, a step over a whole dimension") {
  CHECK(says(error_in([](Q q, O o) {
               auto near = as<N>(halo(blocks(M), 1, 1));
               store(o(near, D), load(q(near, D)));
             }),
             "store to 'o' through a halo over 'kv'", "store-through-halo"));
  const Error step = error_in([](Q q, O) { let("x", load(q(blocks(M) * 0, D))); });
  CHECK(says(step, "step of an index over 'q' is out of range", "selection-out-of-range"));
  CHECK(says(error_in([](Q q, O) { let("x", load(q(blocks(M), as<E>(D) * 2))); }),
             "an index with a step over the whole of 'd'", "step-over-whole-dimension"));
}

TEST_CASE("concat fills its dimension, no more and no less") {
  int line = 0;
  const Error error = error_in([&](Q q, O o) {
    auto m = blocks(M);
    auto x = load(q(m, as<E>(slice(D, 0, 14))));
    line = __LINE__ + 1;
    store(o(m, D), concat(D, E, x, x));
  });
  CHECK(error.kind() == ErrorKind::shape_mismatch);
  CHECK(says(error, "concat: the parts have 28 elements, 'd' has 30", "concat-extent-disagrees"));
  CHECK(error.where() == here(line));
}

TEST_CASE("what is there one tile at a time is neither cut nor joined") {
  CHECK(says(error_in([](Q q, O) { let("x", slice(load(q(blocks(M), D)), M, 0, 4)); }),
             "of which it holds one tile of several", "part-of-dimension"));
}

TEST_CASE("a name that stands for two halos, or for slices of two lengths, has no index") {
  CHECK(says(error_in([](Q, O) {
               auto m = blocks(M);
               as<N>(halo(m, 1, 1));
               as<N>(halo(m, 2, 2));
               let("x", index(N));
             }),
             "'kv' is the name of two halos of one block", "second-name-taken"));
  CHECK(says(error_in([](Q, O) {
               as<E>(slice(D, 0, 3));
               as<E>(slice(D, 0, 4));
               let("x", index(E));
             }),
             "'e' is the name of slices of different extents", "second-name-taken"));
}
