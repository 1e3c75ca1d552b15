// Each channel with its own filter, stride 1; channels side by side. One quad of one place a thread, see conv2d.rs.
@group(0) @binding(0) var<storage, read_write> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> weight: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> bias: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>;
struct Sizes {
    places: u32, quads: u32,
    side: u32, padding: u32,
    out_rows: u32, out_columns: u32, in_rows: u32, in_columns: u32,
}
@group(0) @binding(4) var<uniform> sizes: Sizes;

@compute @workgroup_size(64, 1, 1)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
    let thread = (group.y * {{ wide }}u + group.x) * 64u + local.x;
    let place = thread / sizes.quads;
    if (place >= sizes.places) {
        return;
    }
    let c = thread % sizes.quads;
    let column = place % sizes.out_columns;
    let line = place / sizes.out_columns;
    let first_row = line / sizes.out_rows * sizes.in_rows;
    var sum = bias[c];
    for (var i = 0u; i < sizes.side; i++) {
        // Below the padding it wraps around, and is then outside too.
        let row = line % sizes.out_rows + i - sizes.padding;
        if (row < sizes.in_rows) {
            for (var j = 0u; j < sizes.side; j++) {
                let seen = column + j - sizes.padding;
                if (seen < sizes.in_columns) {
                    let at = ((first_row + row) * sizes.in_columns + seen) * sizes.quads + c;
                    sum += weight[(i * sizes.side + j) * sizes.quads + c] * x[at];
                }
            }
        }
    }
    y[thread] = sum;
}
