// See shape_options.hpp.
#include "command/shape_options.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <tilewright/error.hpp>

#include "command/errors.hpp"
#include "command/validate.hpp"
#include "formats/file.hpp"

namespace tilewright::command {
namespace {

using library::AttentionShape;
using library::Layout;
using library::OptionHelp;

constexpr std::array<std::string_view, 2> layouts{"bhsd", "bshd"};
constexpr std::array<std::string_view, 2> alignments{"bottom-right", "top-left"};
constexpr std::array<std::string_view, 3> dtypes{"bf16", "f16", "f32"};
constexpr std::array dtype_values{DType::bf16, DType::f16, DType::f32};
constexpr std::array<std::string_view, 2> precisions{"f32", "tf32"};

constexpr std::array shape_table{
    OptionHelp{"--batch", "1", "sequences"},
    OptionHelp{"--heads", "8", "query heads"},
    OptionHelp{"--kv-heads", "heads", "key/value heads; query heads must be a multiple"},
    OptionHelp{"--seqlen-q", "512", "query rows of each sequence"},
    OptionHelp{"--seqlen-kv", "seqlen-q", "keys of each sequence"},
    OptionHelp{"--head-dim", "64", "elements of a query or key, 1 to 256"},
    OptionHelp{"--value-dim", "head-dim", "elements of a value or output row, 1 to 256"},
    OptionHelp{"--dtype", "bf16", "element type of q, k, v and out: bf16, f16, f32", false, "TYPE"},
    OptionHelp{"--dot-precision", "f32",
               "products of f32: f32 (accurate, three TF32 products each), tf32 (one)", false,
               "TYPE"},
    OptionHelp{"--layout", "bhsd", "order of the dimensions in memory: bhsd, bshd", false, "ORDER"},
    OptionHelp{"--softmax-scale", "1/sqrt(head-dim)", "factor of q . k before the exponential",
               false, "X"},
    OptionHelp{"--causal", "false", "a row sees the keys up to its own position only", true},
    OptionHelp{"--causal-alignment", "bottom-right",
               "where the diagonal lies when lengths differ: bottom-right (the last row sees the "
               "last key), top-left",
               false, "CORNER"},
    OptionHelp{"--seed", "0", "seed of what is drawn (Philox): normal numbers, patterns, tables"},
};

constexpr std::array schedule_table{
    OptionHelp{"--tile-q", "", "query rows of a tile, instead of the compiler's choice"},
    OptionHelp{"--tile-kv", "", "keys of a tile, instead of the compiler's choice"},
    OptionHelp{"--stages", "", "copies in flight, instead of the compiler's choice"},
    OptionHelp{"--warps", "", "warps of a thread block, instead of the compiler's choice"},
    OptionHelp{"--schedule", "", "file with a printed schedule to use", false, "FILE"},
};

DType dtype_of(const Arguments& arguments, DType fallback) {
  if (!arguments.given("--dtype")) return fallback;
  return dtype_values[arguments.choice("--dtype", 0, dtypes)];
}

/// The option's extent, or the file's; both must agree where both are there.
class Extents {
 public:
  Extents(const Arguments& arguments, const std::optional<FileShape>& file)
      : arguments_(arguments), file_(file) {}

  std::int64_t operator()(std::string_view option, std::int64_t FileShape::*in_file,
                          std::int64_t fallback, std::int64_t lowest, std::int64_t highest) const {
    if (!file_) return arguments_.integer(option, fallback, lowest, highest);
    const std::int64_t extent = (*file_).*in_file;
    const std::int64_t typed = arguments_.integer(option, extent, lowest, highest);
    if (typed != extent) {
      throw Error(errors::command["option-disagrees-with-input"],
                  std::string(option) + " disagrees with the tensors of " + file_->path,
                  {std::string(option), std::to_string(typed), std::to_string(extent), ""});
    }
    return extent;
  }

