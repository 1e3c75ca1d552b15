// What a convolution sees of a map, one row for each place: [place][row of the filter][column][channel], filled up to whole
// quads with zeros. One quad a thread; x is read by its strides.
@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;
struct Sizes {
    // `first`: the line of the result that the first place is on.
    places: u32, first: u32, quads: u32,
    inputs: u32, channels: u32, filter_columns: u32,
    out_rows: u32, out_columns: u32, in_rows: u32, in_columns: u32,
    stride: u32, padding: u32,
    // From one element of x to the next along each axis.
    batch_step: u32, channel_step: u32, row_step: u32, column_step: u32,
}
@group(0) @binding(2) var<uniform> sizes: Sizes;

fn seen(base: u32, top: u32, left: u32, input: u32) -> f32 {
    let tap = input / sizes.channels;
    // Below the padding these wrap around, and are then outside too.
    let row = top + tap / sizes.filter_columns - sizes.padding;
    let column = left + tap % sizes.filter_columns - sizes.padding;
    let inside = input < sizes.inputs && row < sizes.in_rows && column < sizes.in_columns;
    let channel = input % sizes.channels;
    let at = base + channel * sizes.channel_step + row * sizes.row_step + column * sizes.column_step;
    return select(0.0, x[select(0u, at, inside)], inside);
}

@compute @workgroup_size(64, 1, 1)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
    let thread = (group.y * {{ wide }}u + group.x) * 64u + local.x;
    let place = thread / sizes.quads;
    if (place >= sizes.places) {
        return;
    }
    let column = place % sizes.out_columns;
    let line = sizes.first + place / sizes.out_columns;
    let base = line / sizes.out_rows * sizes.batch_step;
    let top = line % sizes.out_rows * sizes.stride;
    let left = column * sizes.stride;
    let first = 4u * (thread % sizes.quads);
    y[thread] = vec4<f32>(
        seen(base, top, left, first),
        seen(base, top, left, first + 1u),
        seen(base, top, left, first + 2u),
        seen(base, top, left, first + 3u),
    );
}
