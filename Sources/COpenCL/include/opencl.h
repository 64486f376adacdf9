// The functions of OpenCL 1.2 that VGGOpenCL calls, found at run time: nothing of OpenCL is needed to build,
// and a machine without it runs all the rest. Types and numbers are those of the specification (Khronos, "The
// OpenCL Specification", version 1.2), whose functions these call; each has its name with `vgg_` before it.

#ifndef VGG_OPENCL_H
#define VGG_OPENCL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef int32_t cl_int;
typedef uint32_t cl_uint;
typedef uint64_t cl_bitfield;
typedef struct vgg_cl_platform *cl_platform_id;
typedef struct vgg_cl_device *cl_device_id;
typedef struct vgg_cl_context *cl_context;
typedef struct vgg_cl_queue *cl_command_queue;
typedef struct vgg_cl_program *cl_program;
typedef struct vgg_cl_kernel *cl_kernel;
typedef struct vgg_cl_memory *cl_mem;
typedef struct vgg_cl_event *cl_event;

// Where a part of a buffer lies, in bytes.
typedef struct {
    size_t origin, size;
} vgg_cl_region;

// What the calls return where there is no OpenCL: CL_PLATFORM_NOT_FOUND_KHR.
#define VGG_CL_NO_PLATFORM (-1001)

// Loads the library; a call before that, or after a failure, answers VGG_CL_NO_PLATFORM. Not to be called by
// two threads at once. path: of the library; null for the system's. Returns whether all functions are there.
bool vgg_opencl_load(const char *path);

// The functions that return an error code: CALL(name, parameters, arguments).
#define VGG_OPENCL_CALLS(CALL)                                                                               \
    CALL(clGetPlatformIDs, (cl_uint size, cl_platform_id * platforms, cl_uint * count),                      \
         (size, platforms, count))                                                                           \
    CALL(clGetPlatformInfo,                                                                                  \
         (cl_platform_id platform, cl_uint name, size_t size, void *value, size_t *needed),                  \
         (platform, name, size, value, needed))                                                              \
    CALL(clGetDeviceIDs,                                                                                     \
         (cl_platform_id platform, cl_bitfield type, cl_uint size, cl_device_id * devices, cl_uint * count), \
         (platform, type, size, devices, count))                                                             \
    CALL(clGetDeviceInfo, (cl_device_id device, cl_uint name, size_t size, void *value, size_t *needed),     \
         (device, name, size, value, needed))                                                                \
    CALL(clReleaseContext, (cl_context context), (context))                                                  \
    CALL(clReleaseCommandQueue, (cl_command_queue queue), (queue))                                           \
    CALL(clBuildProgram,                                                                                     \
         (cl_program program, cl_uint count, const cl_device_id *devices, const char *options,               \
          void (*notify)(cl_program, void *), void *data),                                                   \
         (program, count, devices, options, notify, data))                                                   \
    CALL(clGetProgramBuildInfo,                                                                              \
         (cl_program program, cl_device_id device, cl_uint name, size_t size, void *value, size_t *needed),  \
         (program, device, name, size, value, needed))                                                       \
    CALL(clGetProgramInfo, (cl_program program, cl_uint name, size_t size, void *value, size_t *needed),     \
         (program, name, size, value, needed))                                                               \
    CALL(clReleaseProgram, (cl_program program), (program))                                                  \
    CALL(clReleaseKernel, (cl_kernel kernel), (kernel))                                                      \
    CALL(clSetKernelArg, (cl_kernel kernel, cl_uint index, size_t size, const void *value),                  \
         (kernel, index, size, value))                                                                       \
    CALL(clGetKernelWorkGroupInfo,                                                                           \
         (cl_kernel kernel, cl_device_id device, cl_uint name, size_t size, void *value, size_t *needed),    \
         (kernel, device, name, size, value, needed))                                                        \
    CALL(clReleaseMemObject, (cl_mem memory), (memory))                                                      \
    CALL(clEnqueueNDRangeKernel,                                                                             \
         (cl_command_queue queue, cl_kernel kernel, cl_uint dimensions, const size_t *offset,                \
          const size_t *global, const size_t *local, cl_uint waits, const void *wait_list, void *event),     \
         (queue, kernel, dimensions, offset, global, local, waits, wait_list, event))                        \
    CALL(clEnqueueReadBuffer,                                                                                \
         (cl_command_queue queue, cl_mem memory, cl_uint blocks, size_t offset, size_t size, void *values,   \
          cl_uint waits, const void *wait_list, void *event),                                                \
         (queue, memory, blocks, offset, size, values, waits, wait_list, event))                             \
    CALL(clEnqueueWriteBuffer,                                                                               \
         (cl_command_queue queue, cl_mem memory, cl_uint blocks, size_t offset, size_t size,                 \
          const void *values, cl_uint waits, const void *wait_list, void *event),                            \
         (queue, memory, blocks, offset, size, values, waits, wait_list, event))                             \
    CALL(clEnqueueFillBuffer,                                                                                \
         (cl_command_queue queue, cl_mem memory, const void *pattern, size_t pattern_size, size_t offset,    \
          size_t size, cl_uint waits, const void *wait_list, void *event),                                   \
         (queue, memory, pattern, pattern_size, offset, size, waits, wait_list, event))                      \
    CALL(clEnqueueCopyBuffer,                                                                                \
         (cl_command_queue queue, cl_mem from, cl_mem to, size_t from_offset, size_t to_offset, size_t size, \
          cl_uint waits, const void *wait_list, void *event),                                                \
         (queue, from, to, from_offset, to_offset, size, waits, wait_list, event))                           \
    CALL(clEnqueueBarrierWithWaitList,                                                                       \
         (cl_command_queue queue, cl_uint waits, const cl_event *wait_list, void *event),                    \
         (queue, waits, wait_list, event))                                                                   \
    CALL(clWaitForEvents, (cl_uint count, const cl_event *events), (count, events))                          \
    CALL(clReleaseEvent, (cl_event event), (event))                                                          \
    CALL(clFlush, (cl_command_queue queue), (queue))                                                         \
    CALL(clFinish, (cl_command_queue queue), (queue))

