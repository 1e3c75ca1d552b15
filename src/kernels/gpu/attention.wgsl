// Flash attention for graphics cards, see attention.rs. 128 threads, 32 queries, 32 keys at a time.
@group(0) @binding(0) var<storage, read_write> q: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> k: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> v: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> o: array<vec4<f32>>;
struct Sizes {
  queries: u32, keys: u32,
  // Vectors from one row to the next, and from one batch to the next.
  q_row: u32, q_batch: u32, k_row: u32, k_batch: u32, v_row: u32, v_batch: u32,
}
@group(0) @binding(4) var<uniform> sizes: Sizes;

const D4: u32 = {{ d4 }}u;           // channels of a head, in vectors
const V4: u32 = {{ v4 }}u;           // those of its values
const HEADS: u32 = {{ heads }}u;
const COLUMNS: u32 = {{ columns }}u; // vectors of the result that a thread adds up for each of its rows
const SCALE: f32 = {{ scale }};
const LOW: f32 = -1e30;
const CHUNK: u32 = 8u;               // vectors of a row staged at a time
const V_STEP: u32 = {{ v_step }}u;     // rows of values staged at a time: they fit into `tile` and divide 32

// Queries (first half) and keys (second half) while scores are made, values afterwards.
var<workgroup> tile: array<vec4<f32>, 512>;
// Scores, then weights: [query][key], one of padding in each row against bank conflicts.
var<workgroup> scores: array<f32, 1056>;
var<workgroup> partial: array<f32, 128>;
var<workgroup> factor: array<f32, 32>;

@compute @workgroup_size(128, 1, 1)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) id: u32) {
  let nq = sizes.queries; let nk = sizes.keys;
  let q_first = group.x * 32u;
  let head = group.y * D4;
  let q_base = group.z * sizes.q_batch + head;
  let k_base = group.z * sizes.k_batch + head;
  let v_base = group.z * sizes.v_batch + group.y * V4;
  // For scores and result: rows 4 ty and on; keys tx and tx + 16; columns tx + 16 j.
  let ty = id >> 4u; let tx = id & 15u;
  // For the softmax: four threads to a row, eight keys each.
  let row = id >> 2u; let part = id & 3u;
  var highest = LOW; var total = 0.0;
  var acc: array<array<vec4<f32>, COLUMNS>, 4>;

  for (var key = 0u; key < nk; key += 32u) {
    var s: array<vec2<f32>, 4>;
    for (var c = 0u; c < D4; c += CHUNK) {
      workgroupBarrier();
      for (var i = id; i < 256u; i += 128u) {
        let r = i >> 3u; let cc = c + (i & 7u);
        let inside = cc < D4;
        tile[i] = select(vec4<f32>(), q[q_base + min(q_first + r, nq - 1u) * sizes.q_row + min(cc, D4 - 1u)], inside);
        tile[256u + i] = select(vec4<f32>(), k[k_base + min(key + r, nk - 1u) * sizes.k_row + min(cc, D4 - 1u)], inside);
      }
      workgroupBarrier();
      for (var cc = 0u; cc < CHUNK; cc++) {
        let ka = tile[256u + tx * CHUNK + cc];
        let kb = tile[256u + (tx + 16u) * CHUNK + cc];
        for (var r = 0u; r < 4u; r++) {
          let x = tile[(ty * 4u + r) * CHUNK + cc];
          s[r] += vec2<f32>(dot(x, ka), dot(x, kb));
        }
      }
    }
    for (var r = 0u; r < 4u; r++) {
      let at = (ty * 4u + r) * 33u + tx;
      scores[at] = select(LOW, s[r].x * SCALE, key + tx < nk);
      scores[at + 16u] = select(LOW, s[r].y * SCALE, key + tx + 16u < nk);
    }
    workgroupBarrier();

    let mine = row * 33u + part * 8u;
    var m = LOW;
    for (var i = 0u; i < 8u; i++) { m = max(m, scores[mine + i]); }
    partial[id] = m;
    workgroupBarrier();
    let first = row * 4u;
    let now = max(highest, max(max(partial[first], partial[first + 1u]), max(partial[first + 2u], partial[first + 3u])));
    let shrink = exp(highest - now);
    highest = now;
    total *= shrink;
    for (var i = 0u; i < 8u; i++) {
      let w = exp(scores[mine + i] - now);
      scores[mine + i] = w;
      total += w;
    }
    if (part == 0u) { factor[row] = shrink; }
    workgroupBarrier();

    for (var r = 0u; r < 4u; r++) {
      for (var j = 0u; j < COLUMNS; j++) { acc[r][j] *= factor[ty * 4u + r]; }
    }
    for (var start = 0u; start < 32u; start += V_STEP) {
      workgroupBarrier();
      for (var i = id; i < V_STEP * V4; i += 128u) {
        let r = i / V4;
        tile[i] = v[v_base + min(key + start + r, nk - 1u) * sizes.v_row + (i - r * V4)];
      }
      workgroupBarrier();
      for (var step = 0u; step < V_STEP; step++) {
        let n = start + step;
        for (var r = 0u; r < 4u; r++) {
          let w = scores[(ty * 4u + r) * 33u + n];
          for (var j = 0u; j < COLUMNS; j++) {
            acc[r][j] += w * tile[step * V4 + min(tx + 16u * j, V4 - 1u)];
          }
        }
      }
    }
  }

  // Each of a row's four threads has a quarter of its total.
  workgroupBarrier();
  partial[id] = total;
  workgroupBarrier();
  for (var r = 0u; r < 4u; r++) {
    let at = ty * 4u + r;
    let sum = partial[at * 4u] + partial[at * 4u + 1u] + partial[at * 4u + 2u] + partial[at * 4u + 3u];
    if (q_first + at < nq) {
      let out = ((group.z * nq + q_first + at) * HEADS + group.y) * V4;
      for (var j = 0u; j < COLUMNS; j++) {
        if (tx + 16u * j < V4) { o[out + tx + 16u * j] = acc[r][j] / sum; }
      }
    }
  }
}
