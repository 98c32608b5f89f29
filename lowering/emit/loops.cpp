// Loops over tiles: bounds in closed form, the ring of buffers that runs ahead, full tiles and cut
// tiles.
//
// The body is written once, as a function of the tile's number and of whether it is cut; the
// compiler makes two copies of it, and only the cut one holds the mask.
#include <algorithm>

#include "emit/emitter.hpp"

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

Emitter::Bounds Emitter::bounds(const ir::Operation& loop) {
  const ir::Axis& tiled = axis(loop.axis);
  const std::string width = std::to_string(tiled.tile), end = extent(tiled.dim);
  const auto named = [&](const std::string& wish, const std::string& value) {
    const std::string name = plan_.fresh(tiled.dim + "_" + wish);
    out_.line("const int " + name + " = " + value + ";");
    return name;
  };
  const ir::IntExpr last_tile = floor_div(
      ir::IntExpr::symbol("extent(" + tiled.dim + ")") - ir::IntExpr(1), ir::IntExpr(tiled.tile));
  const ir::Domain whole{.visited = {{ir::IntExpr(0), last_tile}}, .width = tiled.tile};
  const ir::Domain& domain =
      loop.domain.has_value() && !loop.domain->visited.empty() ? *loop.domain : whole;

  Bounds range;
  const bool cut = mentions_cut(*loop.regions[1]);
  if (domain.visited.size() == 1) {
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
    for (const auto& interval : domain.visited)
      out_.line("if (const int first = max(n + 1, " + domain_text(interval.first) +
                "); first <= " + domain_text(interval.last) + ") to = min(to, first);");
    out_.line("return to;");
    out_.close("};");
  }
  if (!cut) return range;
  const auto bound = kernel_.bound.find(tiled.dim);
  const bool ragged = bound == kernel_.bound.end() || bound->second % tiled.tile != 0;
  const std::string whole_tiles = end + " / " + width;
  const bool threshold =
      range.next.empty() && (domain.hidden_in_loop.empty() ||
                             (domain.hidden_in_loop.size() == 1 &&
                              (domain.hidden_in_loop[0].last == last_tile ||
                               domain.hidden_in_loop[0].last == domain.visited[0].last)));
  if (threshold) {
    std::string from =
        domain.hidden_in_loop.empty() ? whole_tiles : domain_text(domain.hidden_in_loop[0].first);
    if (!domain.hidden_in_loop.empty() && ragged) from = "min(" + from + ", " + whole_tiles + ")";
    range.cut_from = named("cut", from);
    return range;
  }
  range.is_cut = plan_.fresh("is_cut");
  std::string test = ragged ? "n >= " + whole_tiles : "";
  for (const auto& interval : domain.hidden_in_loop) {
    const std::string one =
        "n >= " + domain_text(interval.first) + " && n <= " + domain_text(interval.last);
    test += test.empty() ? one : " || (" + one + ")";
  }
  out_.line("const auto " + range.is_cut + " = [&](int n) { return " +
            (test.empty() ? "false" : test) + "; };");
  return range;
}

void Emitter::ring_copies(const ir::Operation& loop, const Ring& ring, const std::string& block,
                          const std::string& stage) {
  moving_axis_ = loop.axis;
  for (const ir::Operation* operation : ring.copies)
    if (operation->stage_ahead > 0) copy(*operation, block, stage);
  moving_axis_ = -1;
}

/// The tiles that are under way before the loop starts.
void Emitter::start_ring(const ir::Operation& loop, const Ring& ring, const Bounds& range) {
  if (ring.stages < 2) return;
  prelude_.use("unroll");
  const std::string block = plan_.variable(axis(loop.axis).block), ahead = plan_.fresh("ahead");
  // The copies of later tiles are a function: they are written once and started from two places.
  copy_function_ = plan_.fresh("copy_" + axis(loop.axis).dim);
  for (const ir::Operation* operation : ring.copies) {
    const std::string base = tensor_base(*operation), &name = plan_.argument(operation->name);
    if (base == name) continue;
    base_[operation] = plan_.fresh(name + "_from");
    out_.line("const auto* " + base_[operation] + " = " + base + ";");
  }
  out_.open("const auto " + copy_function_ + " = [&](const int " + block + ", const int to) {");
  ring_copies(loop, ring, block, "to");
  out_.close("};");
  if (kernel_.aligned) prelude_.use("commit_copies");
  const std::string count = std::to_string(ring.stages - 1),
                    commit = kernel_.aligned ? "commit_copies();" : "";
  if (!range.next.empty()) {
    ahead_ = ahead;
    out_.line("int " + ahead + " = " + range.next + "(-1);");
    out_.line("for (int i = 0; i < " + count + "; ++i, " + ahead + " = " + range.next + "(" +
              ahead + ")) {");
    out_.line("  if (" + ahead + " < " + range.last + ") " + copy_function_ + "(" + ahead +
              ", i);");
    if (!commit.empty()) out_.line("  " + commit);
    out_.line("}");
  } else {
    ahead_.clear();
    const std::string tile = range.first == "0" ? "i" : range.first + " + i";
    const std::string start =
        "if (" + tile + " <= " + range.last + ") " + copy_function_ + "(" + tile + ", i);";
    if (ring.stages == 2) {
      const std::string only = range.first;
      out_.line("if (" + only + " <= " + range.last + ") " + copy_function_ + "(" + only + ", 0);");
      if (!commit.empty()) out_.line(commit);
    } else {
      out_.open("for (int i = 0; i < " + count + "; ++i) {");
      out_.line(start);
      if (!commit.empty()) out_.line(commit);
      out_.close();
    }
  }
  out_.line("int " + ring.stage + " = 0;", "the buffers that hold the current tile");
}

