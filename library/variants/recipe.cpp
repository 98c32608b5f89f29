// Recipes as variants (recipe.hpp): compositions are joined, compiled by the kernel of the builder
// (attention/kernel.hpp) and launched; the plain formulas become the reference's.
#include "variants/recipe.hpp"

#include <algorithm>
#include <tilewright/compile.hpp>
#include <tilewright/error.hpp>
#include <tilewright/library/documents.hpp>

#include "attention/kernel.hpp"
#include "attention/regroup.hpp"
#include "variants/errors.hpp"
#include "variants/regrouped_tiling.hpp"
#include "variants/run_plan.hpp"

namespace tilewright::library {
namespace {

/// Several compositions as one; the plain formulas stay apart.
struct Joined {
  Mask mask;
  ScoreMod score_mod;
  Tables tables;
  std::vector<float> sinks;
  std::vector<Visible> visible;
  std::vector<Scored> scored;
  std::vector<std::int32_t> cu_seqlens_q, cu_seqlens_k;
  bool causal = false;

  AttentionParts parts() const { return {mask, score_mod, !sinks.empty()}; }
};

class Composed : public Variant {
 public:
  Composed(std::string name, std::vector<std::shared_ptr<const Recipe>> recipes)
      : name_(std::move(name)), recipes_(std::move(recipes)) {}

  void visit_kernels(const Request& request, const KernelVisitor& visit) const override {
    visit(kernel_of(built(request, "sm_80").parts, request.shape), compiled_for(request));
  }

  RunResult run(const Request& request, const std::string& where,
                const Inputs& inputs) const override {
    const Device device = Device::open(where);
    const Built made = built(request, device.architecture());
    const Plan plan = compile(device, *kernel_of(made.parts, request.shape), compiled_for(request));
    MoreArguments more{arguments_of(made.parts.trees()), made.tables};
    if (made.regrouping) {
      std::erase_if(more.arguments, [&](const ScoreTree& one) { return is_of_range(one->name); });
      more.launches = [&](const std::vector<Binding>& all) {
        return regrouped_launches(*made.regrouping, all);
      };
    }
    RunResult result = run_plan(plan, request, inputs, more);
    const auto& tile = plan.program().aligned.schedule.tile;
    result.tile_q = tile.at("q");
    result.tile_kv = tile.at("kv");
    if (made.regrouping) result.stride = made.regrouping->stride;
    result.blocks = counted(made, plan.program(), request.shape);
    return result;
  }

  std::string dump(const Request& request, const std::string& arch, Stage stage) const override {
    std::vector<Program> programs;
    programs.push_back(make_program(*kernel_of(built(request, arch).parts, request.shape), arch,
                                    compiled_for(request)));
    return dump_programs(programs, name_, arch, stage);
  }

  std::optional<Tiling> tiling(const Request& request, const std::string& arch) const override {
    const Built made = built(request, arch);
    const auto program = std::make_shared<const Program>(
        make_program(*kernel_of(made.parts, request.shape), arch, compiled_for(request)));
    if (made.regrouping)
      return regrouped_tiling(program, *made.regrouping, made.tables, request.shape);
    const auto& tile = program->aligned.schedule.tile;
    const auto classes = [=, mask = made.parts.mask, tables = made.tables,
                          extents = kernel_extents(request.shape)](std::int64_t b, std::int64_t h) {
      return tile_classes(*program, mask, extents, {}, tables, b, h);
    };
    return Tiling{tile.at("q"), tile.at("kv"), classes};
  }

