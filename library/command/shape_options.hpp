// The options every variant has: the problem's shape and the schedule's overrides.
//
// One table serves `--help`, the JSON of `list` and the reading of values, so a default is stated
// once. With `--input` the file gives the extents, and an option that is typed as well must agree.
#pragma once

#include <optional>
#include <vector>

#include "command/arguments.hpp"
#include "variants/variant.hpp"

namespace tilewright::command {

/// What the tensors of an input file say about the problem.
struct FileShape {
  std::string path;
  std::int64_t batch = 0, heads = 0, kv_heads = 0;
  std::int64_t seqlen_q = 0, seqlen_kv = 0, head_dim = 0, value_dim = 0;
  DType dtype = DType::bf16;
};

std::span<const library::OptionHelp> shape_options();
std::span<const library::OptionHelp> schedule_options();

/// The memory layout alone: an input file's extents cannot be named before it is known.
library::Layout layout_of(const Arguments& arguments);

/// Reads and checks the whole shape (see validate.hpp). Throws Error{invalid_argument},
/// Error{shape_mismatch} or Error{unsupported} naming the option.
library::AttentionShape shape_of(const Arguments& arguments,
                                 const std::optional<FileShape>& file = {});

/// Shape, schedule and the variant's own options. Throws as the three functions that read them.
library::Request request_of(const Arguments& arguments, const library::VariantEntry& entry,
                            library::VariantTable table, const std::optional<FileShape>& file = {});

/// Throws Error{invalid_argument} or, for `--schedule FILE`, Error{invalid_file}.
library::ScheduleOverrides schedule_of(const Arguments& arguments);

/// The variant's own options with their defaults. Throws Error{invalid_argument} if an option was
/// given that belongs to other variants of the table only.
std::map<std::string, std::string> own_options_of(const Arguments& arguments,
                                                  const library::VariantEntry& entry,
                                                  library::VariantTable table);

}  // namespace tilewright::command
