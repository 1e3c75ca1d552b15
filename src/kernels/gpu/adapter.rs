//! What kind of adapter a tensor lives on: kernels come in variants for it.

use std::sync::atomic::{AtomicU8, Ordering};

use burn_cubecl::tensor::CubeTensor;

/// Kinds of adapter that need other kernels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AdapterClass {
    /// A graphics card: many threads, fast workgroup memory.
    Hardware,
    /// A graphics card played by a processor (SwiftShader, lavapipe): barriers and workgroup memory cost
    /// more than they save.
    Emulated,
}

/// Bytes of workgroup memory that a kernel for graphics cards takes at most (attention.wgsl), and threads of its workgroup. What
/// has less gets the kernels for emulators, which take neither. Every WebGPU device has more: 16 KiB and 256.
const WORKGROUP_MEMORY: usize = 13_056;
const WORKGROUP_THREADS: u32 = 128;

/// 0: not said; else the class + 1.
static ASSUMED: AtomicU8 = AtomicU8::new(0);

/// Says what class all adapters are. A browser does not tell an adapter's name to wgpu, so the page's side
/// has to; tests use it to run every variant on any adapter. `None` goes back to the adapter's own name.
pub fn assume_class(class: Option<AdapterClass>) {
    let code = match class {
        None => 0,
        Some(AdapterClass::Hardware) => 1,
        Some(AdapterClass::Emulated) => 2,
    };
    ASSUMED.store(code, Ordering::Relaxed);
}

impl AdapterClass {
    pub(super) fn of(tensor: &CubeTensor) -> Self {
        match ASSUMED.load(Ordering::Relaxed) {
            1 => Self::Hardware,
            2 => Self::Emulated,
            _ => {
                let properties = tensor.client.properties();
                let limits = &properties.hardware;
                match Self::has_room(limits.max_shared_memory_size, limits.max_units_per_cube) {
                    true => Self::of_name(&properties.identity.name),
                    false => Self::Emulated,
                }
            }
        }
    }

    fn has_room(workgroup_memory: usize, threads: u32) -> bool {
        workgroup_memory >= WORKGROUP_MEMORY && threads >= WORKGROUP_THREADS
    }

    fn of_name(name: &str) -> Self {
        let name = name.to_lowercase();
        let emulators = ["llvmpipe", "lavapipe", "swiftshader", "basic render"];
        match emulators.iter().any(|emulator| name.contains(emulator)) {
            true => Self::Emulated,
            false => Self::Hardware,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes of a kernel's `var<workgroup>`s.
    fn workgroup_memory(text: &str) -> usize {
        let arrays = text.lines().filter_map(|line| {
            let (_, array) = line.strip_prefix("var<workgroup>")?.split_once("array<")?;
            let (of, count) = array.rsplit_once(", ").expect("a length");
            let count = count.trim_end_matches(">;").replace("{{ rows }}", "8");
            let count = count
                .split(" * ")
                .map(|n| n.parse::<usize>().expect("a number"));
            Some(count.product::<usize>() * if of == "f32" { 4 } else { 16 })
        });
        arrays.sum()
    }

    #[test]
    fn kernels_for_graphics_cards_take_what_is_said_here() {
        let attention = workgroup_memory(include_str!("attention.wgsl"));
        assert_eq!(attention, WORKGROUP_MEMORY);
        for text in [
            include_str!("linear_tiled.wgsl"),
            include_str!("linear_few.wgsl"),
            include_str!("layer_norm_wide.wgsl"),
        ] {
            let bytes = workgroup_memory(text);
            assert!(bytes > 0 && bytes <= WORKGROUP_MEMORY, "{bytes} bytes");
        }
        assert!(AdapterClass::has_room(16 << 10, 256));
        assert!(!AdapterClass::has_room(8 << 10, 256));
        assert!(!AdapterClass::has_room(16 << 10, 64));
    }

    #[test]
    fn emulators_are_known_by_name() {
        for name in [
            "llvmpipe (LLVM 15.0.6, 256 bits)",
            "SwiftShader Device (LLVM 10.0.0)",
            "Microsoft Basic Render Driver",
        ] {
            assert_eq!(AdapterClass::of_name(name), AdapterClass::Emulated);
        }
        for name in ["NVIDIA H200", "Apple M2", ""] {
            assert_eq!(AdapterClass::of_name(name), AdapterClass::Hardware);
        }
    }
}
