//! How a surface passes through a cube of eight voxels. In: which corners are inside, as eight bits. Out: the closed
//! borders around them, as the edges they cross.
//!
//! Nothing is tabled by hand. On each face the border goes from where it enters the inside to where it leaves it, so that
//! corners which touch only across a face stay apart; both cubes of a face see the same. Each crossed edge is entered on one
//! of its two faces and left on the other, so the pieces join to rings.

/// One of the cube's twelve edges: 4 x axis, and where it lies along the two axes that follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Edge(u8);

/// A ring around some of the corners, counter-clockwise seen from outside of the surface.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Border {
    /// The edges it crosses, in order.
    pub edges: Vec<Edge>,
    /// Whether its triangles meet in a point of their own; else in the first edge's.
    pub centre: bool,
}

/// The place of corner `c`: bit 0 along x, bit 1 along y, bit 2 along z.
pub(super) fn corner(c: usize) -> [usize; 3] {
    [c & 1, c >> 1 & 1, c >> 2 & 1]
}

impl Edge {
    fn between(a: usize, b: usize) -> Self {
        let axis = (a ^ b).trailing_zeros() as usize;
        let low = corner(a & b);
        let place = 4 * axis + low[(axis + 1) % 3] + 2 * low[(axis + 2) % 3];
        Self(place as u8)
    }

    /// The axis along which it runs.
    pub fn axis(self) -> usize {
        usize::from(self.0) / 4
    }

    /// The corner where it begins.
    pub fn corner(self) -> usize {
        let (axis, place) = (self.axis(), usize::from(self.0) % 4);
        (place & 1) << ((axis + 1) % 3) | (place >> 1) << ((axis + 2) % 3)
    }

    /// The two faces it lies on: an axis and a side each.
    fn faces(self) -> [(usize, usize); 2] {
        let begin = corner(self.corner());
        [1, 2].map(|next| {
            let axis = (self.axis() + next) % 3;
            (axis, begin[axis])
        })
    }

    fn shares_a_face(self, other: Self) -> bool {
        self.faces().iter().any(|face| other.faces().contains(face))
    }
}

/// The borders of each of the 256 cases.
pub(super) fn table() -> Vec<Vec<Border>> {
    (0..256).map(borders).collect()
}

fn borders(case: usize) -> Vec<Border> {
    let mut next = [None; 12];
    for axis in 0..3 {
        for side in 0..2 {
            for (enters, leaves) in crossings(case, face(axis, side)) {
                next[usize::from(enters.0)] = Some(leaves);
            }
        }
    }
    let mut borders = Vec::new();
    for start in 0..12 {
        let mut edges = Vec::new();
        let mut at = start;
        while let Some(edge) = next[at].take() {
            edges.push(edge);
            at = usize::from(edge.0);
        }
        if !edges.is_empty() {
            borders.push(triangulated(edges));
        }
    }
    borders
}

/// The corners of a face, counter-clockwise seen from outside of the cube.
fn face(axis: usize, side: usize) -> [usize; 4] {
    let (u, v) = (1 << ((axis + 1) % 3), 1 << ((axis + 2) % 3));
    let around = match side {
        0 => [0, v, u | v, u],
        _ => [0, u, u | v, v],
    };
    around.map(|corner| corner | side << axis)
}

/// Where a walk around a face enters the inside, and where it leaves it next.
fn crossings(case: usize, face: [usize; 4]) -> impl Iterator<Item = (Edge, Edge)> {
    let inside = move |at: usize| case >> face[at % 4] & 1 == 1;
    let edge = move |at: usize| Edge::between(face[at % 4], face[(at + 1) % 4]);
    let enters = (0..4).filter(move |at| !inside(*at) && inside(at + 1));
    enters.map(move |enter| {
        let mut leave = enter + 1;
        while inside(leave + 1) {
            leave += 1;
        }
        (edge(enter), edge(leave))
    })
}

/// Triangles must not lay an edge of theirs on a face, where the neighbouring cube could have the same one: they meet in a
/// point of the border from which no line does, or, where there is none, in the middle.
fn triangulated(mut edges: Vec<Edge>) -> Border {
    let count = edges.len();
    for _ in 0..count {
        let inner = &edges[2..count - 1];
        if !inner.iter().any(|edge| edge.shares_a_face(edges[0])) {
            let centre = false;
            return Border { edges, centre };
        }
        edges.rotate_left(1);
    }
    let centre = true;
    Border { edges, centre }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_crossed_edge_is_in_one_border() {
        for (case, borders) in table().iter().enumerate() {
            let mut crossed = [0; 12];
            for border in borders {
                assert!(border.edges.len() >= 3, "case {case}");
                for edge in &border.edges {
                    crossed[usize::from(edge.0)] += 1;
                }
            }
            for a in 0..8 {
                for axis in 0..3 {
                    let b = a ^ (1 << axis);
                    let differ = (case >> a & 1) != (case >> b & 1);
                    let count = crossed[usize::from(Edge::between(a, b).0)];
                    assert_eq!(count, i32::from(differ), "case {case}, edge {a} to {b}");
                }
            }
        }
    }

    #[test]
    fn edges_know_their_place() {
        for edge in (0..12).map(Edge) {
            let begin = edge.corner();
            assert_eq!(Edge::between(begin, begin | 1 << edge.axis()), edge);
            assert_eq!(Edge::between(begin | 1 << edge.axis(), begin), edge);
        }
    }

    #[test]
    fn corners_across_a_face_stay_apart() {
        // Corners 0 and 3 lie across the face z = 0: two borders of three edges.
        let borders = borders(0b1001);
        assert_eq!(borders.len(), 2);
        assert!(borders.iter().all(|b| b.edges.len() == 3 && !b.centre));
        // Corners 0 and 1 share an edge: one border.
        assert_eq!(super::borders(0b11).len(), 1);
    }
}
