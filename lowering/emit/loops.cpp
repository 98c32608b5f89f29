// Long file: the header of a loop and what runs ahead of it are one text.
// Loops over tiles: bounds in closed form, and the ring of buffers that runs ahead.
//
// The body is written once. What only tiles with hidden elements need stands behind `if (cut)`, a
// condition equal in all threads. A loop with a ring starts some rounds early: those rounds only
// copy.
#include <algorithm>
#include <set>

#include "emit/emitter.hpp"
#include "ir/flattened.hpp"

namespace tilewright::emit {
namespace {

bool mentions_cut(const ir::Region& region) {
  for (const auto& operation : region.operations) {
    if (operation->cut_only) return true;
    for (const auto& inner : operation->regions)
      if (mentions_cut(*inner)) return true;
  }
  return false;
}

}  // namespace

void Emitter::declare_carried(const ir::Operation& loop, std::size_t first_initial) {
  const ir::Region& body = *loop.regions.back();
  for (std::size_t k = 0; k < loop.results.size(); ++k) {
    const ValueId carried = body.arguments[k + 1], initial = loop.operands[first_initial + k];
    const ir::Operation* from = plan_.definition(initial);
    const bool constant = from != nullptr && from->op == Op::constant;
    const bool tile = !kernel_.type(carried).axes.empty();
    out_.origin(kernel_.values[static_cast<std::size_t>(carried)].where);
    if (constant && from->constant == 0) {
      out_.line(declaration(carried, tile ? " = {};" : " = 0;"));
    } else if (!tile) {
      out_.line(declaration(carried, " = " + element(initial, {}).text + ";"));
    } else {
      copy_value(plan_.variable(carried), carried, initial, declaration(carried, ";  "));
    }
  }
}

/// What the loop carries on: values that did not already overwrite their variable are copied to it.
void Emitter::yield(const ir::Operation& loop) {
  write_sunk();
  const ir::Region& body = *loop.regions.back();
  const ir::Operation& end = *body.operations.back();
  std::vector<std::size_t> pending;
  for (std::size_t k = 0; k < end.operands.size(); ++k)
    if (end.operands[k] != body.arguments[k + 1] &&
        plan_.replaces(end.operands[k]) != body.arguments[k + 1])
      pending.push_back(k);
  out_.origin(end.where);
  // A variable that another one still has to read (a swap) is kept aside first.
  std::map<ValueId, std::string> kept;
  for (const std::size_t k : pending) {
    const ValueId now = end.operands[k];
    const auto first = body.arguments.begin() + 1;
    if (std::find(first, body.arguments.end(), now) == body.arguments.end() || kept.contains(now))
      continue;
    const std::string name = plan_.fresh(plan_.variable(now) + "_before");
    std::string type = declaration(now, ";");
    type.replace(type.find(plan_.variable(now)), plan_.variable(now).size(), name);
    out_.line(type);
    copy_value(name, now, now);
    kept[now] = name;
  }
  for (const std::size_t k : pending) {
    const ValueId carried = body.arguments[k + 1], now = end.operands[k];
    if (const auto found = kept.find(now); found != kept.end()) {
      const At at = element_at("j", "i");
      out_.line(over_elements(
          carried, column_of(carried) >= 0 ? at : row_at("r"),
          plan_.variable(carried) + subscript(carried, column_of(carried) >= 0 ? at : row_at("r")) +
              " = " + found->second + subscript(now, column_of(carried) >= 0 ? at : row_at("r")) +
              ";"));
    } else {
      copy_value(plan_.variable(carried), carried, now);
    }
  }
}

std::string Emitter::domain_text(const ir::IntExpr& expression) {
  const std::string text = expression.print([&](const std::string& symbol) -> std::string {
    const std::size_t open = symbol.find('(');
    const std::string kind = symbol.substr(0, open),
                      of = symbol.substr(open + 1, symbol.size() - open - 2);
    if (kind == "extent") return extent(of);
    if (kind == "block") return symbol;  // the tile's own number: see bounds
    if (kind == "scalar") return parameter(Parameter::Kind::scalar, plan_.argument(of), "int", of);
    if (kind == "value") return uniform(std::stoi(of));
    for (std::size_t id = 0; id < kernel_.axes.size(); ++id) {
      const ir::Axis& tiled = kernel_.axes[id];
      const bool open = std::find(open_loops_.begin(), open_loops_.end(),
                                  static_cast<ir::AxisId>(id)) != open_loops_.end();
      if (tiled.dim != of || tiled.follows >= 0 || (tiled.kind != ir::Axis::Kind::grid && !open))
        continue;
      const std::string start = block_start(static_cast<ir::AxisId>(id));
      if (open)
        return kind == "first" ? "(" + start + ")"
                               : "min(" + start + " + " + std::to_string(tiled.tile - 1) + ", " +
                                     extent(of) + " - 1)";
      if (kind == "first") return once("first " + of, of + "_first", "int", start);
      return once(
          "last " + of, of + "_last", "int",
          "min(" + start + " + " + std::to_string(tiled.tile - 1) + ", " + extent(of) + " - 1)");
    }
    return symbol;
  });
  if (text.find("floor_div(") != std::string::npos) prelude_.use("floor_div");
  if (text.find("floor_mod(") != std::string::npos) prelude_.use("floor_mod");
  return text;
}

Emitter::Bounds Emitter::bounds(const ir::Operation& loop) {
  const ir::Axis& tiled = axis(loop.axis);
  const std::string width = std::to_string(tiled.tile), end = extent(tiled.dim),
                    &block = plan_.variable(tiled.block);
  const auto named = [&](const std::string& wish, const std::string& value) {
    const std::string name = plan_.fresh(tiled.dim + "_" + wish);
    out_.line("const int " + name + " = " + value + ";");
    return name;
  };
  const ir::IntExpr last_tile =
      floor_div(ir::extent_expression(tiled.dim) - ir::IntExpr(1), ir::IntExpr(tiled.tile));
  const ir::Domain whole{.visited = {{ir::IntExpr(0), last_tile}}, .width = tiled.tile};
  const ir::Domain& domain =
      loop.domain.has_value() && !loop.domain->visited.empty() ? *loop.domain : whole;

  // The condition on tile `n`.
  const auto holds = [&](const ir::TileInterval& interval, const std::string& n) {
    const std::string own = "block(" + tiled.dim + ")";
    std::string text = domain_text(interval.condition);
    for (std::size_t at = text.find(own); at != std::string::npos; at = text.find(own, at))
      text.replace(at, own.size(), n);
    return text + " >= 0";
  };

  Bounds range;
  const bool cut = mentions_cut(*loop.regions[1]);
  if (domain.visited.size() == 1 && !domain.visited[0].has_condition()) {
    range.first = domain.visited[0].first == ir::IntExpr(0)
                      ? "0"
                      : named("first", domain_text(domain.visited[0].first));
    const bool plain = domain.visited[0].last == last_tile;
    range.last = named(
        "last", plain ? "(" + end + " + " + std::to_string(tiled.tile - 1) + ") / " + width + " - 1"
                      : domain_text(domain.visited[0].last));
  } else {
    range.next = plan_.fresh("next_" + tiled.dim);
    range.last = named("end", "1 << 30");
    std::string text = range.last;
    out_.open("const auto " + range.next + " = [&](int n) {", "the first visited tile after n");
    out_.line("int to = " + range.last + ";");
    for (const auto& interval : domain.visited) {
      if (!interval.has_condition()) {
        out_.line("if (const int first = max(n + 1, " + domain_text(interval.first) +
                  "); first <= " + domain_text(interval.last) + ") to = min(to, first);");
        continue;
      }
      const std::string from = interval.first == ir::IntExpr(0)
                                   ? "n + 1"
                                   : "max(n + 1, " + domain_text(interval.first) + ")";
      out_.line("for (int at = " + from + "; at <= min(to - 1, " + domain_text(interval.last) +
                "); ++at)");
      out_.line("  if (" + holds(interval, "at") + ") to = at;");
    }
    out_.line("return to;");
    out_.close("};");
  }
  if (!cut) return range;
  const auto bound = ir::bound_extent(kernel_, tiled.dim);
  const bool ragged = !bound || *bound % tiled.tile != 0;
  const std::string whole_tiles = end + " / " + width;
  const bool threshold =
      range.next.empty() &&
      (domain.hidden_in_loop.empty() ||
       (domain.hidden_in_loop.size() == 1 && !domain.hidden_in_loop[0].has_condition() &&
        (domain.hidden_in_loop[0].last == last_tile ||
         domain.hidden_in_loop[0].last == domain.visited[0].last)));
  if (threshold) {
    std::string from =
        domain.hidden_in_loop.empty() ? whole_tiles : domain_text(domain.hidden_in_loop[0].first);
    if (!domain.hidden_in_loop.empty() && ragged) from = "min(" + from + ", " + whole_tiles + ")";
    range.cut = block + " >= " + named("cut", from);
    return range;
  }
  std::vector<std::string> tests;
  if (ragged) tests.push_back(block + " >= " + whole_tiles);
  for (const auto& interval : domain.hidden_in_loop)
    tests.push_back(block + " >= " + domain_text(interval.first) + " && " + block +
                    " <= " + domain_text(interval.last) +
                    (interval.has_condition() ? " && " + holds(interval, block) : ""));
  for (const std::string& test : tests)
    range.cut +=
        (range.cut.empty() ? "" : " || ") +
        (tests.size() > 1 && test.find("&&") != std::string::npos ? "(" + test + ")" : test);
  if (range.cut.empty()) range.cut = "false";
  return range;
}

int Emitter::stage_bytes(ValueId buffer) const {
  const ir::Place& place = kernel_.values[static_cast<std::size_t>(buffer)].place;
  return place.bytes / place.stages;
}

/// How far the stage that `number` counts, in units of `unit` bytes, lies from the first.
std::string Emitter::at_stage(ValueId buffer, const std::string& number, int unit) const {
  const int bytes = stage_bytes(buffer) / unit;
  return bytes == 1 ? number : number + " * " + std::to_string(bytes);
}

/// The pointers that the ring's copies start from, in front of the loop.
void Emitter::ring_bases(const Ring& ring) {
  for (const ir::Operation* operation : ring.copies) {
    const std::string base = tensor_base(*operation), &name = plan_.argument(operation->name);
    if (base == name) continue;
    base_[operation] = plan_.fresh(name + "_from");
    out_.line("const auto* " + base_[operation] + " = " + base + ";");
  }
}

/// All threads have left the tile before this one: its buffers take a later tile.
void Emitter::ring_copies(const ir::Operation& loop, const Ring& ring, const Bounds& range) {
  const std::string& block = plan_.variable(axis(loop.axis).block);
  const int ahead = ring.stages - 1;
  const std::string next = plan_.fresh("next"), slot = plan_.fresh("slot");
  const std::string free = ring.stages == 2
                               ? ring.stage + " ^ " + std::to_string(ring.unit)
                               : "(" + ring.stage + " + " + std::to_string(ahead * ring.unit) +
                                     ") % " + std::to_string(ring.stages * ring.unit);
  const std::string& counter = range.at.empty() ? block : range.at;
  if (!range.at.empty()) {
    out_.open("if (const int " + next + " = tile_of(" + range.entries + "[" +
              std::to_string(ahead) + "]), " + slot + " = " + free + "; " + range.at + " + " +
              std::to_string(ahead) + " < " + range.last + ") {");
  } else if (range.next.empty()) {
    out_.open("if (const int " + next + " = " + block + " + " + std::to_string(ahead) + ", " +
              slot + " = " + free + "; " + next + " <= " + range.last + ") {");
  } else {
    out_.line(ring.ahead + " = " + range.next + "(" + ring.ahead + ");");
    out_.open("if (const int " + next + " = " + ring.ahead + ", " + slot + " = " + free + "; " +
              next + " < " + range.last + ") {");
  }
  moving_axis_ = loop.axis;
  for (const ir::Operation* operation : ring.copies)
    copy(*operation, next, at_stage(operation->operands[0], slot, ring.unit));
  moving_axis_ = -1;
  out_.close();
  if (kernel_.aligned) {
    prelude_.use("commit_copies");
    out_.line("commit_copies();");
  }
  const std::string filling = ahead == 1 ? "the round before the first tile only copies"
                                         : "the rounds before the first tile only copy";
  const std::string early = "if (" + counter + " < " + range.first + ")";
  if (ring.kept.empty()) {
    out_.line(early + " continue;", filling);
    return;
  }
  out_.open(early + " {", filling);
  if (ahead > 1)  // what was copied in front of the loop has arrived by the last of them
    out_.line("if (" + counter + " < " + (range.first == "0" ? "-1" : range.first + " - 1") +
              ") continue;");
  for (const ir::Operation* dot : ring.kept) keep_operand(*dot);
  out_.line("continue;");
  out_.close();
}

void Emitter::loop_body(const ir::Operation& loop, const Ring& ring, const Bounds& range) {
  const ir::Region& body = *loop.regions[1];
  const std::string& block = plan_.variable(axis(loop.axis).block);
  const auto begin_tile = [&] {
    if (!range.cut.empty())
      out_.line("const bool cut = " + range.cut + ";", "this tile may hold hidden elements");
  };
  if (!range.at.empty()) next_entry(loop, range, ring.stages);
  if (ring.stages < 2) begin_tile();
  bool started = ring.stages < 2;
  std::vector<const ir::Operation*> early;  // stands before the ring's barrier: of this tile alone
  const ir::Operation* last_copy = nullptr;
  for (const auto& operation : body.operations)
    if (operation->op == Op::copy_async) last_copy = operation.get();
  for (const auto& operation : body.operations) {
    if (operation->op == Op::yield) continue;
    if (operation->op == Op::copy_async) {
      if (ring.stages > 1) continue;  // the ring's
      copy(*operation, block, "");
      if (operation.get() == last_copy && kernel_.aligned) {
        prelude_.use("commit_copies");
        out_.line("commit_copies();");
      }
      continue;
    }
    if (!started && operation->op != Op::wait && operation->op != Op::barrier) {
      early.push_back(operation.get());
      continue;
    }
    statement(*operation);
    if (operation->op != Op::barrier || !operation->name.empty() || started) continue;
    started = true;
    ring_copies(loop, ring, range);
    begin_tile();
    for (const ir::Operation* waiting : early) statement(*waiting);
  }
  yield(loop);
}

void Emitter::for_blocks(const ir::Operation& loop) {
  const ir::Region& body = *loop.regions[1];
  const ir::Axis& tiled = axis(loop.axis);
  const std::string& block = plan_.variable(tiled.block);
  Ring ring;
  for (const auto& operation : body.operations)
    if (operation->op == Op::copy_async && operation->stage_ahead > 0) {
      ring.copies.push_back(operation.get());
      ring.stages = operation->stage_ahead + 1;
    }
  std::set<ValueId> kept;
  for (const auto& operation : body.operations)
    if (operation->op == Op::dot &&
        kernel_.values[static_cast<std::size_t>(operation->operands[0])].place.kind ==
            ir::Place::Kind::operand_a &&
        kept.insert(operation->operands[0]).second)
      ring.kept.push_back(operation.get());
  out_.line();
  out_.line("// " + remark(loop) + "for_blocks(" + tiled.dim + "): tiles of " +
            std::to_string(tiled.tile) +
            (loop.follows_list() ? ", as " + loop.name + " lists" : ""));
  Bounds range = loop.follows_list() ? list_bounds(loop) : bounds(loop);
  if (loop.follows_list() && !mentions_cut(body)) range.cut.clear();
  const std::string& counter = range.at.empty() ? block : range.at;
  declare_carried(loop, 0);
  if (loop.follows_list()) declare_entries(loop, range, ring.stages);

  // for (int block = first - 1, stage = 0; block <= last; ++block, stage ^= 1)
  const int early = ring.stages - 1;
  std::string start = range.first, further = "++" + counter;
  if (early > 0)
    start =
        range.first == "0" ? std::to_string(-early) : range.first + " - " + std::to_string(early);
  if (!range.next.empty()) {
    start = early > 0 ? std::to_string(-early) : range.next + "(-1)";
    further = block + " = " + (early > 1 ? block + " < -1 ? " + block + " + 1 : " : "") +
              range.next + "(" + block + ")";
  }
  std::string counters = "int " + counter + " = " + start;
  if (early > 0) {
    // Buffers of one size are numbered by their distance in bytes.
    ring.stage = plan_.fresh("stage");
    std::set<int> sizes;
    for (const ir::Operation* operation : ring.copies)
      sizes.insert(stage_bytes(operation->operands[0]));
    if (sizes.size() == 1) ring.unit = *sizes.begin();
    for (const ir::Operation* operation : ring.copies)
      stage_of_[operation->operands[0]] = at_stage(operation->operands[0], ring.stage, ring.unit);
    for (const ir::Operation* dot : ring.kept) declare_kept(*dot);
    ring_bases(ring);
    counters += ", " + ring.stage + " = 0";
    if (!range.next.empty()) {
      ring.ahead = plan_.fresh("ahead");
      counters += ", " + ring.ahead + " = -1";
    }
    const std::string one = std::to_string(ring.unit);
    further += early == 1 ? ", " + ring.stage + " ^= " + one
                          : ", " + ring.stage + " = " + ring.stage + " + " + one +
                                " == " + std::to_string(ring.stages * ring.unit) +
                                " ? 0 : " + ring.stage + " + " + one;
  }
  const bool outer_cut = in_cut_code_;
  in_cut_code_ = !range.cut.empty();
  const bool past_last = !range.next.empty() || !range.at.empty();
  out_.open("for (" + counters + "; " + counter + (past_last ? " < " : " <= ") + range.last + "; " +
            further + ") {");
  open_loops_.push_back(loop.axis);
  loop_body(loop, ring, range);
  open_loops_.pop_back();
  out_.close();
  in_cut_code_ = outer_cut;
  for (const ir::Operation* operation : ring.copies) stage_of_.erase(operation->operands[0]);
}

void Emitter::for_range(const ir::Operation& loop) {
  const ir::Region& body = *loop.regions[0];
  const std::string counter = plan_.variable(body.arguments[0]);
  declare_carried(loop, 1);
  out_.open("for (int " + counter + " = 0; " + counter + " < " + uniform(loop.operands[0]) +
                "; ++" + counter + ") {",
            remark(loop) + "for_range");
  for (const auto& operation : body.operations) {
    if (operation->op == Op::yield) continue;
    statement(*operation);
  }
  yield(loop);
  out_.close();
}

/// The values it merges are variables of their own: set before, and again at the end of the body.
void Emitter::when(const ir::Operation& branch) {
  const ir::Region& body = *branch.regions[0];
  const ValueId condition = branch.operands[0];
  for (std::size_t i = 0; i < branch.results.size(); ++i) {
    const ValueId merged = branch.results[i];
    copy_value(plan_.variable(merged), merged, branch.operands[i + 1], declaration(merged, ";  "));
  }
  if (!plan_.is_variable(condition)) reductions_of(condition, row_at("0"));
  out_.open("if (" + uniform(condition) + ") {", remark(branch) + "when");
  local_.clear();
  region(body);
  write_sunk();
  const ir::Operation& end = *body.operations.back();
  for (std::size_t i = 0; i < branch.results.size(); ++i)
    copy_value(plan_.variable(branch.results[i]), branch.results[i], end.operands[i]);
  out_.close();
}

}  // namespace tilewright::emit
