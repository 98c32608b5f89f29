// The file around the kernel's body: what it is in words, where each statement comes from, the
// verbs it uses, its parameters, and the coordinates of a thread.
#include <algorithm>
#include <cctype>

#include "emit/emitter.hpp"
#include "ir/determinism.hpp"

namespace tilewright::emit {

std::string Emitter::parameter(Parameter::Kind kind, const std::string& name,
                               const std::string& type, const std::string& of, int which) {
  auto [entry, fresh] = parameters_.try_emplace(name, Parameter{kind, name, type, of, which});
  // A tensor that is read and written has one pointer, and it is not const.
  if (!fresh && kind == Parameter::Kind::pointer && !type.starts_with("const"))
    entry->second.type = type;
  return name;
}

/// Which program of the grid this block is. The last dimension runs fastest.
void Emitter::grid() {
  struct Factor {
    ValueId number;
    std::string dim;
    int tile;
  };
  std::vector<Factor> factors;
  for (const std::string& dim : kernel_.grid)
    for (const auto& operation : kernel_.body.operations) {
      if ((operation->op != Op::each && operation->op != Op::block) || operation->name != dim)
        continue;
      int tile = 1;
      for (const ir::Axis& tiled : kernel_.axes)
        if (tiled.block == operation->results[0] && tiled.follows < 0) tile = tiled.tile;
      factors.push_back({operation->results[0], dim, tile});
    }
  std::string program = "blockIdx.x";
  if (factors.size() > 1) {
    top_.line("int program = blockIdx.x;", "the last dimension runs fastest");
    program = "program";
  }
  for (std::size_t i = factors.size(); i-- > 0;) {
    const Factor& factor = factors[i];
    const std::string whole = extent(factor.dim);
    const std::string count = factor.tile == 1
                                  ? whole
                                  : "(" + whole + " + " + std::to_string(factor.tile - 1) + ") / " +
                                        std::to_string(factor.tile);
    const std::string& name = plan_.variable(factor.number);
    if (i == 0) {
      top_.line("const int " + name + " = " + program + ";");
    } else {
      const std::string parts =
          factor.tile == 1 ? count
                           : once("tiles of " + factor.dim, factor.dim + "_blocks", "int", count);
      top_.line("const int " + name + " = program % " + parts + ";  program /= " + parts + ";");
    }
  }
  for (const Factor& factor : factors) result_.grid.push_back({factor.dim, factor.tile});
}

namespace {

/// The file most statements come from is said once; theirs are then bare lines, "35 > 49" for a
/// line of the user's and one of the construct it calls.
std::string source_lines(const std::vector<std::pair<int, Provenance>>& sources) {
  std::map<std::string, int> users, inners;
  const auto file = [](const Where& where) {
    const std::string text = to_string(Provenance{where, {}});
    return text.substr(0, text.rfind(':'));
  };
  for (const auto& [number, where] : sources) {
    ++users[file(where.user)];
    if (where.inner.line != 0) ++inners[file(where.inner)];
  }
  const auto commonest = [](const std::map<std::string, int>& counts) {
    std::string best;
    for (const auto& [name, count] : counts)
      if (best.empty() || count > counts.at(best)) best = name;
    return best;
  };
  const std::string user = commonest(users), inner = commonest(inners);
  std::string text,
      line = "// [n] is line of " + user + (inner.empty() ? "" : " > line of " + inner) + ":";
  for (const auto& [number, where] : sources) {
    const bool plain =
        file(where.user) == user && (where.inner.line == 0 || file(where.inner) == inner);
    std::string one = " [" + std::to_string(number) + "] ";
    if (!plain)
      one += to_string(where);
    else
      one += std::to_string(where.user.line) +
             (where.inner.line == 0 ? "" : ">" + std::to_string(where.inner.line));
    if (line.size() + one.size() > 116) {
      text += line + "\n";
      line = "//";
    }
    line += one;
  }
  return sources.empty() ? "" : text + line + "\n";
}

}  // namespace

std::string Emitter::header(const KernelText& made) const {
  std::string tiles;
  for (const ir::Axis& tiled : kernel_.axes) {
    const std::string one = tiled.dim + "=" + std::to_string(tiled.tile);
    if (tiles.find(one) == std::string::npos) tiles += (tiles.empty() ? "" : ", ") + one;
  }
  std::string text = "// " + kernel_.name + "<" + tiles + ">: sm_80 code, " +
                     std::to_string(kernel_.layout.threads()) + " threads, " +
                     std::to_string(kernel_.shared_bytes) + " bytes of shared memory.\n";
  if (!made.aligned.empty()) {
    std::string names;
    for (const auto& tensor : made.aligned)
      if (names.find(tensor.tensor) == std::string::npos)
        names += (names.empty() ? "" : ", ") + tensor.tensor;
    text += "// Needs of " + names +
            ": 16-byte aligned rows, neighbours in the last dimension adjacent in memory.\n";
  }
  for (const std::string& sentence : ir::order_dependent(kernel_))
    text += "// Not bit-stable: " + sentence + ".\n";
  return text + source_lines(sources_);
}

/// Which thread this is, as far as the kernel asks, and which elements of a tile are its own.
Writer Emitter::threads() const {
  const ir::Layout& layout = kernel_.layout;
  const auto uses = [&](std::string_view word) {
    const auto names = [&](const std::string& text) {
      const auto part = [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) || c == '_';
      };
      for (std::size_t at = 0; (at = text.find(word, at)) != std::string::npos; at += word.size())
        if ((at == 0 || !part(text[at - 1])) && !part(text[at + word.size()])) return true;
      return false;
    };
    return names(top_.text()) || names(out_.text());
  };
  const bool rows = layout.row_axis >= 0, lanes = rows && layout.lanes_per_row < 32;
  Writer writer;
  if (rows || uses("warp") || uses("lane"))
    writer.line("const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;");
  const std::string vector = std::to_string(layout.vector);
  if (rows) {
    const int per_warp = layout.rows_per_thread * rows_apart();
    writer.line("const int row = " + (per_warp == 1 ? "" : std::to_string(per_warp) + " * ") +
                "warp" + (lanes ? " + lane / " + std::to_string(layout.lanes_per_row) : "") +
                ", col = lane" + (lanes ? " % " + std::to_string(layout.lanes_per_row) : "") +
                (layout.vector == 1 ? "" : " * " + vector) + ";");
  } else {
    writer.line("const int col = threadIdx.x" + (layout.vector == 1 ? "" : " * " + vector) + ";");
  }
  std::string map = "x[j][i] is element (";
  if (rows)
    map += layout.rows_per_thread == 1
               ? "row, "
               : "row + i / " + vector + " * " + std::to_string(rows_apart()) + ", ";
  map += std::to_string(layout.lanes_per_row * layout.vector) + " * j + col + i % " + vector +
         ") of a tile";
  writer.line("// " + map + ".");
  return writer;
}

