// Random masks of loops (random_program.hpp): the shapes that kernels use, spelled in several ways,
// joined at random; some depend on data, which the analysis must fall back on.
#include "random_program.hpp"

namespace tilewright::test {

Typed Writer::mask(const std::string& dim, int depth) {
  if (depth > 0 && random_.chance(40)) {
    const Typed a = mask(dim, depth - 1);
    if (random_.chance(20)) return node(Op::logical_not, DType::b1, {a});
    const Op op = random_.chance(60) ? Op::logical_and : Op::logical_or;
    return node(op, DType::b1, {a, mask(dim, depth - 1)});
  }
  return mask_atom(dim);
}

Typed Writer::mask_atom(const std::string& dim) {
  const Typed k = index_of(dim);
  std::string along = "m";  // what the rows of this mask are
  if (!loops_.empty() && recipe_.wild && random_.chance(50)) along = loops_.back().dim;
  const auto sum = [&](Typed a, Typed b) { return node(Op::add, DType::i32, {a, b}); };
  const auto difference = [&](Typed a, Typed b) { return node(Op::sub, DType::i32, {a, b}); };
  const auto position = [&]() -> Typed {
    const Typed q = index_of(along);
    return random_.chance(50) ? q : sum(q, difference(extent_of(dim), extent_of(along)));
  };
  // Bounds, mostly; strides, rows and data seldom, for they have no sharp domain.
  switch (random_.chance(80) ? random_.of(std::vector<int>{0, 1, 2, 3, 4, 8, 9})
                             : random_.below(10)) {
    case 0: return node(Op::ge, DType::b1, {position(), k});
    case 1: return node(Op::lt, DType::b1, {k, sum(position(), integer(1))});
    case 2: return node(Op::gt, DType::b1, {k, difference(position(), scalar('w', DType::i32))});
    case 3: {
      const Typed w =
          random_.chance(50) ? scalar('w', DType::i32) : integer(random_.between(1, 20));
      return node(Op::eq, DType::b1,
                  {node(Op::div, DType::i32, {k, w}), node(Op::div, DType::i32, {position(), w})});
    }
    case 4: return node(Op::lt, DType::b1, {k, load('l', DType::i32, {})});
    case 5: {
      const Typed apart = difference(position(), k);
      return node(Op::eq, DType::b1,
                  {node(Op::mod, DType::i32, {apart, integer(random_.between(2, 4))}), integer(0)});
    }
    case 6:  // rows that see nothing
      return node(Op::lt, DType::b1,
                  {node(Op::mod, DType::i32, {index_of(along), integer(5)}),
                   integer(random_.between(1, 5))});
    case 7: {
      const Typed rows = load('i', DType::i32, {along});
      return node(Op::le, DType::b1, {load('i', DType::i32, {dim}), rows});
    }
    case 8: return node(Op::lt, DType::b1, {k, integer(random_.between(0, 40))});
    default: {
      const Typed apart = node(Op::abs, DType::i32, {difference(position(), k)});
      return node(Op::le, DType::b1, {apart, scalar('w', DType::i32)});
    }
  }
}

}  // namespace tilewright::test
