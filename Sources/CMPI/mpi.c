#include "mpi_calls.h"

#include <dlfcn.h>
#include <stddef.h>

// A communicator and a type are pointers or 32-bit numbers. Either is passed in a whole register, of which a
// callee that takes a number reads the lower half (System V and AAPCS64).
typedef intptr_t handle;

#define MPI_CALLS(DO)                                                                                        \
    DO(Init_thread, (int *argc, char ***argv, int required, int *provided))                                  \
    DO(Comm_rank, (handle comm, int *rank))                                                                  \
    DO(Comm_size, (handle comm, int *size))                                                                  \
    DO(Isend, (const void *bytes, int count, handle type, int to, int tag, handle comm, void *request))      \
    DO(Irecv, (void *bytes, int count, handle type, int from, int tag, handle comm, void *request))          \
    DO(Test, (void *request, int *done, void *status))                                                       \
    DO(Finalize, (void))                                                                                     \
    DO(Abort, (handle comm, int code))

#define DEFINE(name, parameters) static int(*name) parameters;
MPI_CALLS(DEFINE)

static handle world, byte;
// No status is asked for.
static void *ignored;
enum { SERIALIZED = 2 };

bool vgg_mpi_load(const char *path, bool open) {
    // Open MPI's parts look for its symbols among those of all libraries.
    void *library = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
    if (!library)
        return false;
    bool complete = true;
#define FIND(name, parameters) complete = (*(void **)&name = dlsym(library, "MPI_" #name)) && complete;
    MPI_CALLS(FIND)
    if (open) {
        // Its mpi.h: addresses of objects that it exports, and no object for a status.
        world = (handle)dlsym(library, "ompi_mpi_comm_world");
        byte = (handle)dlsym(library, "ompi_mpi_byte");
        ignored = NULL;
        complete = complete && world && byte;
    } else {
        // The common ABI of MPICH's family.
        world = 0x44000000;
        byte = 0x4c00010d;
        ignored = (void *)1;
    }
    return complete;
}

int vgg_mpi_init(void) {
    int provided = 0;
    const int result = Init_thread(NULL, NULL, SERIALIZED, &provided);
    return result ? result : provided < SERIALIZED;
}

int vgg_mpi_rank(int *rank) { return Comm_rank(world, rank); }

int vgg_mpi_size(int *size) { return Comm_size(world, size); }

int vgg_mpi_send(const void *bytes, int count, int to, int tag, vgg_mpi_request *request) {
    return Isend(bytes, count, byte, to, tag, world, &request->value);
}

int vgg_mpi_receive(void *bytes, int count, int from, int tag, vgg_mpi_request *request) {
    return Irecv(bytes, count, byte, from, tag, world, &request->value);
}

int vgg_mpi_test(vgg_mpi_request *request, bool *done) {
    int found = 0;
    const int result = Test(&request->value, &found, ignored);
    *done = found;
    return result;
}

int vgg_mpi_finalize(void) { return Finalize(); }

int vgg_mpi_abort(int code) { return Abort(world, code); }
