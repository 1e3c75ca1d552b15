// What all variants of the linear layer share. A matrix is rows of quads: vec4, four columns.

struct Sizes {
    rows: u32,
    // Quads from one row of x to the next.
    stride: u32,
    // Quads of d_input and of d_output.
    inputs: u32,
    outputs: u32,
    // Quads of inputs with the same scales.
    group: u32,
}

{{ bindings }}

// Rows 4 k .. 4 k + 3 of the weight, quad c. A column of this matrix is a row of the weight, so that its product with a
// quad of x is what the quad adds to the sum.
{{ weights }}

// The sums begin with the bias.
fn start(c: u32) -> vec4<f32> {
    return {{ start }};
}

fn finish(row: u32, c: u32, sum: vec4<f32>) {
    let i = row * sizes.outputs + c;
    y[i] = {{ finish }};
}

{{ activations }}
