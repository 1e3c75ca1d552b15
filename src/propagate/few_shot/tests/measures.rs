//! The real measures.

use super::*;

/// The real measures, on squares of one grey: the nearest is nearest for each of them but none.
#[test]
fn measures_count_and_compare() {
    let shape = SliceShape { rows: 20, cols: 30 };
    let slice = |grey: u8| GreySlice {
        grey: (0..shape.area()).map(|i| grey + (i % 7) as u8).collect(),
        shape,
    };
    for (measure, nearest) in [(Measure::Psnr, 1), (Measure::Ssim, 1), (Measure::None, 0)] {
        let measured = Measured::new(measure.clone());
        let supports = [vec![slice(200)], vec![slice(100), slice(10)]];
        let batches = supports.map(|batch| measured.features(&batch));
        let query = measured.features(&[slice(90)]);
        let distances = pollster::block_on(measured.distances(&query, &batches));
        let distances = distances.expect("no device");
        assert_eq!((distances.len(), measured.slices_seen()), (3, 4));
        let mut order: Vec<usize> = (0..3).collect();
        order.sort_by(|&a, &b| distances[a].total_cmp(&distances[b]));
        assert_eq!(order[0], nearest, "{measure:?}: {distances:?}");
        assert_eq!(measured.compares(), nearest == 1);
    }
}
