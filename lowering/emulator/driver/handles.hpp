// Handles a program may give back wrong: twice, after destruction, or of another kind.
//
// A handle is a number that is never used again, dressed as the opaque pointer cuda.h wants, and
// the object behind it is looked up. A stale or foreign handle is so an error code, never a crash.
// Look next at state.hpp for the tables.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace tilewright::emulator::driver {

/// A number no handle had before. The first lies above CU_STREAM_LEGACY and its like.
std::uintptr_t next_handle_number();

template <class Handle>
Handle make_handle() {
  return reinterpret_cast<Handle>(next_handle_number());
}

/// Objects of one kind by handle. Thread-safe.
template <class Handle, class Object>
class HandleTable {
 public:
  void insert(Handle handle, std::shared_ptr<Object> object) {
    std::scoped_lock lock(mutex_);
    objects_[handle] = std::move(object);
  }

  /// Null for a handle that is not alive.
  std::shared_ptr<Object> find(Handle handle) const {
    std::scoped_lock lock(mutex_);
    auto found = objects_.find(handle);
    return found == objects_.end() ? nullptr : found->second;
  }

  /// The object, which is no longer in the table; null for a handle that is not alive.
  std::shared_ptr<Object> remove(Handle handle) {
    std::scoped_lock lock(mutex_);
    auto node = objects_.extract(handle);
    return node.empty() ? nullptr : std::move(node.mapped());
  }

  /// Removes and returns what `condition(object)` holds for, so that it dies outside the lock.
  template <class Condition>
  std::vector<std::shared_ptr<Object>> remove_if(Condition&& condition) {
    std::vector<std::shared_ptr<Object>> removed;
    std::scoped_lock lock(mutex_);
    for (auto at = objects_.begin(); at != objects_.end();) {
      if (condition(*at->second)) {
        removed.push_back(std::move(at->second));
        at = objects_.erase(at);
      } else {
        ++at;
      }
    }
    return removed;
  }

  std::vector<std::shared_ptr<Object>> all() const {
    std::vector<std::shared_ptr<Object>> objects;
    std::scoped_lock lock(mutex_);
    for (const auto& [handle, object] : objects_) objects.push_back(object);
    return objects;
  }

 private:
  mutable std::mutex mutex_;
  std::map<Handle, std::shared_ptr<Object>> objects_;
};

}  // namespace tilewright::emulator::driver
