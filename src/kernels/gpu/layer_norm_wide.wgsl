// For a graphics card: sixteen threads to a row, side by side, four rows to a workgroup.
{{ shared }}
{{ activations }}

const EPSILON: f32 = {{ epsilon }};

var<workgroup> parts: array<f32, 64>;

// The sum over the sixteen threads of a row; all get it.
fn together(part: f32, local: vec3<u32>) -> f32 {
    let first = local.y * 16u;
    workgroupBarrier(); // the last sum has been read
    parts[first + local.x] = part;
    workgroupBarrier();
    var sum = 0.0;
    for (var i = 0u; i < 16u; i++) { sum += parts[first + i]; }
    return sum;
}

@compute @workgroup_size(16, 4, 1)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
    let place = group.x * 4u + local.y;
    let row = min(place, sizes.rows - 1u) * sizes.quads;
    let channels = f32(4u * sizes.quads);
    var sum = vec4<f32>();
    for (var i = local.x; i < sizes.quads; i += 16u) { sum += x[row + i]; }
    let mean = together(total(sum), local) / channels;
    var squares = vec4<f32>();
    for (var i = local.x; i < sizes.quads; i += 16u) {
        let d = x[row + i] - mean;
        squares += d * d;
    }
    let factor = inverseSqrt(together(total(squares), local) / channels + EPSILON);
    if (place < sizes.rows) {
        for (var i = local.x; i < sizes.quads; i += 16u) {
            y[row + i] = {{ activation }}((x[row + i] - mean) * factor * weight[i] + bias[i]);
        }
    }
}