void Emitter::loop_body(const ir::Operation& loop, const Ring& ring, const Bounds& range) {
  const ir::Region& body = *loop.regions[1];
  const std::string block = plan_.variable(axis(loop.axis).block);
  const std::string function = copy_function_, ahead = ahead_;
  bool started = ring.stages < 2;
  for (const auto& operation : body.operations) {
    if (operation->op == Op::yield) continue;
    if (operation->op == Op::copy_async && operation->stage_ahead > 0) continue;
    if (operation->op == Op::copy_async) {
      copy(*operation, block, "");
      if (operation.get() == ring.copies.back() && kernel_.aligned) {
        prelude_.use("commit_copies");
        out_.line("commit_copies();");
      }
      continue;
    }
    statement(*operation);
    if (operation->op != Op::barrier || started) continue;
    // All threads have left the tile before this one: its buffers take a later tile.
    started = true;
    const std::string last = std::to_string(ring.stages - 1);
    const std::string slot =
        ring.stages == 2 ? ring.stage + " ^ 1"
                         : "(" + ring.stage + " + " + last + ") % " + std::to_string(ring.stages);
    const std::string tile = ahead.empty() ? block + " + " + last : ahead;
    out_.line("if (" + tile + (ahead.empty() ? " <= " : " < ") + range.last + ") " + function +
              "(" + tile + ", " + slot + ");");
    if (kernel_.aligned) out_.line("commit_copies();");
    if (!ahead.empty()) out_.line(ahead + " = " + range.next + "(" + ahead + ");");
  }
  yield(loop);
  if (ring.stages == 2) out_.line(ring.stage + " ^= 1;");
  if (ring.stages > 2)
    out_.line(ring.stage + " = " + ring.stage + " + 1 == " + std::to_string(ring.stages) +
              " ? 0 : " + ring.stage + " + 1;");
}

void Emitter::for_blocks(const ir::Operation& loop) {
  const ir::Region& body = *loop.regions[1];
  const ir::Axis& tiled = axis(loop.axis);
  const std::string block = plan_.variable(tiled.block), name = plan_.fresh(tiled.dim + "_tile");
  Ring ring;
  for (const auto& operation : body.operations)
    if (operation->op == Op::copy_async) {
      ring.copies.push_back(operation.get());
      ring.stages = std::max(ring.stages, operation->stage_ahead + 1);
    }
  if (ring.stages > 1) {
    ring.stage = plan_.fresh("stage");
    for (const ir::Operation* operation : ring.copies)
      if (operation->stage_ahead > 0) stage_of_[operation->operands[0]] = ring.stage;
  }
  out_.line();
  out_.line("// " + remark(loop) + "for_blocks(" + tiled.dim + "): tiles of " +
            std::to_string(tiled.tile));
  const Bounds range = bounds(loop);
  declare_carried(loop, 0);
  start_ring(loop, ring, range);

  const bool outer_cut = in_cut_code_;
  const auto next = [&](const std::string& n) {
    return range.next.empty() ? "++" + n : n + " = " + range.next + "(" + n + ")";
  };
  const std::string start = range.next.empty() ? range.first : range.next + "(-1)",
                    within = block + (range.next.empty() ? " <= " : " < ") + range.last;
  if (range.cut_from.empty() && range.is_cut.empty()) {
    in_cut_code_ = false;
    out_.open("for (int " + block + " = " + start + "; " + within + "; " + next(block) + ") {");
    loop_body(loop, ring, range);
    out_.close();
  } else {
    in_cut_code_ = true;
    out_.open("const auto " + name + " = [&](const int " + block +
              ", const bool cut) __attribute__((always_inline)) {");
    loop_body(loop, ring, range);
    out_.close("};");
    if (!range.cut_from.empty()) {
      out_.line("int " + block + " = " + start + ";");
      out_.line("for (; " + within + " && " + block + " < " + range.cut_from + "; ++" + block +
                    ") " + name + "(" + block + ", false);",
                "full tiles");
      out_.line("for (; " + within + "; ++" + block + ") " + name + "(" + block + ", true);",
                "cut tiles");
    } else {
      out_.open("for (int " + block + " = " + start + "; " + within + ";) {");
      out_.line("for (; " + within + " && !" + range.is_cut + "(" + block + "); " + next(block) +
                    ") " + name + "(" + block + ", false);",
                "full tiles");
      out_.line("for (; " + within + " && " + range.is_cut + "(" + block + "); " + next(block) +
                    ") " + name + "(" + block + ", true);",
                "cut tiles");
      out_.close();
    }
  }
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

}  // namespace tilewright::emit
