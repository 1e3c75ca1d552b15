//! What an adapter can do at most: multiply-adds in registers, and copying. In: a device. Out: rates that kernels are a share of.

use std::time::Instant;

use burn::tensor::{DType, Device, Tensor};
use burn_cubecl::template::{KernelSource, SourceKernel, SourceTemplate};
use burn_cubecl::{Cube, tensor::CubeTensor};
use cubecl::prelude::KernelId;
use cubecl::{CubeCount, CubeDim, server::KernelArguments};

const RUNS: usize = 5;
const THREADS: usize = 64;
/// Workgroups side by side.
const WIDE: usize = 32_768;
/// Multiply-adds of a thread: eight sums of four, 1024 times.
const MACS: usize = 8 * 4 * 1024;

const MULTIPLY: &str = "
@group(0) @binding(0) var<storage, read_write> y: array<vec4<f32>>;
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
    let place = (group.y * 32768u + group.x) * 64u + local.x;
    let a = vec4<f32>(0.999, 0.998, 0.997, 0.996) + f32(local.x) * 1e-6;
    let b = y[place];
    var s0 = b; var s1 = b + 1.0; var s2 = b + 2.0; var s3 = b + 3.0;
    var s4 = b + 4.0; var s5 = b + 5.0; var s6 = b + 6.0; var s7 = b + 7.0;
    for (var i = 0u; i < 1024u; i++) {
        s0 = s0 * a + b; s1 = s1 * a + b; s2 = s2 * a + b; s3 = s3 * a + b;
        s4 = s4 * a + b; s5 = s5 * a + b; s6 = s6 * a + b; s7 = s7 * a + b;
    }
    y[place] = s0 + s1 + s2 + s3 + s4 + s5 + s6 + s7;
}";

const COPY: &str = "
@group(0) @binding(0) var<storage, read_write> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
    let place = (group.y * 32768u + group.x) * 64u + local.x;
    y[place] = x[place];
}";

/// An adapter's most, a second.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// 1e9 multiply-adds.
    pub gmacs: f64,
    /// 1e9 bytes read and written.
    pub gbytes: f64,
}

impl Limits {
    /// Measures, and prints what was found.
    pub fn of(device: &Device) -> Self {
        let (mut groups, mut seconds) = (16, 0.0);
        while seconds < 0.02 && groups < 16 * WIDE {
            groups *= 2;
            let y = cube(groups * THREADS, device);
            seconds = best(device, || run(MULTIPLY, groups, &[&y]));
        }
        let gmacs = (groups * THREADS * MACS) as f64 / seconds * 1e-9;
        // 128 MiB, which no cache holds.
        let copied = 4 * WIDE;
        let (x, y) = (
            cube(copied * THREADS, device),
            cube(copied * THREADS, device),
        );
        let seconds = best(device, || run(COPY, copied, &[&x, &y]));
        let gbytes = (2 * copied * THREADS * size_of::<[f32; 4]>()) as f64 / seconds * 1e-9;
        println!("limits: {gmacs:.1} GMAC/s in registers, {gbytes:.1} GB/s copied");
        Self { gmacs, gbytes }
    }

    /// Of a kernel's rates, the larger share: what bounds it.
    pub fn share(&self, gmacs: f64, gbytes: f64) -> String {
        let (computing, moving) = (gmacs / self.gmacs, gbytes / self.gbytes);
        match computing > moving {
            true => format!("{:.0} % of GMAC/s", computing * 100.0),
            false => format!("{:.0} % of GB/s", moving * 100.0),
        }
    }
}

fn cube(quads: usize, device: &Device) -> CubeTensor {
    let tensor = Tensor::<1>::zeros([4 * quads], (device, DType::F32));
    tensor
        .try_into_primitive::<Cube>()
        .expect("a graphics device")
}

/// Seconds of the quickest run.
fn best(device: &Device, run: impl Fn()) -> f64 {
    let timed = || {
        let started = Instant::now();
        run();
        device.sync().expect("the device");
        started.elapsed().as_secs_f64()
    };
    timed(); // compiles
    (0..RUNS).map(|_| timed()).fold(f64::MAX, f64::min)
}

#[derive(Clone)]
struct Probe(&'static str);

impl KernelSource for Probe {
    fn source(&self) -> SourceTemplate {
        SourceTemplate::new(self.0)
    }

    fn id(&self) -> KernelId {
        KernelId::new::<Self>().info(self.0)
    }

    fn lang(&self) -> &'static str {
        "wgsl"
    }
}

fn run(text: &'static str, groups: usize, buffers: &[&CubeTensor]) {
    let dim = CubeDim::new_1d(THREADS as u32);
    let bindings = buffers.iter().map(|b| b.handle.clone().binding());
    let arguments = KernelArguments::new().with_buffers(bindings.collect());
    let (x, y) = (groups.min(WIDE), groups.div_ceil(WIDE));
    let count = CubeCount::Static(x as u32, y as u32, 1);
    let kernel = Box::new(SourceKernel::new(Probe(text), dim));
    buffers[0].client.launch(kernel, count, arguments);
}
