// The functions a real driver does not have: settings in, counters and faults out as JSON text.
//
// Look next at ../emulator_api.h for what they promise, record.hpp for what they read.
#include "emulator/emulator_api.h"

#include <nlohmann/json.hpp>

#include "emulator/driver/record.hpp"
#include "emulator/driver/state.hpp"

using namespace tilewright::emulator;
using namespace tilewright::emulator::driver;
using Json = nlohmann::ordered_json;

namespace {

/// Builds the text into this thread's `kept`, or leaves `otherwise` there when memory ran out.
template <class Build>
const char* text(std::string& kept, const char* otherwise, Build&& build) noexcept {
  try {
    // A kernel's name or message may hold any bytes: what is not UTF-8 is replaced.
    kept = build().dump(-1, ' ', false, Json::error_handler_t::replace);
    return kept.c_str();
  } catch (...) {
    return otherwise;
  }
}

Json json_of(const Dim3& at) { return Json::array({at.x, at.y, at.z}); }

}  // namespace

extern "C" {

int tilewright_emulator_configure(const char* key, const char* value) {
  if (key == nullptr || value == nullptr) return 1;
  switch (Record::get().configure(key, value)) {
    case Configured::done: return 0;
    case Configured::unknown_key: return 1;
    case Configured::bad_value: return 2;
  }
  return 1;
}

const char* tilewright_emulator_counters() {
  thread_local std::string kept;
  return text(kept, "{}", [] {
    const Record::Sums sums = Record::get().sums();
    const Counters& c = sums.counters;
    return Json{
        {"launches", sums.launches},
        {"warp_instructions", c.warp_instructions},
        {"global_bytes", c.global_load_bytes + c.global_store_bytes},
        {"global_load_bytes", c.global_load_bytes},
        {"global_store_bytes", c.global_store_bytes},
        {"global_load_sectors", c.global_load_sectors},
        {"global_store_sectors", c.global_store_sectors},
        {"shared_accesses", c.shared_accesses},
        {"shared_wavefronts", c.shared_wavefronts},
        {"shared_conflicts", c.shared_wavefronts - c.shared_accesses},
        {"tensor_ops", c.tensor_ops},
        {"barriers", c.barriers},
        {"pipes",
         {{"tensor", c.tensor},
          {"mufu", c.mufu},
          {"fma", c.fma},
          {"alu", c.alu},
          {"shared", c.shared},
          {"global", c.global},
          {"control", c.control},
          {"sync", c.sync}}},
        {"faults_dropped", sums.faults_dropped},
        {"notes_dropped", sums.notes_dropped},
    };
  });
}

const char* tilewright_emulator_faults() {
  thread_local std::string kept;
  return text(kept, "[]", [] {
    Json all = Json::array();
    for (const Fault& fault : Record::get().faults())
      all.push_back({{"kind", name(fault.kind)},
                     {"kernel", fault.kernel},
                     {"block", json_of(fault.block)},
                     {"thread", json_of(fault.thread)},
                     {"ptx_line", fault.ptx_line},
                     {"cuda_line", fault.cuda_line},
                     {"message", fault.message}});
    return all;
  });
}

const char* tilewright_emulator_notes() {
  thread_local std::string kept;
  return text(kept, "[]", [] { return Json(Record::get().notes()); });
}

void tilewright_emulator_reset() {
  Record::get().reset();
  for (const auto& context : State::get().contexts.all()) context->failure = CUDA_SUCCESS;
}

}  // extern "C"
