// A row a thread: for rows of few channels, and for processors that play a graphics card.
{{ shared }}
{{ activations }}

const EPSILON: f32 = {{ epsilon }};

@compute @workgroup_size(64, 1, 1)
fn main(@builtin(global_invocation_id) place: vec3<u32>) {
    if (place.x >= sizes.rows) {
        return;
    }
    let row = place.x * sizes.quads;
    let channels = f32(4u * sizes.quads);
    var sum = vec4<f32>();
    for (var i = 0u; i < sizes.quads; i++) { sum += x[row + i]; }
    let mean = total(sum) / channels;
    var squares = vec4<f32>();
    for (var i = 0u; i < sizes.quads; i++) {
        let d = x[row + i] - mean;
        squares += d * d;
    }
    let factor = inverseSqrt(total(squares) / channels + EPSILON);
    for (var i = 0u; i < sizes.quads; i++) {
        y[row + i] = {{ activation }}((x[row + i] - mean) * factor * weight[i] + bias[i]);
    }
}
