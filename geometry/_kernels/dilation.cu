// Dilation by a ball: a warp finds the heights of the ball's centre over one tile of places.
//
// A block of samples is skipped if none of it can touch: even its highest sample, put into its nearest corner, would
// not raise the lowest place of the tile. Rounding is monotone, and bounds read the same table of weights as sums do,
// so no block is skipped that gives a maximum, rounded or not. The order of visits does not matter.
//
// The caller defines REAL, the type of samples (unsigned short for half precision); BLOCK_Y x BLOCK_X, the samples of a
// block and the blocks of a superblock; and the tile: LANES_Y x LANES_X lanes of EACH_Y x EACH_X places. Arrays have
// leading axes, which make them lists of planes, and the axes y and x of a plane.

typedef long long Index;  // an array may have more than 2^31 samples

enum {
    LANES = 32,
    BLOCK = BLOCK_Y * BLOCK_X,
    SUPER_Y = BLOCK_Y * BLOCK_Y,
    SUPER_X = BLOCK_X * BLOCK_X,
    TILE_Y = LANES_Y * EACH_Y,
    TILE_X = LANES_X * EACH_X,
};
#define ALL 0xffffffffu
#define INF __longlong_as_double(0x7ff0000000000000)

// Plain conversions would flush subnormal numbers to zero, because CuPy compiles with -ftz=true.
#ifdef __CUDACC__
__device__ double widen(double x) { return x; }
__device__ double widen(float x) { double y; asm("cvt.f64.f32 %0, %1;" : "=d"(y) : "f"(x)); return y; }
__device__ double widen(unsigned short x) { double y; asm("cvt.f64.f16 %0, %1;" : "=d"(y) : "h"(x)); return y; }
__device__ void narrow(double x, double& y) { y = x; }
__device__ void narrow(double x, float& y) { asm("cvt.rn.f32.f64 %0, %1;" : "=f"(y) : "d"(x)); }
__device__ void narrow(double x, unsigned short& y) { asm("cvt.rn.f16.f64 %0, %1;" : "=h"(y) : "d"(x)); }
#endif

template <typename T> __device__ T least(T a, T b) { return a < b ? a : b; }
template <typename T> __device__ T most(T a, T b) { return a > b ? a : b; }
__device__ Index parts(Index size, Index part) { return (size + part - 1) / part; }
__device__ Index wrapped(Index i, Index size) { return (i % size + size) % size; }

// Distance of the nearest and of the farthest pair of a place and a sample.
__device__ Index nearest(Index place, Index places, Index sample, Index samples) {
    return most(most(place - sample - samples + 1, sample - place - places + 1), Index(0));
}
__device__ Index farthest(Index place, Index places, Index sample, Index samples) {
    return most(place + places - 1 - sample, sample + samples - 1 - place);
}

__device__ double most_of_warp(double x) {
    for (int step = LANES / 2; step > 0; step /= 2) x = most(x, __shfl_xor_sync(ALL, x, step));
    return x;
}

// The highest sample of every block.
template <typename T> __device__ void tops_of(const T* samples, Index planes, Index ny, Index nx, double* tops) {
    Index down = parts(ny, BLOCK_Y), across = parts(nx, BLOCK_X), step = Index(gridDim.x) * blockDim.x;
    for (Index i = Index(blockIdx.x) * blockDim.x + threadIdx.x; i < planes * down * across; i += step) {
        Index plane = i / (down * across), y = i / across % down * BLOCK_Y, x = i % across * BLOCK_X;
        double top = -INF;
        for (Index r = y; r < least(y + BLOCK_Y, ny); r++)
            for (Index c = x; c < least(x + BLOCK_X, nx); c++)
                top = most(top, widen(samples[(plane * ny + r) * nx + c]));
        tops[i] = top;
    }
}

extern "C" __global__ void block_tops(const REAL* samples, Index planes, Index ny, Index nx, double* tops) {
    tops_of(samples, planes, ny, nx, tops);
}

extern "C" __global__ void super_tops(const double* blocks, Index planes, Index ny, Index nx, double* tops) {
    tops_of(blocks, planes, ny, nx, tops);
}