 private:
  const Arguments& arguments_;
  const std::optional<FileShape>& file_;
};

}  // namespace

std::span<const OptionHelp> shape_options() { return shape_table; }
std::span<const OptionHelp> schedule_options() { return schedule_table; }

Layout layout_of(const Arguments& arguments) {
  return static_cast<Layout>(arguments.choice("--layout", 0, layouts));
}

AttentionShape shape_of(const Arguments& arguments, const std::optional<FileShape>& file) {
  const Extents extent(arguments, file);
  AttentionShape shape;
  shape.batch = extent("--batch", &FileShape::batch, 1, 0, max_extent);
  shape.heads = extent("--heads", &FileShape::heads, 8, 0, max_extent);
  shape.kv_heads = extent("--kv-heads", &FileShape::kv_heads, shape.heads, 0, max_extent);
  shape.seqlen_q = extent("--seqlen-q", &FileShape::seqlen_q, 512, 0, max_extent);
  shape.seqlen_kv = extent("--seqlen-kv", &FileShape::seqlen_kv, shape.seqlen_q, 0, max_extent);
  shape.head_dim = extent("--head-dim", &FileShape::head_dim, 64, 1, max_head_dim);
  shape.value_dim = extent("--value-dim", &FileShape::value_dim, shape.head_dim, 1, max_head_dim);
  shape.dtype = dtype_of(arguments, file ? file->dtype : DType::bf16);
  if (file && shape.dtype != file->dtype) {
    throw Error(errors::command["option-disagrees-with-input"],
                "--dtype disagrees with the tensors of " + file->path,
                {"--dtype", std::string(name(shape.dtype)), std::string(name(file->dtype)), ""});
  }
  shape.dot_precision =
      static_cast<DotPrecision>(arguments.choice("--dot-precision", 0, precisions));
  shape.layout = layout_of(arguments);
  shape.causal = arguments.flag("--causal");
  shape.causal_alignment =
      static_cast<CausalAlignment>(arguments.choice("--causal-alignment", 0, alignments));
  shape.softmax_scale =
      arguments.real("--softmax-scale", 1 / std::sqrt(static_cast<double>(shape.head_dim)));
  validate(shape);
  return shape;
}

library::Request request_of(const Arguments& arguments, const library::VariantEntry& entry,
                            library::VariantTable table, const std::optional<FileShape>& file) {
  library::Request request{shape_of(arguments, file), schedule_of(arguments),
                           own_options_of(arguments, entry, table), arguments.seed("--seed", 0)};
  if (!entry.shape) return request;
  const AttentionShape asked = request.shape;
  entry.shape(request);
  const auto require = [&](const char* option, std::int64_t AttentionShape::*extent) {
    if ((file || arguments.given(option)) && asked.*extent != request.shape.*extent)
      throw Error(
          errors::command["option-disagrees-with-variant"],
          std::string(option) + " disagrees with the variant's own options",
          {option, std::to_string(asked.*extent), std::to_string(request.shape.*extent), ""});
  };
  require("--seqlen-q", &AttentionShape::seqlen_q);
  require("--seqlen-kv", &AttentionShape::seqlen_kv);
  validate(request.shape);
  return request;
}

library::ScheduleOverrides schedule_of(const Arguments& arguments) {
  const auto optional = [&](std::string_view option, std::int64_t highest) {
    std::optional<std::int64_t> value;
    if (arguments.given(option)) value = arguments.integer(option, 0, 1, highest);
    return value;
  };
  library::ScheduleOverrides schedule;
  schedule.tile_q = optional("--tile-q", 1024);
  schedule.tile_kv = optional("--tile-kv", 1024);
  schedule.stages = optional("--stages", 16);
  schedule.warps = optional("--warps", 32);
  if (arguments.given("--schedule")) {
    constexpr std::uint64_t limit = 1 << 20;
    schedule.text = formats::read_text(arguments.text("--schedule"), "--schedule", limit);
  }
  return schedule;
}

std::map<std::string, std::string> own_options_of(const Arguments& arguments,
                                                  const library::VariantEntry& entry,
                                                  library::VariantTable table) {
  const auto owns = [](const library::VariantEntry& row, std::string_view option) {
    return std::any_of(row.options.begin(), row.options.end(),
                       [&](const OptionHelp& help) { return help.name == option; });
  };
  for (const library::VariantEntry& row : table) {
    for (const OptionHelp& help : row.options) {
      if (!arguments.given(help.name) || owns(entry, help.name)) continue;
      std::string allowed;
      for (const OptionHelp& own : entry.options) allowed += std::string(own.name) + ", ";
      throw Error(errors::command["option-unknown"],
                  "the variant " + entry.name + " has no option of that name",
                  {std::string(help.name), arguments.text(help.name),
                   allowed + "and the shape options", ""});
    }
  }
  std::map<std::string, std::string> own;
  for (const OptionHelp& help : entry.options) {
    own[std::string(help.name)] = arguments.text(help.name, help.default_value);
  }
  return own;
}

}  // namespace tilewright::command
