// For a processor that plays a graphics card: no barrier and no workgroup memory. A load costs as much as ten
// multiplications there, so that each thread keeps as many sums as pay: rows x quads.

@compute @workgroup_size(8, 2, 1)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
    @builtin(global_invocation_id) place: vec3<u32>,
) {
    let row = place.y * {{ rows }}u;
    if (row >= sizes.rows) {
        return;
    }
    // Every lane has a column and a row: with one idle, the emulators load lane by lane.
    let c = group.x * {{ quads }}u * 8u + local.x;
    let c$c = min(c + $cu * 8u, sizes.outputs - 1u);
    let p$r = min(row + $ru, sizes.rows - 1u) * sizes.stride;
    let b$c = start(c$c);
    var sum$r_$c = b$c;
    for (var g = 0u; g < sizes.inputs; g += sizes.group) {
        let s$c = scales_of(g, c$c);
        for (var k = g; k < g + sizes.group; k++) {
            let w$c = weights(k, c$c, s$c);
            let x$r = x[p$r + k];
            sum$r_$c += w$c * x$r;
        }
    }
    if (row + $ru < sizes.rows && c + $cu * 8u < sizes.outputs) { finish(row + $ru, c$c, sum$r_$c); }
}