KernelText Emitter::run() {
  for (const char* verb : {"unroll"}) prelude_.use(verb);
  const ir::Layout& layout = kernel_.layout;
  grid();
  region(kernel_.body);

  for (std::size_t id = 0; id < kernel_.axes.size(); ++id)
    if (kernel_.axes[id].kind != ir::Axis::Kind::whole)
      result_.tiles[static_cast<int>(id)] = kernel_.axes[id].tile;
  result_.symbol = kernel_.name;
  result_.threads = layout.threads();
  result_.shared_bytes = kernel_.shared_bytes;
  // Parameters in the order of the signature: each tensor with its strides, then extents, then
  // scalars.
  for (const Argument& argument : kernel_.arguments) {
    for (const auto& [name, one] : parameters_)
      if (one.kind == Parameter::Kind::pointer && one.name_of == argument.name)
        result_.parameters.push_back(one);
    std::vector<Parameter> strides;
    for (const auto& [name, one] : parameters_)
      if (one.kind == Parameter::Kind::stride && one.name_of == argument.name)
        strides.push_back(one);
    std::sort(strides.begin(), strides.end(),
              [](const Parameter& a, const Parameter& b) { return a.axis < b.axis; });
    result_.parameters.insert(result_.parameters.end(), strides.begin(), strides.end());
  }
  for (const auto kind : {Parameter::Kind::extent, Parameter::Kind::scalar})
    for (const auto& [name, one] : parameters_)
      if (one.kind == kind) result_.parameters.push_back(one);

  Writer file;
  std::string text = header(result_);
  text.pop_back();
  file.line(text);
  std::string prelude = prelude_.text();
  if (!prelude.empty()) prelude.pop_back();
  file.line(prelude);
  file.line("// ---- kernel ----");
  std::string signature = "extern \"C\" __global__ void __launch_bounds__(" +
                          std::to_string(layout.threads()) + ") " + result_.symbol + "(";
  std::string line = "   ";
  for (std::size_t i = 0; i < result_.parameters.size(); ++i) {
    const Parameter& one = result_.parameters[i];
    const std::string piece =
        " " + one.type + " " + one.name + (i + 1 < result_.parameters.size() ? "," : ") {");
    // A tensor and its strides stay on one line.
    std::size_t group = piece.size();
    for (std::size_t next = i + 1;
         one.kind == Parameter::Kind::pointer && next < result_.parameters.size() &&
         result_.parameters[next].kind == Parameter::Kind::stride;
         ++next)
      group += result_.parameters[next].type.size() + result_.parameters[next].name.size() + 3;
    if (line.size() + group > 116 && line.size() > 3) {
      signature += "\n" + line;
      line = "   ";
    }
    line += piece;
  }
  signature += "\n" + line;
  file.line(signature);
  if (kernel_.shared_bytes > 0)
    file.line("  extern __shared__ __align__(1024) unsigned char shared[];");
  file.indent();
  file.append(threads());
  file.append(top_);
  file.append(out_);
  file.close("}");
  result_.text = file.text();
  result_.lines = file.lines();
  return result_;
}

std::string source_of(const KernelText& text, int line) {
  const auto at =
      std::lower_bound(text.lines.begin(), text.lines.end(), line,
                       [](const LineOrigin& origin, int number) { return origin.line < number; });
  return at == text.lines.end() || at->line != line ? "" : to_string(at->where);
}

KernelText emit_kernel(const ir::Kernel& kernel, const std::vector<std::string>& descriptions) {
  return Emitter(kernel, descriptions).run();
}

}  // namespace tilewright::emit
