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
            _ => Self::of_name(&tensor.client.properties().identity.name),
        }
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