// What all tiles share.
struct Roll {
    const REAL* samples;  // planes of ny x nx
    const double *tops, *supers;
    Index ny, nx;
    const double* weights;  // (caps, reach_y + 2, reach_x + 2): by distance; -inf in the last row and column
    Index reach_y, reach_x;
    const Index* neighbours;  // (count, width): of planes under the ball, the offset along each leading axis; the cap
    Index count, width;
    const Index* lead;  // (3, width - 1): along each leading axis, planes of samples, planes of places, origin
    Index origin_y, origin_x, places_y, places_x;  // of a plane of places in a plane of samples

    __device__ Index cap(Index neighbour) const { return neighbours[(neighbour + 1) * width - 1]; }
    __device__ Index row(Index cap, Index dy) const {
        return (cap * (reach_y + 2) + least(dy, reach_y + 1)) * (reach_x + 2);
    }
    __device__ Index column(Index dx) const { return least(dx, reach_x + 1); }
};

// A tile of places, in the coordinates of samples; of its heights and contacts, those of a lane.
struct Tile {
    Index plane, y, x, lane_y, lane_x;
    double heights[EACH_Y][EACH_X];
    Index contacts[EACH_Y][EACH_X];
    double floor;  // the least height of the tile, or less
};

// Samples of a plane under the ball from (y, x) on: a block or a superblock. If there are none, top is -inf.
struct Patch {
    Index neighbour, plane, y, x;
    double top;
};

// No sample of a patch raises a place of the tile above this.
template <int SIZE_Y, int SIZE_X> __device__ double ceiling(const Roll& roll, const Tile& tile, const Patch& patch) {
    if (patch.top == -INF) return -INF;
    Index dy = nearest(tile.y, TILE_Y, patch.y, SIZE_Y), dx = nearest(tile.x, TILE_X, patch.x, SIZE_X);
    return patch.top + roll.weights[roll.row(roll.cap(patch.neighbour), dy) + roll.column(dx)];
}

// The highest sample of a patch raises every place of the tile to this or more, wherever in the patch it is.
template <int SIZE_Y, int SIZE_X> __device__ double ground(const Roll& roll, const Tile& tile, const Patch& patch) {
    if (patch.top == -INF) return -INF;
    Index dy = farthest(tile.y, TILE_Y, patch.y, SIZE_Y), dx = farthest(tile.x, TILE_X, patch.x, SIZE_X);
    return patch.top + roll.weights[roll.row(roll.cap(patch.neighbour), dy) + roll.column(dx)];
}

// The neighbour of a plane of places: its number among the planes of samples, -1 outside of them; or, with `folded`,
// its number among planes of places that repeat periodically.
__device__ Index neighbour_of(const Roll& roll, Index plane, Index neighbour, bool folded) {
    Index axes = roll.width - 1, number = 0, stride = 1;
    const Index *samples = roll.lead, *places = samples + axes, *origin = places + axes;
    const Index* offset = roll.neighbours + neighbour * roll.width;
    for (Index axis = axes - 1; axis >= 0; axis--) {
        Index size = folded ? places[axis] : samples[axis], at = plane % places[axis] + offset[axis];
        at = folded ? wrapped(at, size) : at + origin[axis];
        if (at < 0 || at >= size) return -1;
        number += at * stride;
        stride *= size;
        plane /= places[axis];
    }
    return number;
}

// The superblocks under the balls of a tile: a window of them in every neighbouring plane.
struct Window {
    Index y, x, down, across;
};

__device__ Window window_of(const Roll& roll, const Tile& tile) {
    Index y = most(tile.y - roll.reach_y, Index(0)) / SUPER_Y, x = most(tile.x - roll.reach_x, Index(0)) / SUPER_X;
    Index last_y = least(tile.y + TILE_Y - 1 + roll.reach_y, roll.ny - 1) / SUPER_Y;
    Index last_x = least(tile.x + TILE_X - 1 + roll.reach_x, roll.nx - 1) / SUPER_X;
    return {y, x, last_y - y + 1, last_x - x + 1};
}

