// Random statements: named values, Vars that loops carry, stores, reductions (random_program.hpp);
// products and loops are in random_loops.cpp. What the language refuses is not written: a reduction
// over a masked dimension takes tiles that have the mask's rows, a store under a mask likewise.
#include <algorithm>
#include <utility>

#include "random_program.hpp"

namespace tilewright::test {

void Writer::program() {
  // Every dimension has a tensor, so that it has an extent.
  declared_.push_back({Argument::Kind::in, "x0", DType::f32, {"b", "g", "m", "n", "p", "d", "e"}});
  gate_.declare(declared_.back());
  if (recipe_.has_batch) batch_ = gate_.grid_each("b", where());
  if (recipe_.has_rows) blocks_["m"] = gate_.grid_blocks("m", recipe_.requested_tile, where());
  for (int i = random_.between(1, 3); i > 0; --i) statement([this] { declare_variable(); });
  statements(recipe_.statements);
  statement([this] { random_.chance(30) ? running_sums() : loop_over_blocks(); });
  statements(2);
  for (const Variable& variable : std::vector<Variable>(variables_))
    statement([&] { store_value({gate_.read(variable.id), variable.dtype, variable.dims}); });
  for (int i = 0; i < 2; ++i) statement([this] { store(); });
}

void Writer::statement(const std::function<void()>& make) {
  const std::uint64_t identity = mixed(scope_.seed, scope_.count++);
  log_.push_back(identity);
  if (!skip_.contains(identity)) {
    ++line_;
    const Scope outer = std::exchange(scope_, {identity, 0});
    random_ = Random(identity);
    make();
    scope_ = outer;
  }
  random_ = Random(mixed(identity, 7));
}

void Writer::statements(int count) {
  for (int i = 0; i < count; ++i) statement([this] { one_statement(); });
}

void Writer::one_statement() {
  const bool deep = work_ >= 2;
  switch (random_.below(14)) {
    case 0:
    case 1:
    case 2: return let();
    case 3: return loops_.empty() ? declare_variable() : assign();
    case 4:
    case 5: return assign();
    case 6: return exchange();
    case 7: return store();
    case 8: return reduction();
    case 9:
    case 10: return recipe_.products ? product() : reduction();
    case 11: return recipe_.products ? weighted_sum() : let();
    case 12: return deep ? let() : loop_over_blocks();
    default: return deep ? assign() : loop_over_range();
  }
}

void Writer::keep(Typed x, const std::string& name) {
  gate_.name(x.id, name + std::to_string(++names_), where());
  pool_.push_back(std::move(x));
}

/// What a tile may vary along here: the rows and one more, or anything in wild programs.
Dims Writer::tile_dims() {
  Dims others = {"d", "e"};
  for (const OpenLoop& loop : loops_) {
    others.push_back(loop.dim);
    others.push_back(loop.dim);  // more often
  }
  Dims dims;
  if (random_.chance(80)) dims.push_back("m");
  if (random_.chance(75)) dims.push_back(random_.of(others));
  if (recipe_.wild && random_.chance(20)) {
    const std::string more = random_.of(others);
    if (!contains(dims, more)) dims.push_back(more);
  }
  return dims;
}

std::vector<Typed> Writer::readable(DType dtype, const Dims& allowed) {
  std::vector<Typed> found;
  for (const Typed& known : pool_)
    if (known.dtype == dtype && subset(known.dims, allowed)) found.push_back(known);
  for (const Variable& variable : variables_)
    if (variable.dtype == dtype && subset(variable.dims, allowed))
      found.push_back({gate_.read(variable.id), variable.dtype, variable.dims});
  return found;
}

bool Writer::is_open(const std::string& dim) const {
  return std::any_of(loops_.begin(), loops_.end(),
                     [&](const OpenLoop& loop) { return loop.dim == dim; });
}

bool Writer::may_reduce(const Dims& dims, const std::string& axis) const {
  return std::all_of(loops_.begin(), loops_.end(), [&](const OpenLoop& loop) {
    return loop.dim != axis || subset(without(loop.mask, axis), dims);
  });
}

bool Writer::may_store(const Dims& dims) const {
  return std::all_of(loops_.begin(), loops_.end(), [&](const OpenLoop& loop) {
    return !contains(dims, loop.dim) || subset(loop.mask, dims);
  });
}

/// The innermost loop, mostly.
std::string Writer::some_loop() {
  return random_.chance(70) ? loops_.back().dim : random_.of(loops_).dim;
}

void Writer::let() {
  const DType dtype = random_.chance(60) ? DType::f32 : DType::i32;
  const Dims dims = tile_dims();
  keep(value(dtype, dims, random_.between(1, 3)), dtype == DType::i32 ? "number" : "value");
}

void Writer::declare_variable() {
  Variable variable;
  const int kind = random_.below(10);
  variable.dtype = kind < 7 ? DType::f32 : kind < 9 ? DType::i32 : DType::b1;
  if (random_.chance(80)) variable.dims.push_back("m");
  if (random_.chance(45)) variable.dims.push_back(random_.chance(60) ? "e" : "d");
  variable.name = "state" + std::to_string(++names_);
  Typed init = variable.dtype == DType::b1 ? number(DType::b1, random_.below(2))
                                           : number(variable.dtype, random_.between(-2, 2));
  if (variable.dtype == DType::f32 && random_.chance(15)) init = number(DType::f32, -INFINITY);
  if (random_.chance(30)) {
    const Dims some =
        random_.chance(50) && !variable.dims.empty() ? Dims{variable.dims[0]} : Dims{};
    init = variable.dtype == DType::b1 ? condition(some, 1) : value(variable.dtype, some, 1);
  }
  variable.id = gate_.variable(variable.name, variable.dtype, variable.dims, init.id, where());
  variables_.push_back(variable);
}

void Writer::assign() {
  if (variables_.empty()) return let();
  const Variable variable = random_.of(variables_);
  const Typed now{gate_.read(variable.id), variable.dtype, variable.dims};
  const auto set = [&](const Typed& x) { gate_.assign(variable.id, x.id, where()); };
  if (variable.dtype == DType::b1) return set(condition(variable.dims, 2));
  Typed more = value(variable.dtype, variable.dims, 2);
  if (!loops_.empty() && random_.chance(60)) {  // a reduction of what the loop brings
    const std::string axis = some_loop();
    const Typed x = spread(value(variable.dtype, united(variable.dims, {axis}), 2), {axis});
    if (x.dims.size() <= (recipe_.wild ? 3u : 2u) && may_reduce(x.dims, axis))
      more = reduce(random_.chance(60)                                   ? Op::reduce_sum
                    : variable.dtype == DType::i32 && random_.chance(50) ? Op::reduce_argmax
                                                                         : Op::reduce_max,
                    x, axis);
  }
  switch (random_.below(5)) {
    case 0: return set(more);
    case 1: return set(node(Op::maximum, variable.dtype, {now, more}));
    case 2: {
      const Typed c = condition(variable.dims, 1);
      return set(node(Op::select, variable.dtype, {c, now, more}));
    }
    case 3: return set(node(Op::add, variable.dtype, {now, more}));
    default: {
      if (variable.dtype == DType::i32) return set(node(Op::sub, variable.dtype, {more, now}));
      Typed factor = scalar('s', DType::f32);
      if (random_.chance(50)) {  // by row
        const Typed c = condition(
            Dims(variable.dims.begin(), variable.dims.begin() + (variable.dims.empty() ? 0 : 1)),
            1);
        factor = node(Op::select, DType::f32, {c, number(DType::f32, 0.5), number(DType::f32, 1)});
      }
      return set(node(Op::add, DType::f32, {node(Op::mul, DType::f32, {now, factor}), more}));
    }
  }
}

/// old = f(a, b); a = b; b = old
void Writer::exchange() {
  for (std::size_t i = 0; i < variables_.size(); ++i)
    for (std::size_t j = 0; j < variables_.size(); ++j) {
      const Variable a = variables_[i], b = variables_[j];
      if (i == j || a.dtype != b.dtype || a.dims != b.dims || !random_.chance(70)) continue;
      Typed old{gate_.read(a.id), a.dtype, a.dims};
      if (a.dtype != DType::b1 && random_.chance(40))
        old = node(Op::maximum, a.dtype, {old, value(a.dtype, a.dims, 1)});
      gate_.assign(a.id, gate_.read(b.id), where());
      gate_.assign(b.id, old.id, where());
      return;
    }
  assign();
}

void Writer::store() {
  const DType types[] = {DType::f32, recipe_.half, DType::i32};
  const DType dtype = types[random_.below(3)];
  const auto known = readable(is_half(dtype) ? DType::f32 : dtype, {"m", "n", "p", "d", "e"});
  const Typed x = !known.empty() && random_.chance(70)
                      ? random_.of(known)
                      : value(is_half(dtype) ? DType::f32 : dtype, tile_dims(), 2);
  store_value(is_half(dtype) && random_.chance(50) ? cast(dtype, x) : x);
}

void Writer::store_value(Typed x) {
  if (x.dtype == DType::b1) x = node(Op::select, DType::i32, {x, integer(1), integer(0)});
  if (recipe_.has_rows) x = spread(x, {"m"});  // each program's own place
  if (!may_store(x.dims)) return;
  if (!recipe_.wild && x.dims.size() > 2) return;
  const DType dtype = x.dtype == DType::f32 && random_.chance(30) ? recipe_.half : x.dtype;
  Argument out{Argument::Kind::out, "o" + std::to_string(declared_.size()), dtype, {}};
  Dims order = x.dims;
  if (order.size() > 1 && random_.chance(20)) std::swap(order[0], order[1]);
  std::vector<IndexSpec> indices;
  if (recipe_.has_batch) {
    out.dims.push_back("b");
    indices.push_back({IndexSpec::Kind::scalar, "b", batch_});
  }
  for (const std::string& dim : order) {
    out.dims.push_back(dim);
    const auto block = blocks_.find(dim);
    if (block == blocks_.end())
      indices.push_back({IndexSpec::Kind::whole, dim, no_value});
    else
      indices.push_back({IndexSpec::Kind::block, dim, block->second});
  }
  if (out.dims.empty()) {
    out.dims.push_back("g");
    indices.push_back({IndexSpec::Kind::scalar, "g", integer(0).id});
  }
  declared_.push_back(out);
  gate_.declare(out);
  gate_.store(out.name, indices, x.id, where());
}

void Writer::reduction() {
  const DType dtype = random_.chance(70) ? DType::f32 : DType::i32;
  // Rows too, where one tile holds them all: what a tile of the grid gives is the schedule's.
  const std::string axis = !loops_.empty() && random_.chance(60)     ? some_loop()
                           : !recipe_.has_rows && random_.chance(50) ? "m"
                           : random_.chance(50)                      ? "d"
                                                                     : "e";
  Dims dims = {axis};
  if (axis == "m") {
    if (random_.chance(70)) dims.push_back(random_.chance(50) ? "d" : "e");
  } else if (random_.chance(85)) {
    dims.insert(dims.begin(), "m");
  }
  if (random_.chance(20)) {  // of numbers that no pass rounds in another way
    const bool real = random_.chance(50);
    const Typed x = load(real ? 'x' : 'i', real ? DType::f32 : DType::i32, dims);
    if (may_reduce(x.dims, axis)) return keep(reduce(Op::reduce_argmax, x, axis), "place");
  }
  const Typed x = spread(value(dtype, dims, 2), {axis});
  if (!may_reduce(x.dims, axis)) return let();
  keep(reduce(random_.chance(50) ? Op::reduce_sum : Op::reduce_max, x, axis), "row");
}

}  // namespace tilewright::test