  Formula formula(const Request& request) const override {
    const Joined all = joined(request);
    std::vector<Visible> seen = all.visible;
    if (all.causal) {
      const bool top_left = request.shape.causal_alignment == CausalAlignment::top_left;
      seen.push_back([=](const Pair& at) { return at.k <= (top_left ? at.q : at.p); });
    }
    const auto shifts = packed_rows(all, request.shape);
    if (!all.cu_seqlens_q.empty())
      seen.push_back([shifts](const Pair& at) {
        const Row& row = shifts[static_cast<std::size_t>(at.q)];
        return row.first <= at.k && at.k < row.end;
      });
    Formula formula;
    if (!seen.empty())
      formula.visible = [seen, shifts](std::int64_t b, std::int64_t h, std::int64_t q,
                                       std::span<std::uint8_t> visible) {
        for (std::size_t k = 0; k < visible.size(); ++k) {
          const Pair at = pair(b, h, q, k, shifts);
          for (const Visible& one : seen) visible[k] = visible[k] != 0 && one(at);
        }
      };
    if (!all.scored.empty())
      formula.scored = [changes = all.scored, shifts](
                           std::int64_t b, std::int64_t h, std::int64_t q,
                           std::span<const std::uint8_t> visible, std::span<double> scores) {
        for (std::size_t k = 0; k < visible.size(); ++k) {
          if (visible[k] == 0) continue;
          const Pair at = pair(b, h, q, k, shifts);
          for (const Scored& one : changes) scores[k] = one(scores[k], at);
        }
      };
    formula.sinks.assign(all.sinks.begin(), all.sinks.end());
    return formula;
  }

 private:
  /// Where a row stands: row q at key q + shift, and the keys of its sequence.
  struct Row {
    std::int64_t shift = 0, first = 0, end = 0;
  };

  static Pair pair(std::int64_t b, std::int64_t h, std::int64_t q, std::size_t k,
                   const std::vector<Row>& rows) {
    return {b, h, q, static_cast<std::int64_t>(k), q + rows[static_cast<std::size_t>(q)].shift};
  }

  static std::vector<Row> packed_rows(const Joined& all, const AttentionShape& s) {
    const auto rows = static_cast<std::size_t>(s.seqlen_q);
    if (all.cu_seqlens_q.empty())
      return std::vector<Row>(rows, {s.seqlen_kv - s.seqlen_q, 0, s.seqlen_kv});
    std::vector<Row> packed;
    for (std::size_t i = 1; i < all.cu_seqlens_q.size(); ++i) {
      const std::int64_t first = all.cu_seqlens_k[i - 1], end = all.cu_seqlens_k[i];
      packed.resize(static_cast<std::size_t>(all.cu_seqlens_q[i]),
                    {end - all.cu_seqlens_q[i], first, end});
    }
    return packed;
  }

  Joined joined(const Request& request) const {
    const Problem problem(request);
    std::vector<Composition> parts;
    for (const auto& recipe : recipes_) parts.push_back(recipe->compose(problem));
    std::stable_sort(parts.begin(), parts.end(),
                     [](const auto& a, const auto& b) { return a.order < b.order; });
    Joined all;
    all.causal = request.shape.causal;
    for (Composition& part : parts) {
      all.mask = all.mask && part.mask;
      all.score_mod = all.score_mod.tree() ? all.score_mod | part.score_mod : part.score_mod;
      all.tables.merge(part.tables);
      if (!part.sinks.empty()) all.sinks = part.sinks;
      if (part.visible) all.visible.push_back(part.visible);
      if (part.scored) all.scored.push_back(part.scored);
      if (part.cu_seqlens_q.empty()) continue;
      all.cu_seqlens_q = part.cu_seqlens_q;
      all.cu_seqlens_k = part.cu_seqlens_k;
    }
    if (all.causal) all.mask = all.mask && tilewright::causal(request.shape.causal_alignment);
    if (!all.cu_seqlens_q.empty()) {
      const DocumentTables rows = document_tables(all.cu_seqlens_q, all.cu_seqlens_k);
      all.mask = within_documents(all.mask);
      all.score_mod = within_documents(all.score_mod);
      all.tables["document_start"] = host_table(rows.start);
      all.tables["document_end"] = host_table(rows.end);
      all.tables["document_shift"] = host_table(rows.shift);
    }
    if (!all.sinks.empty())
      all.tables[sinks_table] = {{request.shape.heads}, {all.sinks.begin(), all.sinks.end()}};
    return all;
  }

