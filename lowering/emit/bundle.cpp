// See bundle.hpp.
#include "emit/bundle.hpp"

#include "emit/standalone.hpp"

namespace tilewright::emit {

std::string bundle(const std::vector<Bundled>& kernels) {
  if (kernels.size() == 1)
    return kernels[0].text->text + emit_standalone(*kernels[0].traced, *kernels[0].text);
  std::string names, parts, calls;
  for (const Bundled& one : kernels) {
    const std::string& symbol = one.text->symbol;
    names += (names.empty() ? "" : ", ") + symbol;
    parts += "\nnamespace " + symbol + "_kernel {\n" + one.text->text +
             emit_standalone(*one.traced, *one.text) + "}  // namespace " + symbol + "_kernel\n";
    calls += "  failed |= " + symbol + "_kernel::main();\n";
  }
  // Included here, the headers that the parts ask for inside their namespaces are there already.
  return "// " + std::to_string(kernels.size()) + " kernels, launched in this order: " + names +
         ".\n#ifdef TILEWRIGHT_MAIN\n#include <cmath>\n#include <cstdio>\n#include <cstdlib>\n"
         "#include <cstring>\n#include <vector>\n#endif  // TILEWRIGHT_MAIN\n" +
         parts +
         "\n#if defined TILEWRIGHT_MAIN && !defined TILEWRIGHT_REFERENCE_ONLY\n"
         "int main() {\n  int failed = 0;\n" +
         calls + "  return failed;\n}\n#endif  // TILEWRIGHT_MAIN\n";
}

}  // namespace tilewright::emit
