// The search of `search.find`, translated, one item a thread.
//
// What precedes this text: the functions order_1 and order_2 of the expression, and `find` with what it calls. The caller
// defines D, the number of variables, and NEWTON, whether the direction is Newton's.

struct Order1 {
    __device__ double operator()(const double *x, double *g, double *h) const { return order_1(x, g, h); }
};
struct Order2 {
    __device__ double operator()(const double *x, double *g, double *h) const { return order_2(x, g, h); }
};

extern "C" __global__ void search(const double *queries, const double *starts, double tolerance, long long max_steps,
                                  long long count, double *thetas, double *values, double *gradients, long long *steps,
                                  long long *statuses) {
    constexpr Literal<D> d;
    double w[workspace(Literal<D>())];
    const long long first = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    for (long long n = first; n < count; n += (long long)gridDim.x * blockDim.x) {
        copy(starts + n * D, row(w, THETA, d), d);
        const auto found = find(Order1(), Order2(), queries + n * (D + 1), bool(NEWTON), tolerance, max_steps, &w[0], d);
        values[n] = found.first;
        steps[n] = found.second;
        statuses[n] = found.third;
        copy(row(w, THETA, d), thetas + n * D, d);
        copy(row(w, GRADIENT, d), gradients + n * D, d);
    }
}
