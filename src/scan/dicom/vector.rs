//! Arithmetic on three numbers. In and out: vectors in DICOM's patient space.

pub(super) type Vector = [f64; 3];

pub(super) fn add(a: Vector, b: Vector) -> Vector {
    [0, 1, 2].map(|n| a[n] + b[n])
}

pub(super) fn subtract(a: Vector, b: Vector) -> Vector {
    [0, 1, 2].map(|n| a[n] - b[n])
}

pub(super) fn scale(v: Vector, by: f64) -> Vector {
    v.map(|n| n * by)
}

pub(super) fn dot(a: Vector, b: Vector) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

pub(super) fn cross(a: Vector, b: Vector) -> Vector {
    [
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    ]
}

pub(super) fn length(v: Vector) -> f64 {
    dot(v, v).sqrt()
}