// The functions that make an object and write an error code: MAKE(type, name, parameters, arguments), where
// the last parameter is `cl_int *error`.
#define VGG_OPENCL_MAKERS(MAKE)                                                                              \
    MAKE(cl_context, clCreateContext,                                                                        \
         (const intptr_t *properties, cl_uint count, const cl_device_id *devices,                            \
          void (*notify)(const char *, const void *, size_t, void *), void *data, cl_int *error),            \
         (properties, count, devices, notify, data, error))                                                  \
    MAKE(cl_command_queue, clCreateCommandQueue,                                                             \
         (cl_context context, cl_device_id device, cl_bitfield properties, cl_int * error),                  \
         (context, device, properties, error))                                                               \
    MAKE(cl_program, clCreateProgramWithSource,                                                              \
         (cl_context context, cl_uint count, const char **texts, const size_t *sizes, cl_int *error),        \
         (context, count, texts, sizes, error))                                                              \
    MAKE(cl_program, clCreateProgramWithBinary,                                                              \
         (cl_context context, cl_uint count, const cl_device_id *devices, const size_t *sizes,               \
          const unsigned char **binaries, cl_int *status, cl_int *error),                                    \
         (context, count, devices, sizes, binaries, status, error))                                          \
    MAKE(cl_kernel, clCreateKernel, (cl_program program, const char *name, cl_int *error),                   \
         (program, name, error))                                                                             \
    MAKE(cl_mem, clCreateBuffer,                                                                             \
         (cl_context context, cl_bitfield flags, size_t size, void *values, cl_int *error),                  \
         (context, flags, size, values, error))                                                              \
    MAKE(cl_mem, clCreateSubBuffer,                                                                          \
         (cl_mem memory, cl_bitfield flags, cl_uint type, const void *region, cl_int *error),                \
         (memory, flags, type, region, error))

#define VGG_OPENCL_DECLARE_CALL(name, parameters, arguments) cl_int vgg_##name parameters;
#define VGG_OPENCL_DECLARE_MAKER(type, name, parameters, arguments) type vgg_##name parameters;
VGG_OPENCL_CALLS(VGG_OPENCL_DECLARE_CALL)
VGG_OPENCL_MAKERS(VGG_OPENCL_DECLARE_MAKER)

#endif
