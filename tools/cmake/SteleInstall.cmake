# What `cmake --install` leaves behind: headers, libraries, and a CMake package with one component a folder, so that
# find_package(stele COMPONENTS store) asks for what the store needs and for nothing else.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(STELE_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/stele)

# stele::stele: every library in one name. The tool's library stays out of it: programs that embed Stele need no
# command line.
function(stele_umbrella)
    get_property(folders GLOBAL PROPERTY STELE_FOLDERS)
    list(REMOVE_ITEM folders tools testing)
    add_library(stele INTERFACE)
    add_library(stele::stele ALIAS stele)
    list(TRANSFORM folders PREPEND stele:: OUTPUT_VARIABLE libraries)
    target_link_libraries(stele INTERFACE ${libraries})
endfunction()

# The lines of stele-config.cmake that are one component: what it needs of others, of ours, then its own targets.
function(stele_component_text folder result)
    get_property(packages GLOBAL PROPERTY STELE_PACKAGES_${folder})
    get_target_property(links stele_${folder} LINK_LIBRARIES)
    list(FILTER links INCLUDE REGEX "^stele::")
    list(TRANSFORM links REPLACE "^stele::" "")
    set(text "macro(_stele_component_${folder})\n")
    foreach(package IN LISTS packages)
        string(STRIP "${package}" package)
        string(REPLACE ";" " " package "${package}")
        string(APPEND text "    find_dependency(${package})\n")
    endforeach()
    foreach(other IN LISTS links)
        string(APPEND text "    _stele_load(${other})\n")
    endforeach()
    string(APPEND text "endmacro()\n")
    set(${result} "${text}" PARENT_SCOPE)
endfunction()

function(stele_install)
    get_property(folders GLOBAL PROPERTY STELE_FOLDERS)
    set(STELE_COMPONENT_MACROS "")
    foreach(folder IN LISTS folders)
        install(TARGETS stele_${folder} EXPORT stele_${folder} FILE_SET HEADERS)
        install(EXPORT stele_${folder} FILE stele-${folder}.cmake NAMESPACE stele:: DESTINATION ${STELE_PACKAGE_DIR})
        stele_component_text(${folder} text)
        string(APPEND STELE_COMPONENT_MACROS "${text}")
    endforeach()
    set(STELE_COMPONENTS ${folders})
    list(REMOVE_ITEM folders tools testing)
    set(STELE_UMBRELLA ${folders})
    configure_package_config_file(${PROJECT_SOURCE_DIR}/tools/cmake/stele-config.cmake.in stele-config.cmake
        INSTALL_DESTINATION ${STELE_PACKAGE_DIR} NO_SET_AND_CHECK_MACRO)
    # 0.x: a change of the second number may break callers.
    write_basic_package_version_file(stele-config-version.cmake COMPATIBILITY SameMinorVersion)
    install(FILES
        ${CMAKE_CURRENT_BINARY_DIR}/stele-config.cmake
        ${CMAKE_CURRENT_BINARY_DIR}/stele-config-version.cmake
        ${PROJECT_SOURCE_DIR}/tools/cmake/FindPCRE2.cmake
        DESTINATION ${STELE_PACKAGE_DIR})
endfunction()
