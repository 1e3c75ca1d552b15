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

fn gelu(x: vec4<f32>) -> vec4<f32> {
    return 0.5 * x * (1.0 + erf(x * 0.70710678));
}

// Below 1e-7 off: a polynomial near zero, 1 - exp(polynomial) elsewhere.
fn erf(x: vec4<f32>) -> vec4<f32> {
    let t = abs(x);
    let s = x * x;
    var far = fma(fma(vec4(-1.72853470e-5), t, vec4(3.83197126e-4)), s, fma(vec4(-3.88396438e-3), t, vec4(2.42546219e-2)));
    far = fma(fma(far, t, vec4(-1.06777877e-1)), t, vec4(-6.34846687e-1));
    far = fma(fma(far, t, vec4(-1.28717512e-1)), t, -t);
    var near = fma(fma(vec4(-5.96761703e-4), s, vec4(4.99119423e-3)), s, vec4(-2.67681349e-2));
    near = fma(fma(near, s, vec4(1.12819925e-1)), s, vec4(-3.76125336e-1));
    near = fma(fma(near, s, vec4(1.28379166e-1)), x, x);
    return select(near, sign(x) * (1.0 - exp(far)), t > vec4(0.927734375));
}
