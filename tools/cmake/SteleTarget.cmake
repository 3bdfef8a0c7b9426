# stele_requires(<folder> <package> [<version>] …): finds a package that the folder's library needs, and has
# stele-config.cmake find it again for whoever uses the installed library. A static library carries no list of what
# it was built with, so packages that only our .cpp files name are needed as well.
macro(stele_requires folder package)
    find_package(${package} ${ARGN} REQUIRED)
    set_property(GLOBAL APPEND PROPERTY STELE_PACKAGES_${folder} "${package} ${ARGN}")
endmacro()

# stele_library(<folder> HEADERS <files> SOURCES <files>): the target stele_<folder>, known as stele::<folder>,
# with the folder's public headers as a file set: installed as they stand in the tree, and each compiled alone by
# the target all_verify_interface_header_sets.
function(stele_library folder)
    cmake_parse_arguments(arg "" "" "HEADERS;SOURCES" ${ARGN})
    add_library(stele_${folder} ${arg_SOURCES})
    add_library(stele::${folder} ALIAS stele_${folder})
    list(TRANSFORM arg_HEADERS PREPEND include/stele/${folder}/)
    target_sources(stele_${folder} PUBLIC FILE_SET HEADERS BASE_DIRS include FILES ${arg_HEADERS})
    target_include_directories(stele_${folder} PRIVATE src)
    target_compile_features(stele_${folder} PUBLIC cxx_std_20)
    set_target_properties(stele_${folder} PROPERTIES
        EXPORT_NAME ${folder}
        POSITION_INDEPENDENT_CODE ON
        VERIFY_INTERFACE_HEADER_SETS ON)
    set_property(GLOBAL APPEND PROPERTY STELE_FOLDERS ${folder})
endfunction()
