// The files that `stele init` writes; they stand in tools/template.
#pragma once

namespace stele::tool {

extern const char* const template_project;
extern const char* const template_events;
extern const char* const template_projection;
extern const char* const template_projection_tests;
extern const char* const template_aggregate;
extern const char* const template_readme;

}  // namespace stele::tool
