// Random products and loops, with masks and in one another (random_program.hpp): what passes look
// for, among other things.
#include "random_program.hpp"

namespace tilewright::test {

/// A product over d: rows against the columns of the innermost loop, or of e.
void Writer::product() {
  const std::string column = loops_.empty() || random_.chance(15) ? "e" : some_loop();
  const DType type = recipe_.wild && random_.chance(10) ? DType::f32 : recipe_.half;
  const Typed left =
      random_.chance(80) ? load('x', type, {"m", "d"}) : spread(value(type, {"m", "d"}, 2), {"d"});
  const bool turned = random_.chance(30);
  const Typed right = recipe_.wild && random_.chance(15)
                          ? spread(value(type, {column, "d"}, 1), {"d"})
                          : load('x', type, turned ? Dims{"d", column} : Dims{column, "d"});
  Typed s = random_.chance(15) ? dot(right, left, "d") : dot(left, right, "d");
  if (random_.chance(60)) s = node(Op::mul, DType::f32, {s, scalar('s', DType::f32)});
  if (random_.chance(25)) {
    const Typed c = condition({"m", column}, 1);
    s = node(Op::select, DType::f32, {c, s, number(DType::f32, -INFINITY)});
  }
  keep(s, "score");
}

/// acc = acc * factor + dot(p, v, n): what follows a product in a loop.
void Writer::weighted_sum() {
  if (loops_.empty()) return product();
  const std::string axis = some_loop();
  if (!may_reduce({"m", axis}, axis)) return product();
  const auto known = readable(DType::f32, {"m", axis});
  Typed weight = known.empty() || random_.chance(20) ? floating({"m", axis}, 2) : random_.of(known);
  if (random_.chance(50)) {  // -inf becomes nothing, as an exponential makes it
    const Typed floor = node(Op::maximum, DType::f32, {weight, number(DType::f32, -4)});
    weight = recipe_.exact
                 ? floor
                 : node(Op::exp2_safe, DType::f32,
                        {weight, reduce(Op::reduce_max, spread(floor, {"m", axis}), axis)});
  }
  if (random_.chance(20))  // infinite past the end of the tensor
    weight = node(Op::div, DType::f32, {weight, load('y', DType::f32, {"m", axis})});
  else if (!recipe_.exact && random_.chance(20))
    weight = node(Op::div, DType::f32, {number(DType::f32, 1), weight});
  weight = spread(weight, {"m", axis});
  const Typed p = cast(recipe_.half, weight);
  const Typed product = dot(p, load('x', recipe_.half, {axis, "e"}), axis);
  for (const Variable& variable : std::vector<Variable>(variables_))
    if (variable.dtype == DType::f32 && variable.dims == Dims{"m", "e"}) {
      Typed now{gate_.read(variable.id), DType::f32, variable.dims};
      if (random_.chance(50)) now = node(Op::mul, DType::f32, {now, scalar('s', DType::f32)});
      const Typed next = random_.chance(80) ? node(Op::add, DType::f32, {now, product})
                                            : node(Op::add, DType::f32, {product, now});
      gate_.assign(variable.id, next.id, where());
      return;
    }
  keep(product, "sum");
}

/// Sums of weights that are rescaled as their maximum grows: the shape of a loop that several
/// passes look for, with what random programs may have around it.
void Writer::running_sums() {
  const auto variable = [&](const std::string& name, const Dims& dims, double first) {
    const Typed init = number(DType::f32, first);
    return gate_.variable(name, DType::f32, dims, init.id, where());
  };
  const VariableId most = variable("row_max", {"m"}, -INFINITY),
                   sum = variable("row_sum", {"m"}, 0), total = variable("total", {"m", "e"}, 0);
  const auto now = [&](VariableId id, const Dims& dims) {
    return Typed{gate_.read(id), DType::f32, dims};
  };
  const auto add = [&](Typed a, Typed b) { return node(Op::add, DType::f32, {a, b}); };
  const auto times = [&](Typed a, Typed b) { return node(Op::mul, DType::f32, {a, b}); };
  const bool alone = random_.chance(60), both = random_.chance(70), products = random_.chance(80);
  in_blocks("n", [&] {
    if (!may_reduce({"m", "n"}, "n")) return;
    Typed s = products ? dot(load('x', recipe_.half, {"m", "d"}),
                             load('x', recipe_.half, {"n", "d"}), "d")
                       : floating({"m", "n"}, 2);
    if (random_.chance(80)) s = times(s, scalar('s', DType::f32));
    s = spread(s, {"m", "n"});
    const Typed before = now(most, {"m"});
    const Typed after = node(Op::maximum, DType::f32, {before, reduce(Op::reduce_max, s, "n")});
    gate_.name(after.id, "m_new" + std::to_string(++names_), where());
    const Typed p = node(Op::exp2_safe, DType::f32, {s, after});
    gate_.name(p.id, "p" + std::to_string(++names_), where());
    const Typed alpha = node(Op::exp2_safe, DType::f32, {before, after});
    gate_.name(alpha.id, "alpha" + std::to_string(++names_), where());
    const Typed row = reduce(Op::reduce_sum, p, "n");
    gate_.assign(sum, add(times(now(sum, {"m"}), alpha), row).id, where());
    if (both && recipe_.products) {
      const Typed product = dot(cast(recipe_.half, p), load('x', recipe_.half, {"n", "e"}), "n");
      gate_.assign(total, add(times(now(total, {"m", "e"}), alpha), product).id, where());
    }
    gate_.assign(most, after.id, where());
    if (!alone) statements(2);
  });
  store_value(now(sum, {"m"}));
  store_value(now(most, {"m"}));
  store_value(node(Op::div, DType::f32, {now(total, {"m", "e"}), now(sum, {"m"})}));
}

void Writer::body(const std::function<void()>& make) {
  const std::size_t values = pool_.size(), variables = variables_.size();
  ++work_;
  make();
  statements(random_.between(2, work_ > 1 ? 4 : 6));
  --work_;
  pool_.resize(values);
  variables_.resize(variables);
}

void Writer::loop_over_blocks() {
  const std::string dim = !is_open("n") && random_.chance(75) ? "n" : "p";
  if (is_open(dim)) return let();
  in_blocks(dim, [&] {
    body([&] {
      if (!recipe_.products || !random_.chance(70)) return;
      statement([this] { product(); });
      statement([this] { weighted_sum(); });
    });
  });
}

/// The tiles of `dim` that some mask or list leaves.
void Writer::in_blocks(const std::string& dim, const std::function<void()>& make) {
  const bool masked = random_.chance(75);
  const auto list = list_of(dim, masked);
  blocks_[dim] = gate_.open_blocks(dim, where());
  if (list) gate_.follow(*list, where());
  OpenLoop loop{dim, {}};
  ValueId visible = no_value;
  if (masked) {
    const Typed made = mask(dim, 2);
    visible = made.id;
    loop.mask = made.dims;
  }
  gate_.begin_body(visible);
  loops_.push_back(loop);
  const std::size_t values = pool_.size(), variables = variables_.size();
  make();
  pool_.resize(values);
  variables_.resize(variables);
  loops_.pop_back();
  gate_.close();
  blocks_.erase(dim);
}

void Writer::loop_over_range() {
  Typed count = integer(random_.between(0, 3));
  if (random_.chance(40)) count = load('c', DType::i32, {});
  if (random_.chance(20)) count = node(Op::mod, DType::i32, {integral({}, 1), integer(3)});
  const ValueId counter = gate_.open_range(count.id, where());
  body([&] { pool_.push_back({counter, DType::i32, {}}); });
  gate_.close();
}

}  // namespace tilewright::test
