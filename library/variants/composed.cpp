// See composed.hpp.
#include "variants/composed.hpp"

#include <algorithm>
#include <tilewright/compile.hpp>
#include <tilewright/error.hpp>

#include "attention/block_checks.hpp"
#include "attention/kernel.hpp"
#include "variants/compressed.hpp"
#include "variants/errors.hpp"
#include "variants/gathered.hpp"
#include "variants/global_rows.hpp"
#include "variants/joined.hpp"
#include "variants/listed.hpp"
#include "variants/positions.hpp"
#include "variants/run_plan.hpp"
#include "variants/strided.hpp"

namespace tilewright::library {
namespace {

/// What is compiled: rows and keys as they are numbered, by residue, the tiles of a list, or keys
/// that are gathered.
struct Built {
  AttentionParts parts;
  Tables tables;
  std::optional<Regrouping> regrouping = {};
  std::optional<SinusoidalLayout> positions = {};
  std::optional<TokenGraph> graph = {};
  std::optional<GlobalPart> global = {};
};

class Composed : public Variant {
 public:
  Composed(std::string name, std::vector<std::shared_ptr<const Recipe>> recipes)
      : name_(std::move(name)), recipes_(std::move(recipes)) {}

  void visit_kernels(const Request& request, const KernelVisitor& visit) const override {
    Joined all = joined(recipes_, request);
    if (all.compressed) return visit_compressed(all, request, visit);
    const Built made = built(std::move(all), request, "sm_80");
    if (made.parts.block_q != 0)
      visit(block_list_kernel(made.parts.mask), block_list_request(made.parts));
    visit(kernel_of(made.parts, request.shape), compiled_for(request));
    if (made.global) visit(kernel_of(made.global->parts, request.shape), compiled_for(request));
  }

  RunResult run(const Request& request, const std::string& where,
                const Inputs& inputs) const override {
    const AttentionShape& shape = request.shape;
    Joined asked = joined(recipes_, request);
    if (asked.compressed) return run_compressed(asked, request, where, inputs);
    const Device device = Device::open(where);
    const Built made = built(std::move(asked), request, device.architecture());
    const Plan plan = compile(device, *kernel_of(made.parts, shape), compiled_for(request));
    MoreArguments more{arguments_of(made.parts.trees()), made.tables};
    std::optional<MadeList> list;
    if (made.regrouping) {
      std::erase_if(more.arguments, [&](const ScoreTree& one) { return is_of_range(one->name); });
      more.launches = [&](const std::vector<Binding>& all) {
        return regrouped_launches(*made.regrouping, all);
      };
    } else if (made.parts.block_q != 0) {
      list.emplace(device, made.parts, extents_of(shape));
      more.before = [&](const Stream& stream, std::vector<Binding>& all) {
        list->make(stream, all);
      };
    }
    std::optional<TokenGraphMemory> graph;
    if (made.graph) {
      graph.emplace(device, *made.graph);
      more.before = [&](const Stream&, std::vector<Binding>& all) {
        bind(graph->tensors(shape.batch, shape.heads), all);
      };
    }
    std::optional<GlobalLaunch> global;
    if (made.global) {
      std::erase_if(more.arguments,
                    [&](const ScoreTree& one) { return is_of_row_range(one->name); });
      more.launches = [&](const std::vector<Binding>& all) {
        std::vector<std::vector<Binding>> rest;
        if (made.global->rest.count > 0)
          rest.push_back(of_rows(made.parts, made.global->rest, all));
        return rest;
      };
      global.emplace(compile(device, *kernel_of(made.global->parts, shape),
                             compiled_for(request, &plan.program())),
                     *made.global, shape);
      more.after = [&](const Stream& stream, const std::vector<Binding>& all) {
        global->launch(stream, all);
      };
    }
    std::optional<AddedPositions> positions;
    if (made.positions) {
      positions.emplace(device, shape, *made.positions);
      more.before = [&, list_first = more.before](const Stream& stream, std::vector<Binding>& all) {
        if (list_first) list_first(stream, all);
        positions->add(stream, all);
      };
    }
    RunResult result = run_plan(plan, request, inputs, more);
    const auto& tile = plan.program().aligned.schedule.tile;
    result.tile_q = tile.at("q");
    result.tile_kv = made.graph ? made.parts.graph_kv : tile.at("kv");
    result.is_gathered = made.graph.has_value();
    if (made.regrouping) {
      result.stride = made.regrouping->stride;
      result.row_stride = made.regrouping->row_stride;
    }
    result.blocks = list ? list->counts() : counted(made, plan.program(), shape);
    if (global) {
      const BlockCounts own = count_rows(global->plan().program(), made.global->parts,
                                         made.global->range, made.tables, shape);
      result.blocks.skipped += own.skipped;
      result.blocks.full += own.full;
      result.blocks.cut += own.cut;
    }
    return result;
  }

  std::string dump(const Request& request, const std::string& arch, Stage stage) const override {
    std::vector<Program> programs;
    visit_kernels(request, [&](const auto& kernel, const CompileRequest& how) {
      programs.push_back(make_program(*kernel, arch, how));
    });
    return dump_programs(programs, name_, arch, stage);
  }

