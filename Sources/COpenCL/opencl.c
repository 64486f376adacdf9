#include "opencl.h"

#include <dlfcn.h>

#define DEFINE_CALL(name, parameters, arguments)                                                             \
    static cl_int(*name) parameters;                                                                         \
    cl_int vgg_##name parameters { return name ? name arguments : VGG_CL_NO_PLATFORM; }
VGG_OPENCL_CALLS(DEFINE_CALL)

#define DEFINE_MAKER(type, name, parameters, arguments)                                                      \
    static type(*name) parameters;                                                                           \
    type vgg_##name parameters {                                                                             \
        if (name)                                                                                            \
            return name arguments;                                                                           \
        *error = VGG_CL_NO_PLATFORM;                                                                         \
        return 0;                                                                                            \
    }
VGG_OPENCL_MAKERS(DEFINE_MAKER)

bool vgg_opencl_load(const char *path) {
#ifdef __APPLE__
    const char *system = "/System/Library/Frameworks/OpenCL.framework/OpenCL";
#else
    const char *system = "libOpenCL.so.1";
#endif
    void *library = dlopen(path ? path : system, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return false;
    bool complete = true;
#define FIND(name) complete = (*(void **)&name = dlsym(library, #name)) && complete;
#define FIND_CALL(name, parameters, arguments) FIND(name)
#define FIND_MAKER(type, name, parameters, arguments) FIND(name)
    VGG_OPENCL_CALLS(FIND_CALL)
    VGG_OPENCL_MAKERS(FIND_MAKER)
    return complete;
}