  /// What is compiled: rows and keys in their own order, or by residue.
  struct Built {
    AttentionParts parts;
    Tables tables;
    std::optional<Regrouping> regrouping;
  };

  Built built(const Request& request, const std::string& arch) const {
    Joined all = joined(request);
    Built plain{all.parts(), std::move(all.tables), std::nullopt};
    if (!request.options.contains(regroup_option)) return plain;
    const std::size_t how = Problem(request).choice(regroup_option, {"auto", "on", "off"});
    if (how == 2) return plain;
    Built grouped{{}, plain.tables, regrouping_of(plain.parts)};
    if (!grouped.regrouping) return plain;
    grouped.parts = grouped.regrouping->parts;
    if (how == 1) return grouped;
    const auto visited = [&](const Built& one) {
      const Program program =
          make_program(*kernel_of(one.parts, request.shape), arch, compiled_for(request));
      const BlockCounts counts = counted(one, program, request.shape);
      return counts.full + counts.cut;
    };
    return visited(grouped) < visited(plain) ? grouped : plain;
  }

  static BlockCounts counted(const Built& made, const Program& program, const AttentionShape& s) {
    if (!made.regrouping)
      return count_blocks(program, made.parts.mask, kernel_extents(s), {}, made.tables).value();
    BlockCounts sum;
    for (const ResidueRange& range : residue_ranges(*made.regrouping, s.seqlen_q, s.seqlen_kv)) {
      const BlockCounts one = count_blocks(program, made.parts.mask,
                                           range.extents(extents_of(s), s.head_dim, s.value_dim),
                                           range.numbers(s.seqlen_q, s.seqlen_kv), made.tables)
                                  .value();
      sum.skipped += one.skipped, sum.full += one.full, sum.cut += one.cut;
    }
    return sum;
  }

  std::unique_ptr<KernelSource> kernel_of(const AttentionParts& parts,
                                          const AttentionShape& shape) const {
    if (auto kernel = attention_kernel(parts, shape.dtype)) return kernel;
    throw Error(errors::variants["variant-type-unsupported"],
                name_ + " has no kernel for this element type",
                {"--dtype", std::string(tilewright::name(shape.dtype)), attention_dtypes, ""});
  }

  static CompileRequest compiled_for(const Request& request) {
    return compile_request(request,
                           {{"d", request.shape.head_dim}, {"e", request.shape.value_dim}});
  }

  std::string name_;
  std::vector<std::shared_ptr<const Recipe>> recipes_;
};

}  // namespace

VariantEntry variant(Recipe recipe) {
  VariantEntry entry{.name = {},
                     .origin = recipe.origin,
                     .summary = recipe.summary,
                     .mask = recipe.mask,
                     .options = recipe.options,
                     .cases = recipe.cases};
  entry.recipe = std::make_shared<const Recipe>(std::move(recipe));
  return entry;
}

VariantEntry composed(const std::vector<const VariantEntry*>& parts) {
  VariantEntry whole;
  std::vector<std::shared_ptr<const Recipe>> recipes;
  const auto add = [](std::string& text, const std::string& more, const char* between) {
    text += (text.empty() || more.empty() ? "" : between) + more;
  };
  for (const VariantEntry* part : parts) {
    add(whole.name, part->name, "+");
    add(whole.origin, part->origin, "; ");
    add(whole.summary, part->summary, "; ");
    add(whole.mask, part->mask, " and ");
    for (const OptionHelp& option : part->options) {
      const auto same = [&](const OptionHelp& known) { return known.name == option.name; };
      if (std::none_of(whole.options.begin(), whole.options.end(), same))
        whole.options.push_back(option);
    }
    recipes.push_back(part->recipe);
  }
  for (const auto& recipe : recipes)
    if (recipe->shape)
      whole.shape = [recipe](Request& request) { recipe->shape(Problem(request), request.shape); };
  whole.make = [name = whole.name, recipes] { return std::make_unique<Composed>(name, recipes); };
  return whole;
}

}  // namespace tilewright::library
