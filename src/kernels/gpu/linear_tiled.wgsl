// For a graphics card: a workgroup of 16 x 8 threads computes a tile of 8 R rows and 16 quads. For each 16 inputs it brings
// 8 R x 4 quads of x and 16 x 16 of the weight into workgroup memory, 4 + 4 KiB at R = 8, packed weights being read and
// unpacked once for the tile. A thread has R rows (8 apart, so that a row's threads write side by side) of one quad:
// 16 R multiplications for R + 4 reads.

var<workgroup> x_tile: array<vec4<f32>, {{ rows }} * 32>;
var<workgroup> w_tile: array<vec4<f32>, 256>;

@compute @workgroup_size(16, 8, 1)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let last_row = sizes.rows - 1u;
    let last_quad = sizes.inputs - 1u;
    let row = group.y * {{ rows }}u * 8u;
    let c = group.x * 16u + local.x;
    let column = min(c, sizes.outputs - 1u);
    // What this thread loads: one quad of x in every 32 rows, and in half the threads four rows of its weight's column.
    let quad = thread % 4u;
    let p$i = min(row + thread / 4u + $iu * 32u, last_row) * sizes.stride;

    var sum$r = start(column);
    for (var first = 0u; first < sizes.inputs; first += 4u) {
        let k = first + quad;
        let k_safe = min(k, last_quad);
        x_tile[thread + $iu * 128u] = select(vec4<f32>(), x[p$i + k_safe], k < sizes.inputs);
        if (local.y < 4u) {
            let k = min(first + local.y, last_quad);
            let w = weights(k, column, scales_of(k, column));
            w_tile[local.y * 64u + $ju * 16u + local.x] = w[$j];
        }
        workgroupBarrier();
        for (var q = 0u; q < 4u; q++) {
            let at = q * 64u + local.x;
            let w = mat4x4<f32>(w_tile[at], w_tile[at + 16u], w_tile[at + 32u], w_tile[at + 48u]);
            sum$r += w * x_tile[(local.y + $ru * 8u) * 4u + q];
        }
        workgroupBarrier();
    }
    if (c < sizes.outputs) {
        if (row + local.y + $ru * 8u <= last_row) { finish(row + local.y + $ru * 8u, c, sum$r); }
    }
}
