// The emulator as a judge of strangers' code: programs that nvcc, Triton and hands wrote run right
// on it, results compared with the host's, and no detector speaks. Prints a table.
#include <doctest/doctest.h>

#include <cstdio>

#include "cases.hpp"

namespace tilewright::corpus {
namespace {

TEST_CASE("every program of the corpus gives the right results and no fault") {
  std::printf("%-28s %-18s %-22s %-10s %-22s %s\n", "program", "kernel", "shape", "expected",
              "reported", "results");
  for (const Case& each : all_cases()) {
    std::string wrong, reported = "none";
    std::vector<Fault> faults;
    try {
      Session session(file_text("ptx/" + each.file + ".ptx"));
      wrong = each.run(session);
      faults = session.faults();
      reported = kinds_of(faults);
    } catch (const DriverError& error) {
      wrong = error.call + ": " + std::to_string(static_cast<int>(error.code));
    }
    std::printf("%-28s %-18s %-22s %-10s %-22s %s\n", each.file.c_str(), each.kernel.c_str(),
                each.shape.c_str(), each.expected.c_str(), reported.c_str(),
                wrong.empty() ? "right" : wrong.c_str());
    CAPTURE(each.file);
    CAPTURE(each.kernel);
    CAPTURE(each.shape);
    for (const Fault& fault : faults) {
      MESSAGE(fault.kind << " at PTX line " << fault.ptx_line << " (source " << fault.cuda_line
                         << "): " << fault.message);
    }
    CHECK(reported == each.expected);
    CHECK(wrong == "");
  }
}

}  // namespace
}  // namespace tilewright::corpus
