// The search of `search.find`, translated, one item a thread.
//
// The caller defines D, the number of variables, and NEWTON, whether the direction is Newton's. For what precedes this
// text see `cupy_loops.text`.

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
