# Memory, faults, detectors and counters: what watches the engine. Included by CMakeLists.txt.
find_package(fmt REQUIRED)
add_library(tilewright_emulator_monitor STATIC
  ${CMAKE_CURRENT_LIST_DIR}/counters.cpp
  ${CMAKE_CURRENT_LIST_DIR}/fault.cpp
  ${CMAKE_CURRENT_LIST_DIR}/memory.cpp
  ${CMAKE_CURRENT_LIST_DIR}/monitor.cpp
  ${CMAKE_CURRENT_LIST_DIR}/race_cells.cpp
  ${CMAKE_CURRENT_LIST_DIR}/race_clocks.cpp
  ${CMAKE_CURRENT_LIST_DIR}/race_copies.cpp
  ${CMAKE_CURRENT_LIST_DIR}/race_global.cpp
  ${CMAKE_CURRENT_LIST_DIR}/race_judge.cpp
  ${CMAKE_CURRENT_LIST_DIR}/race_order.cpp
  ${CMAKE_CURRENT_LIST_DIR}/race_report.cpp
  ${CMAKE_CURRENT_LIST_DIR}/race_shared.cpp
  ${CMAKE_CURRENT_LIST_DIR}/shadow_global.cpp
  ${CMAKE_CURRENT_LIST_DIR}/shadow_ordered.cpp)
set_target_properties(tilewright_emulator_monitor PROPERTIES POSITION_INDEPENDENT_CODE ON)
target_include_directories(tilewright_emulator_monitor PUBLIC
  ${CMAKE_CURRENT_LIST_DIR}/.. ${CMAKE_CURRENT_LIST_DIR}/../../dsl)
target_link_libraries(tilewright_emulator_monitor PRIVATE tilewright_options fmt::fmt-header-only)
# These run inside every emulated memory access, in debug builds as well.
target_compile_options(tilewright_emulator_monitor PRIVATE -O3)
