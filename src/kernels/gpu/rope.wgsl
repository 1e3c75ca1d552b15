// Rotary encoding, one vector (two pairs) a thread, see rope.rs.
@group(0) @binding(0) var<storage, read_write> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> table: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;
struct Sizes {
  tokens: u32, turned: u32,
  // Vectors from one row to the next, and from one batch to the next.
  row: u32, batch: u32,
}
@group(0) @binding(3) var<uniform> sizes: Sizes;

const C4: u32 = {{ c4 }}u;

@compute @workgroup_size(64, 1, 1)
fn main(@builtin(global_invocation_id) g: vec3<u32>) {
  let tokens = sizes.tokens; let turned = sizes.turned;
  let token = g.x / C4; let c = g.x - token * C4;
  if (token >= tokens) { return; }
  let p = x[g.z * sizes.batch + token * sizes.row + c];
  let angle = table[(token % (arrayLength(&table) / C4)) * C4 + c];
  let rotated = vec4<f32>(
    p.x * angle.x - p.y * angle.y, p.x * angle.y + p.y * angle.x,
    p.z * angle.z - p.w * angle.w, p.z * angle.w + p.w * angle.z);
  y[(g.z * tokens + token) * C4 + c] = select(p, rotated, token < turned);
}