__device__ Patch superblock(const Roll& roll, const Tile& tile, const Window& window, Index i) {
    Index size = window.down * window.across;
    Patch patch = {i / size, -1, 0, 0, -INF};
    if (patch.neighbour < roll.count) patch.plane = neighbour_of(roll, tile.plane, patch.neighbour, false);
    if (patch.plane < 0) return patch;
    Index y = window.y + i % size / window.across, x = window.x + i % window.across;
    patch.y = y * SUPER_Y;
    patch.x = x * SUPER_X;
    patch.top = roll.supers[(patch.plane * parts(roll.ny, SUPER_Y) + y) * parts(roll.nx, SUPER_X) + x];
    return patch;
}

__device__ Patch block(const Roll& roll, const Patch& super, int i) {
    Index y = super.y / BLOCK_Y + i / BLOCK_X, x = super.x / BLOCK_X + i % BLOCK_X;
    Index down = parts(roll.ny, BLOCK_Y), across = parts(roll.nx, BLOCK_X);
    bool inside = y < down && x < across;
    double top = inside ? roll.tops[(super.plane * down + y) * across + x] : -INF;
    return {super.neighbour, super.plane, y * BLOCK_Y, x * BLOCK_X, top};
}

// use(r, q, s, c, sum) for the places (r, q) of a lane and the samples (s, c) of a block. Along y, a lane's places lie
// next to each other and share weights.
template <typename Use> __device__ void visit(const Roll& roll, const Tile& tile, const Patch& patch, Use use) {
    __shared__ double samples[BLOCK];
    __syncwarp();  // nobody reads the block before any more
    for (int i = threadIdx.x; i < BLOCK; i += LANES) {
        Index y = patch.y + i / BLOCK_X, x = patch.x + i % BLOCK_X;
        bool inside = y < roll.ny && x < roll.nx;
        samples[i] = inside ? widen(roll.samples[(patch.plane * roll.ny + y) * roll.nx + x]) : -INF;
    }
    __syncwarp();
    const int SPAN = EACH_Y + BLOCK_Y - 1;
    Index cap = roll.cap(patch.neighbour), rows[SPAN];
#pragma unroll
    for (int k = 0; k < SPAN; k++) {
        Index dy = tile.lane_y - patch.y - (BLOCK_Y - 1) + k;
        rows[k] = roll.row(cap, most(dy, -dy));
    }
#pragma unroll 1
    for (int c = 0; c < BLOCK_X; c++) {
#pragma unroll
        for (int q = 0; q < EACH_X; q++) {
            Index dx = tile.lane_x + q * LANES_X - patch.x - c, column = roll.column(most(dx, -dx));
            double weights[SPAN];
#pragma unroll
            for (int k = 0; k < SPAN; k++) weights[k] = roll.weights[rows[k] + column];
#pragma unroll
            for (int s = 0; s < BLOCK_Y; s++)
#pragma unroll
                for (int r = 0; r < EACH_Y; r++)
                    use(r, q, s, c, samples[s * BLOCK_X + c] + weights[r - s + BLOCK_Y - 1]);
        }
    }
}

// Raise the heights by a block.
__device__ void raise_by(const Roll& roll, Tile& tile, const Patch& patch) {
    visit(roll, tile, patch, [&](int r, int q, int, int, double sum) {
        tile.heights[r][q] = most(tile.heights[r][q], sum);
    });
    double low = INF;
    for (int r = 0; r < EACH_Y; r++)
        for (int q = 0; q < EACH_X; q++) low = least(low, tile.heights[r][q]);
    tile.floor = -most_of_warp(-low);
}

// Lower the contacts to the samples of a block that give the heights.
__device__ void touch(const Roll& roll, Tile& tile, const Patch& patch) {
    Index plane = neighbour_of(roll, tile.plane, patch.neighbour, true);
    visit(roll, tile, patch, [&](int r, int q, int s, int c, double sum) {
        if (sum != tile.heights[r][q] || sum == -INF) return;
        Index y = wrapped(patch.y + s - roll.origin_y, roll.places_y);
        Index x = wrapped(patch.x + c - roll.origin_x, roll.places_x);
        Index flat = (plane * roll.places_y + y) * roll.places_x + x, &contact = tile.contacts[r][q];
        if (contact < 0 || flat < contact) contact = flat;
    });
}

enum Step { GROUND, RAISE, TOUCH };

