//! Surfaces as files. In: meshes. Out: the bytes of a binary STL, or of an OBJ with an object for each.

use std::fmt::Write;

use super::Mesh;

/// What a reader that knows 3D Slicer's convention looks for. An STL that begins with `solid` would be taken for text.
const HEADER: &str = "OneSlice surface, millimetres. SPACE=LPS";

/// A binary STL.
pub fn stl(mesh: &Mesh) -> Vec<u8> {
    let mut bytes = HEADER.as_bytes().to_vec();
    bytes.resize(80, b' ');
    bytes.reserve(4 + 50 * mesh.triangles.len());
    bytes.extend((mesh.triangles.len() as u32).to_le_bytes());
    for triangle in &mesh.triangles {
        let corners = triangle.map(|point| mesh.points[point as usize]);
        for vector in [normal(&corners)].iter().chain(&corners) {
            bytes.extend(vector.iter().flat_map(|v| (*v as f32).to_le_bytes()));
        }
        bytes.extend([0, 0]);
    }
    bytes
}

/// An OBJ with a named object for each mesh.
pub fn obj(meshes: &[(String, Mesh)]) -> Vec<u8> {
    let mut text = format!("# {HEADER}\n");
    let mut first = 1;
    for (name, mesh) in meshes {
        // Readers end a name at white space.
        let name = name.split_whitespace().collect::<Vec<_>>().join("_");
        let _ = writeln!(text, "o {name}"); // a String takes everything
        for [x, y, z] in &mesh.points {
            let _ = writeln!(text, "v {x:.4} {y:.4} {z:.4}");
        }
        for triangle in &mesh.triangles {
            let [a, b, c] = triangle.map(|point| point as usize + first);
            let _ = writeln!(text, "f {a} {b} {c}");
        }
        first += mesh.points.len();
    }
    text.into_bytes()
}

/// The direction that a triangle faces, of length one; zero for one without area.
fn normal([a, b, c]: &[[f64; 3]; 3]) -> [f64; 3] {
    let (u, v) = (
        [0, 1, 2].map(|i| b[i] - a[i]),
        [0, 1, 2].map(|i| c[i] - a[i]),
    );
    let cross = [
        u[1] * v[2] - u[2] * v[1],
        u[2] * v[0] - u[0] * v[2],
        u[0] * v[1] - u[1] * v[0],
    ];
    let length = cross.iter().map(|v| v * v).sum::<f64>().sqrt();
    cross.map(|v| v / length.max(f64::MIN_POSITIVE))
}
