// The calls of MPI (MPI 3.1) that are made, through a library that is found when the program runs: neither
// header nor library is needed to build, and one program runs under either of the two families of libraries.
#pragma once

#include <stdbool.h>
#include <stdint.h>

/// What a handle is differs between the families: a pointer in Open MPI, a number in MPICH. Both fit.
typedef struct {
    intptr_t value;
} vgg_mpi_request;

/// Loads the library.
/// - Parameter open: whether it is Open MPI; else of MPICH's family.
/// Returns whether it could be loaded and has all that is called.
bool vgg_mpi_load(const char *path, bool open);

/// All of these return MPI_SUCCESS, 0, or an error; MPI's own default is to end the program before.
/// Calls may then be made by any thread, by one at a time.
int vgg_mpi_init(void);
int vgg_mpi_rank(int *rank);
int vgg_mpi_size(int *size);
int vgg_mpi_send(const void *bytes, int count, int to, int tag, vgg_mpi_request *request);
int vgg_mpi_receive(void *bytes, int count, int from, int tag, vgg_mpi_request *request);
int vgg_mpi_test(vgg_mpi_request *request, bool *done);
int vgg_mpi_finalize(void);
/// Ends all processes.
int vgg_mpi_abort(int code);