// One step over all blocks that matter for the tile. Each lane bounds a superblock, then a block; then the warp visits,
// one after the other, those that reach above the floor by then. Equality matters for contacts only.
template <Step STEP> __device__ void sweep(const Roll& roll, Tile& tile) {
    auto matters = [&](double high) {
        return high > tile.floor || (STEP == TOUCH && high == tile.floor && high > -INF);
    };
    Window window = window_of(roll, tile);
    for (Index first = 0; first < roll.count * window.down * window.across; first += LANES) {
        Patch mine = superblock(roll, tile, window, first + threadIdx.x);
        if (STEP == GROUND)
            tile.floor = most(tile.floor, most_of_warp(ground<SUPER_Y, SUPER_X>(roll, tile, mine)));
        double high = ceiling<SUPER_Y, SUPER_X>(roll, tile, mine);
        for (unsigned supers = __ballot_sync(ALL, matters(high)); supers; supers &= supers - 1) {
            int lane = __ffs(supers) - 1;
            if (!matters(__shfl_sync(ALL, high, lane))) continue;
            Patch super = superblock(roll, tile, window, first + lane);
            for (int start = 0; start < BLOCK; start += LANES) {
                Patch own = block(roll, super, start + threadIdx.x);
                if (STEP == GROUND) {
                    tile.floor = most(tile.floor, most_of_warp(ground<BLOCK_Y, BLOCK_X>(roll, tile, own)));
                    continue;
                }
                double top = ceiling<BLOCK_Y, BLOCK_X>(roll, tile, own);
                for (unsigned blocks = __ballot_sync(ALL, matters(top)); blocks; blocks &= blocks - 1) {
                    int which = __ffs(blocks) - 1;
                    if (!matters(__shfl_sync(ALL, top, which))) continue;
                    if (STEP == RAISE) raise_by(roll, tile, block(roll, super, start + which));
                    if (STEP == TOUCH) touch(roll, tile, block(roll, super, start + which));
                }
            }
        }
    }
}

extern "C" __global__ void __launch_bounds__(LANES, 16) dilate(
    const REAL* samples, const double* tops, const double* supers, Index ny, Index nx,
    const double* weights, Index reach_y, Index reach_x, const Index* neighbours, Index count, Index width,
    const Index* lead, Index origin_y, Index origin_x, Index planes, Index places_y, Index places_x,
    REAL* values, Index* contacts) {  // contacts may be a null pointer
    const Roll roll = {samples,    tops,  supers, ny,   nx,       weights,  reach_y,  reach_x,
                       neighbours, count, width,  lead, origin_y, origin_x, places_y, places_x};
    Index down = parts(places_y, TILE_Y), across = parts(places_x, TILE_X);
    for (Index i = blockIdx.x; i < planes * down * across; i += gridDim.x) {
        Tile tile;
        tile.plane = i / (down * across);
        tile.y = origin_y + i / across % down * TILE_Y;
        tile.x = origin_x + i % across * TILE_X;
        tile.lane_y = tile.y + threadIdx.x / LANES_X * EACH_Y;
        tile.lane_x = tile.x + threadIdx.x % LANES_X;
        tile.floor = -INF;
        sweep<GROUND>(roll, tile);
        for (int r = 0; r < EACH_Y; r++)
            for (int q = 0; q < EACH_X; q++) {
                Index y = tile.lane_y - origin_y + r, x = tile.lane_x - origin_x + q * LANES_X;
                bool inside = y < places_y && x < places_x;  // those outside must not hold the floor down
                tile.heights[r][q] = inside ? tile.floor : INF;
                tile.contacts[r][q] = -1;
            }
        sweep<RAISE>(roll, tile);
        if (contacts) sweep<TOUCH>(roll, tile);
        for (int r = 0; r < EACH_Y; r++)
            for (int q = 0; q < EACH_X; q++) {
                Index y = tile.lane_y - origin_y + r, x = tile.lane_x - origin_x + q * LANES_X;
                if (y >= places_y || x >= places_x) continue;
                Index place = (tile.plane * places_y + y) * places_x + x;
                narrow(tile.heights[r][q], values[place]);
                if (contacts) contacts[place] = tile.contacts[r][q];
            }
    }
}
