//! The invariants of ARCHITECTURE.md, held by text: what a module must not know is not there.

use std::fs;
use std::path::{Path, PathBuf};

struct Source {
    /// Relative to the root, with forward slashes.
    path: String,
    text: String,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

fn collect(folder: &Path, extension: &str, found: &mut Vec<Source>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, extension, found);
        } else if path.extension().is_some_and(|e| e == extension) {
            let relative = path.strip_prefix(root()).unwrap();
            let path_text = relative.to_string_lossy().replace('\\', "/");
            found.push(Source {
                path: path_text,
                text: fs::read_to_string(&path).unwrap(),
            });
        }
    }
}

fn rust(folder: &str) -> Vec<Source> {
    let mut found = Vec::new();
    collect(&root().join(folder), "rs", &mut found);
    assert!(!found.is_empty(), "{folder} has no Rust file");
    found
}

/// The part before the file's own tests.
fn production(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or_default()
}

/// Lines of code, comments left out.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = production(text).lines().enumerate();
    lines
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .map(|(i, line)| (i + 1, line))
}

fn forbid(sources: &[Source], words: &[&str], why: &str) {
    for source in sources {
        for (number, line) in code(&source.text) {
            let found = words.iter().find(|word| line.contains(*word));
            assert!(found.is_none(), "{}:{number}: {why}: {line}", source.path);
        }
    }
}

fn outside(sources: Vec<Source>, folder: &str) -> Vec<Source> {
    sources
        .into_iter()
        .filter(|s| !s.path.starts_with(folder))
        .collect()
}

#[test]
fn only_web_knows_the_browser() {
    let words = [
        "wasm_bindgen",
        "web_sys",
        "js_sys",
        "console_error_panic_hook",
    ];
    forbid(
        &outside(rust("src"), "src/web/"),
        &words,
        "browser code belongs in src/web",
    );
}

#[test]
fn only_the_command_line_knows_a_terminal() {
    let words = ["clap::", "indicatif::", "println!", "eprintln!"];
    forbid(
        &outside(rust("src"), "src/bin/"),
        &words,
        "terminal code belongs in src/bin/oneslice",
    );
}

#[test]
fn only_fetch_knows_the_network() {
    let words = [
        "ureq",
        "std::net",
        "TcpStream",
        "reqwest",
        "http://",
        "https://",
    ];
    let sources = outside(rust("src"), "src/bin/oneslice/fetch.rs");
    forbid(&sources, &words, "network access belongs in fetch.rs");
}

#[test]
fn models_read_nothing_back_and_touch_no_file() {
    let words = [
        "into_data",
        "to_data",
        "into_scalar",
        "to_scalar",
        "std::fs",
        "std::io",
        "Result<",
        "async ",
    ];
    for folder in ["src/lpips", "src/nn", "src/sam2"] {
        forbid(
            &rust(folder),
            &words,
            "a model is pure: no readback, no file, no Result",
        );
    }
}

#[test]
fn volumes_have_no_tensors() {
    forbid(&rust("src/volume"), &["burn"], "src/volume is plain arrays");
    forbid(&rust("src/scan"), &["burn"], "src/scan is plain arrays");
}

/// scan -> volume -> sam2 -> propagate -> export, and nothing points back.
#[test]
fn modules_point_one_way() {
    let allowed: [(&str, &[&str]); 11] = [
        ("volume", &["volume"]),
        ("scan", &["scan", "volume"]),
        ("kernels", &["kernels"]),
        ("nn", &["nn", "kernels"]),
        ("sam2", &["sam2", "nn"]),
        ("lpips", &["lpips", "nn"]),
        ("checkpoint", &["checkpoint", "kernels", "lpips", "sam2"]),
        ("propagate", &["propagate", "lpips", "sam2", "volume"]),
        ("export", &["export", "scan", "volume"]),
        ("eval", &["eval", "volume"]),
        (
            "web",
            &[
                "web",
                "checkpoint",
                "eval",
                "export",
                "kernels",
                "lpips",
                "propagate",
                "sam2",
                "scan",
                "volume",
            ],
        ),
    ];
    let lib = read("src/lib.rs");
    let modules = lib
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    for module in modules {
        assert!(
            allowed.iter().any(|(name, _)| *name == module),
            "say what {module} may use"
        );
    }
    for (module, uses) in allowed {
        for source in rust(&format!("src/{module}")) {
            for (number, line) in code(&source.text) {
                for used in line.split("crate::").skip(1) {
                    let end = used.find(|c: char| !c.is_alphanumeric() && c != '_');
                    let used = &used[..end.unwrap_or(used.len())];
                    let path = &source.path;
                    assert!(
                        uses.contains(&used),
                        "{path}:{number}: {module} may not use {used}"
                    );
                }
            }
        }
    }
}

#[test]
fn every_module_says_what_it_is() {
    for folder in ["src", "tests"] {
        for source in rust(folder) {
            assert!(
                source.text.starts_with("//!"),
                "{} does not begin with //!",
                source.path
            );
        }
    }
}

#[test]
fn files_stay_short() {
    const LIMIT: usize = 400;
    let mut sources = rust("src");
    sources.extend(rust("tests"));
    for extension in ["ts", "css"] {
        collect(&root().join("www/src"), extension, &mut sources);
    }
    for source in sources {
        let lines = production(&source.text).lines().count();
        assert!(
            lines <= LIMIT,
            "{} has {lines} lines, more than {LIMIT}",
            source.path
        );
    }
}

#[test]
fn nothing_is_unfinished_or_switched_off() {
    // Spelled so that this file does not find itself.
    let words = [
        concat!("to", "do!("),
        concat!("unimpl", "emented!("),
        concat!("#[ig", "nore"),
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
    ];
    let mut sources = rust("src");
    sources.extend(rust("tests"));
    for source in sources {
        for word in words {
            assert!(!source.text.contains(word), "{} has {word}", source.path);
        }
    }
}

#[test]
fn every_golden_comes_from_the_generator() {
    let index = read("tests/golden/index.json");
    for entry in fs::read_dir(root().join("tests/golden")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".safetensors") {
            assert!(
                index.contains(&format!("\"{name}\"")),
                "{name} is not in index.json"
            );
        }
    }
}

#[test]
fn the_web_build_settings_fit_the_package() {
    let settings = read("wasm-pack.toml");
    let setting = |key: &str| {
        let line = settings
            .lines()
            .find_map(|l| l.strip_prefix(key)?.trim().strip_prefix('='));
        let value = line.unwrap_or_else(|| panic!("wasm-pack.toml has no {key}"));
        value.trim().trim_matches('"').to_owned()
    };
    let cargo = read("Cargo.toml");
    assert!(
        cargo.contains(&format!("[profile.{}]", setting("profile"))),
        "the build profile"
    );
    assert!(
        cargo.contains("crate-type = [\"cdylib\", \"rlib\"]"),
        "wasm needs a cdylib"
    );
    assert_eq!(setting("out-name"), "oneslice");
    for feature in setting("features").split(',').filter(|f| !f.is_empty()) {
        assert!(
            cargo.contains(&format!("\n{feature} = ")),
            "there is no feature {feature}"
        );
    }
}

#[test]
fn the_code_map_names_every_folder() {
    let map = read("ARCHITECTURE.md");
    for entry in fs::read_dir(root().join("src")).unwrap() {
        let entry = entry.unwrap();
        if entry.path().is_dir() {
            let name = entry.file_name().into_string().unwrap();
            assert!(
                map.contains(&format!("src/{name}/")),
                "ARCHITECTURE.md does not name src/{name}/"
            );
        }
    }
}
