// What the OpenCL C of Sources/VGGOpenCL/Kernels is in CUDA C++: its words, its functions, and as much of its
// vectors as the kernels use. Scripts/checks/cuda_compile.py puts it before them; it also does what macros
// cannot: (float4)(a, b, c, d) becomes float4(a, b, c, d), an array in local memory a shared one, the size of
// a group a bound of launches, and the word global, which CUDA's own headers use, is left out.

#define kernel extern "C" __global__
#define constant const
#define CLK_LOCAL_MEM_FENCE
#define barrier(fence) __syncthreads()

typedef unsigned char uchar;
typedef unsigned short ushort;
typedef unsigned int uint;
typedef unsigned long ulong;

inline size_t get_local_id(uint d) { return d == 0 ? threadIdx.x : d == 1 ? threadIdx.y : threadIdx.z; }
inline size_t get_group_id(uint d) { return d == 0 ? blockIdx.x : d == 1 ? blockIdx.y : blockIdx.z; }
inline size_t get_local_size(uint d) { return d == 0 ? blockDim.x : d == 1 ? blockDim.y : blockDim.z; }
inline size_t get_num_groups(uint d) { return d == 0 ? gridDim.x : d == 1 ? gridDim.y : gridDim.z; }
inline size_t get_global_id(uint d) { return get_group_id(d) * get_local_size(d) + get_local_id(d); }
inline size_t get_global_size(uint d) { return get_num_groups(d) * get_local_size(d); }
inline uint mul_hi(uint a, uint b) { return __umulhi(a, b); }
inline uint as_uint(float value) { return __float_as_uint(value); }
inline float as_float(uint bits) { return __uint_as_float(bits); }

template <typename Number> struct vector2 {
    Number x, y;
    vector2() = default;
    vector2(Number value) : x(value), y(value) {}
    vector2(Number x, Number y) : x(x), y(y) {}
};

template <typename Number> struct vector4 {
    Number x, y, z, w;
    vector4() = default;
    vector4(Number value) : x(value), y(value), z(value), w(value) {}
    vector4(Number x, Number y, Number z, Number w) : x(x), y(y), z(z), w(w) {}
};

struct float8 {
    vector4<float> low, high;
    float8() = default;
    float8(float value) : low(value), high(value) {}
    float8(vector4<float> low, vector4<float> high) : low(low), high(high) {}
};

template <typename Number> inline vector2<Number> &operator+=(vector2<Number> &a, vector2<Number> b) {
    a.x += b.x;
    a.y += b.y;
    return a;
}

template <typename Number> inline vector4<Number> &operator+=(vector4<Number> &a, vector4<Number> b) {
    a.x += b.x;
    a.y += b.y;
    a.z += b.z;
    a.w += b.w;
    return a;
}

inline vector4<float> fma(vector4<float> a, vector4<float> b, vector4<float> c) {
    return vector4<float>(fmaf(a.x, b.x, c.x), fmaf(a.y, b.y, c.y), fmaf(a.z, b.z, c.z), fmaf(a.w, b.w, c.w));
}

inline float8 fma(float8 a, float8 b, float8 c) {
    return float8(fma(a.low, b.low, c.low), fma(a.high, b.high, c.high));
}

template <typename Number> inline vector4<Number> vload4(size_t place, const Number *numbers) {
    numbers += 4 * place;
    return vector4<Number>(numbers[0], numbers[1], numbers[2], numbers[3]);
}

template <typename Number> inline void vstore4(vector4<Number> value, size_t place, Number *numbers) {
    numbers += 4 * place;
    numbers[0] = value.x;
    numbers[1] = value.y;
    numbers[2] = value.z;
    numbers[3] = value.w;
}

inline void vstore8(float8 value, size_t place, float *numbers) {
    vstore4(value.low, 2 * place, numbers);
    vstore4(value.high, 2 * place + 1, numbers);
}

// CUDA has vectors of these names already.
#define float4 vector4<float>
#define uint4 vector4<uint>
#define uint2 vector2<uint>
#define int2 vector2<int>
