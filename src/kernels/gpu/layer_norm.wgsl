@group(0) @binding(0) var<storage, read_write> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> weight: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> bias: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>;
struct Sizes { rows: u32, quads: u32 }
@group(0) @binding(4) var<uniform> sizes: Sizes;

fn total(v: vec4<f32>) -> f32 {
    return dot(v, vec4(1.0));
}
