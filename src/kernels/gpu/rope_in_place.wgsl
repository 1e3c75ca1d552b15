// Rotary encoding where the tensor stands, one vector (two pairs) a thread, see rope.rs. The tail stays as it is.
@group(0) @binding(0) var<storage, read_write> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> table: array<vec4<f32>>;
struct Sizes {
  tokens: u32, turned: u32,
  // Vectors from one row to the next, and from one batch to the next.
  row: u32, batch: u32,
}
@group(0) @binding(2) var<uniform> sizes: Sizes;

const C4: u32 = {{ c4 }}u;

@compute @workgroup_size(64, 1, 1)
fn main(@builtin(global_invocation_id) g: vec3<u32>) {
  let token = g.x / C4; let c = g.x - token * C4;
  if (token >= sizes.turned) { return; }
  let at = g.z * sizes.batch + token * sizes.row + c;
  let p = x[at];
  let angle = table[(token % (arrayLength(&table) / C4)) * C4 + c];
  x[at] = vec4<f32>(
    p.x * angle.x - p.y * angle.y, p.x * angle.y + p.y * angle.x,
    p.z * angle.z - p.w * angle.w, p.z * angle.w + p.w * angle.z);
}