  std::optional<Tiling> tiling(const Request& request, const std::string& arch) const override {
    const AttentionShape& s = request.shape;
    Joined all = joined(recipes_, request);
    if (all.compressed) return compressed_tiling(all, request);
    const Built made = built(std::move(all), request, arch);
    if (made.graph) return tiling_of(*made.graph);
    const auto program = std::make_shared<const Program>(
        make_program(*kernel_of(made.parts, s), arch, compiled_for(request)));
    const auto& tile = program->aligned.schedule.tile;
    Tiling tiling{tile.at("q"), tile.at("kv"), {}};
    if (made.global) {
      const auto own = std::make_shared<const Program>(make_program(
          *kernel_of(made.global->parts, s), arch, compiled_for(request, program.get())));
      add_row_parts(tiling, *made.global, own, made.parts, program, made.tables, s);
    } else if (made.regrouping) {
      add_regrouped(tiling, program, *made.regrouping, made.tables, s);
    } else if (made.parts.block_q != 0) {
      tiling.classes = [=, mask = made.parts.mask, tables = made.tables](auto b, auto h) {
        return listed_classes(mask, tables, s, tile.at("q"), tile.at("kv"), b, h);
      };
    } else {
      tiling.classes = [=, mask = made.parts.mask, tables = made.tables](auto b, auto h) {
        return tile_classes(*program, mask, kernel_extents(s), {}, tables,
                            {{"batch", b}, {"q_head", h}});
      };
    }
    return tiling;
  }

  Formula formula(const Request& request) const override {
    return formula_of(joined(recipes_, request), request.shape);
  }

 private:
  Built built(Joined all, const Request& request, const std::string& arch) const {
    Built plain{all.parts(), std::move(all.tables), {}, all.positions};
    const BlockListRequest tile = listed_tile(request);
    if (all.graph) {
      plain.parts.graph_q = tile.block_q;
      plain.parts.graph_kv = tile.block_kv;
      plain.graph = graph_of(*all.graph, plain.parts, request.shape);
      return plain;
    }
    if (all.global) {
      plain.global = global_part(all.global_parts(), std::move(*all.global), request.shape);
      plain.parts = over_rows(std::move(plain.parts), "local");
      return plain;
    }
    Built listed = plain;
    if (all.by_list || (all.has_loose_bounds && !all.rope)) {
      listed.parts.block_q = tile.block_q;
      listed.parts.block_kv = tile.block_kv;
    }
    if (all.by_list || !request.options.contains(regroup_option)) return listed;
    const std::size_t how = Problem(request).choice(regroup_option, {"auto", "on", "off"});
    if (how == 2) return listed;
    Built grouped{{}, plain.tables, regrouping_of(plain.parts), plain.positions};
    if (!grouped.regrouping) return listed;
    grouped.parts = grouped.regrouping->parts;
    if (how == 1) return grouped;
    const auto visited = [&](const Built& one) {
      const Program program =
          make_program(*kernel_of(one.parts, request.shape), arch, compiled_for(request));
      const BlockCounts counts = counted(one, program, request.shape);
      return counts.full + counts.cut;
    };
    return visited(grouped) < visited(plain) ? grouped : listed;
  }

  static BlockCounts counted(const Built& made, const Program& program, const AttentionShape& s) {
    if (made.global) return count_rows(program, made.parts, made.global->rest, made.tables, s);
    if (made.graph) return count_gathered(*made.graph, s);
    if (made.regrouping)
      return count_regrouped(program, *made.regrouping, extents_of(s), s.head_dim, s.value_dim,
                             made.tables)
          .value();
    return count_blocks(program, made.parts.mask, kernel_extents(s), {}, made.tables).value();
  }

  std::unique_ptr<KernelSource> kernel_of(const AttentionParts& parts,
                                          const AttentionShape& shape) const {
    if (auto kernel = attention_kernel(parts, shape.dtype)) return kernel;
    throw Error(errors::variants["variant-type-unsupported"],
                name_ + " has no kernel for this element type",
                {"--dtype", std::string(tilewright::name(shape.dtype)), attention_dtypes, ""});
  }

  /// `like`: with the tiles of that program.
  static CompileRequest compiled_for(const Request& request, const Program* like = nullptr) {
    CompileRequest made =
        compile_request(request, {{"d", request.shape.head_dim}, {"e", request.shape.value_dim}});
    if (like != nullptr)
      for (const char* dim : {"q", "kv"})
        made.schedule.tile[dim] = like->aligned.schedule.tile.at(dim);
    return made;
  }

  std::string name_;
  std::vector<std::shared_ptr<const Recipe>> recipes_;
};

}  // namespace

std::unique_ptr<Variant> make_composed(std::string name,
                                       std::vector<std::shared_ptr<const Recipe>> recipes) {
  return std::make_unique<Composed>(std::move(name), std::move(recipes));
}

}  // namespace tilewright::library
