# What `cmake --install` puts where: headers as they lie in the tree, archives, the emulator beside the
# libraries, the command, and what find_package and pkg-config read. No file knows where it was built
# or installed, so a prefix may be moved. tests/packaging builds other projects against it.
include(CMakePackageConfigHelpers)

# Headers that a user's program reaches; the rest of lowering/ is not installed.
set(public_headers
  pipeline.hpp
  emit/kernel_text.hpp
  ir/determinism.hpp ir/domain.hpp ir/ir.hpp ir/schedule.hpp
  passes/passes.hpp
  runtime/compile.hpp runtime/device.hpp runtime/driver.hpp runtime/driver_functions.hpp
  runtime/image.hpp runtime/memory.hpp runtime/module.hpp runtime/nvrtc_log.hpp runtime/stream.hpp)
foreach(header ${public_headers})
  cmake_path(GET header PARENT_PATH folder)
  install(FILES ${PROJECT_SOURCE_DIR}/lowering/${header}
          DESTINATION ${TILEWRIGHT_INSTALL_INCLUDE}/lowering/${folder})
endforeach()
foreach(floor dsl lowering library)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/${floor}/tilewright
          DESTINATION ${TILEWRIGHT_INSTALL_INCLUDE}/${floor} FILES_MATCHING PATTERN "*.hpp")
endforeach()
install(FILES ${PROJECT_SOURCE_DIR}/lowering/emulator/emulator_api.h
        DESTINATION ${TILEWRIGHT_INSTALL_INCLUDE}/lowering/emulator)

set_target_properties(tilewright_library PROPERTIES EXPORT_NAME tilewright OUTPUT_NAME tilewright)
foreach(part dsl ir runtime compiler emulator cuda_headers)
  set_target_properties(tilewright_${part} PROPERTIES EXPORT_NAME ${part})
endforeach()
install(TARGETS tilewright_dsl tilewright_ir tilewright_runtime tilewright_compiler
                tilewright_library tilewright_emulator tilewright_cuda_headers
        EXPORT TilewrightTargets)
install(TARGETS tilewright RUNTIME)
install(TARGETS tilewright_emulator_shim
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/tilewright/emulator NAMELINK_SKIP)

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/Tilewright)
install(EXPORT TilewrightTargets NAMESPACE Tilewright:: DESTINATION ${package_folder})
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/TilewrightConfig.cmake.in
  ${PROJECT_BINARY_DIR}/TilewrightConfig.cmake INSTALL_DESTINATION ${package_folder}
  PATH_VARS CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/TilewrightConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/TilewrightConfig.cmake
              ${PROJECT_BINARY_DIR}/TilewrightConfigVersion.cmake DESTINATION ${package_folder})

set(from_pkgconfig ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX BASE_DIRECTORY ${CMAKE_INSTALL_PREFIX}/${from_pkgconfig}
           OUTPUT_VARIABLE to_prefix)
configure_file(${CMAKE_CURRENT_LIST_DIR}/tilewright.pc.in ${PROJECT_BINARY_DIR}/tilewright.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/tilewright.pc DESTINATION ${from_pkgconfig})
