// For a graphics card and few rows: too few tiles to fill it, and the weight is most of the traffic. A workgroup of 8 x 8
// threads computes 8 rows of 8 quads; its threads share the inputs out along y, each reads every weight it needs once, for
// all rows, and 8 KiB of workgroup memory bring the parts together.

var<workgroup> parts: array<vec4<f32>, 512>;

@compute @workgroup_size(8, 8, 1)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
    let row = group.y * 8u;
    let c = group.x * 8u + local.x;
    let column = min(c, sizes.outputs - 1u);
    let p$r = min(row + $ru, sizes.rows - 1u) * sizes.stride;
    var sum$r = vec4<f32>();
    for (var k = local.y; k < sizes.inputs; k += 8u) {
        let w = weights(k, column, scales_of(k, column));
        sum$r += w * x[p$r + k];
    }
    parts[(local.y * 8u + $ru) * 8u + local.x] = sum$r;
    workgroupBarrier();
    var sum = start(column);
    sum += parts[($ru * 8u + local.y) * 8u + local.x];
    if (row + local.y < sizes.rows && c < sizes.outputs) {
        finish(row + local.y, c, sum);
    }
}
