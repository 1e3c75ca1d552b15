//! `oneslice few-shot`. What fails on its own (a labelled scan, a slice of it, a scan to segment) is said and left out.

mod report;
mod supports;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use burn::tensor::Device;
use oneslice::export;
use oneslice::propagate::few_shot::{
    AugmentOptions, FewShot, FewShotLabel, FewShotOptions, FewShotSlice, Measure, Measured,
    same_kind,
};
use oneslice::propagate::{Sam2Frames, Strategy};
use oneslice::sam2::{ImageSize, Sam2, Sam2Config};
use oneslice::volume::{Volume, Window};

use self::report::{Details, QueryReport, Row, Seconds, Summary};
use self::supports::Known;
use super::args::{self, MatcherKind};
use super::failed::fail;
use super::{Failure, files, lpips, model, progress};

/// The files that are made of a scan.
struct Outputs {
    labels: PathBuf,
    json: PathBuf,
    csv: PathBuf,
}

/// Everything that serves all scans.
struct Job<'a> {
    arguments: &'a args::FewShot,
    json: bool,
    known: Known,
    config: Sam2Config,
    sam2: Sam2,
    measure: Measure,
    options: FewShotOptions,
    /// What the last scan was seen with, and at which size.
    few_shot: FewShot<Sam2Frames, Measured>,
    image_size: ImageSize,
    matcher: String,
}

/// Segments each query.
pub fn run(arguments: &args::FewShot, json: bool) -> Result<(), Failure> {
    let outputs = outputs(arguments)?;
    let device = model::device(arguments.device)?;
    let (config, sam2) = model::load(&arguments.model, &device)?;
    let (matcher, measure) = measure(arguments, &device)?;
    let options = options(arguments)?;
    options.augment.check()?;
    let mut failed = Vec::new();
    let known = supports::read(arguments, &mut failed)?;
    let supports = known.supports.clone();
    let size = image_size(arguments, &config, 0); // until a scan asks for another
    let mut job = Job {
        arguments,
        json,
        known,
        few_shot: FewShot::with_sam2(&sam2, size, measure.clone(), supports, options)?,
        image_size: size,
        config,
        sam2,
        measure,
        options,
        matcher,
    };
    let mut done = Vec::new();
    for (query, outputs) in arguments.query.iter().zip(&outputs) {
        match job.segment(query, outputs) {
            Ok(report) => done.push(report),
            Err(error) => fail(&mut failed, query.display().to_string(), error),
        }
    }
    let summary = Summary {
        model: arguments.model.clone(),
        config: job.config.name,
        matcher: job.matcher,
        carry: options.carry,
        supports: job.known.names(),
        queries: done,
        failed,
    };
    match json {
        true => files::print_json(&summary)?,
        false => files::print(&summary.text()?)?,
    }
    match summary.failed.len() {
        0 => Ok(()),
        count => Err(format!("{count} of the inputs failed; the others are done").into()),
    }
}

fn options(arguments: &args::FewShot) -> Result<FewShotOptions, Failure> {
    let augment = &arguments.augment;
    if arguments.memory.given() && !arguments.carry {
        return Err("few-shot has a memory with --carry only".into());
    }
    let carry = match arguments.carry {
        true => Some(arguments.memory.options(Strategy::SelfSorting)?),
        false => None,
    };
    Ok(FewShotOptions {
        augment: AugmentOptions {
            per_query: augment.copies,
            rotation: augment.rotation,
            scale: augment.scale,
            shear: augment.shear,
            translation: augment.translation,
            brightness: augment.brightness,
            contrast: augment.contrast,
            seed: augment.seed,
        },
        min_object_score: arguments.min_object_score,
        carry,
    })
}

/// The size that was asked for, or the one that suits slices whose longer side has `longest` pixels.
fn image_size(arguments: &args::FewShot, config: &Sam2Config, longest: usize) -> ImageSize {
    let suited = || config.image_size_for(longest, None); // an object has any size on another scan
    arguments.image_size.unwrap_or_else(suited)
}

/// The measure and its name, which for LPIPS is that of its network.
fn measure(arguments: &args::FewShot, device: &Device) -> Result<(String, Measure), Failure> {
    Ok(match arguments.matcher {
        MatcherKind::Lpips => {
            let (_, network) = lpips::load(&arguments.lpips, "--lpips", device)?;
            (arguments.lpips.clone(), Measure::Lpips(Arc::new(network)))
        }
        MatcherKind::Ssim => ("ssim".into(), Measure::Ssim),
        MatcherKind::Psnr => ("psnr".into(), Measure::Psnr),
        MatcherKind::None => ("none".into(), Measure::None),
    })
}

/// Where the results go; checked before the work.
fn outputs(arguments: &args::FewShot) -> Result<Vec<Outputs>, Failure> {
    let folder = &arguments.out;
    files::make_folder(folder)?;
    let given = [&arguments.support, &arguments.mask, &arguments.query];
    let mut taken: Vec<&Path> = given.into_iter().flatten().map(PathBuf::as_path).collect();
    let model = Path::new(&arguments.model);
    taken.extend([model, Path::new(&arguments.lpips)]);
    let named = |query: &PathBuf| {
        let stem = files::stem(query);
        let file = |end: &str| folder.join(format!("{stem}{end}"));
        Outputs {
            labels: file("_seg.nii.gz"),
            json: file("_slices.json"),
            csv: file("_slices.csv"),
        }
    };
    let all: Vec<Outputs> = arguments.query.iter().map(named).collect();
    for (number, outputs) in all.iter().enumerate() {
        let same = all[..number]
            .iter()
            .position(|o| o.labels == outputs.labels);
        if let Some(same) = same {
            let [a, b] = [same, number].map(|i| arguments.query[i].display());
            return Err(format!("{a} and {b} would be written to the same files").into());
        }
        for path in [&outputs.labels, &outputs.json, &outputs.csv] {
            files::check_output(path, &taken)?;
        }
    }
    Ok(all)
}

impl Job<'_> {
    fn segment(&mut self, query: &Path, outputs: &Outputs) -> Result<QueryReport, Failure> {
        let arguments = self.arguments;
        let scan = files::read_scan(query, arguments.volume)?;
        let window = self.window(&scan.volume)?;
        self.suit(&scan.volume)?;
        let volume = Arc::new(scan.volume);
        let seen = self.few_shot.matcher().slices_seen();
        let started = Instant::now();
        let slices = self.few_shot.start(volume, arguments.axis, window)?;
        while self.few_shot.prepare() > 0 {}
        let preparing = started.elapsed();
        let bar = progress::slices(slices, self.json)?;
        let (mut rows, mut matching) = (Vec::new(), Duration::ZERO);
        loop {
            let before = Instant::now();
            pollster::block_on(self.few_shot.match_next())?;
            matching += before.elapsed();
            let Some(found) = pollster::block_on(self.few_shot.next())? else {
                break;
            };
            rows.extend(self.rows(&found));
            bar.inc(1);
        }
        bar.finish_and_clear();
        let report = QueryReport {
            query: query.display().to_string(),
            out: outputs.labels.display().to_string(),
            slices,
            window: [window.lo, window.hi],
            image_size: self.image_size.pixels(),
            accepted: rows.iter().filter(|row| row.accepted).count(),
            refused: rows.iter().filter(|row| !row.accepted).count(),
            compared: self.few_shot.matcher().slices_seen() - seen,
            seconds: Seconds::new(preparing, matching, started.elapsed()),
        };
        let Some(labels) = self.few_shot.label_map() else {
            return Err("nothing was found".into()); // a volume that was started has a map
        };
        files::write(
            &outputs.labels,
            &export::nifti::write(labels, &scan.header)?,
        )?;
        let details = Details {
            report: &report,
            matcher: &self.matcher,
            carry: self.options.carry,
            supports: &self.known.names(),
            labels: &rows,
        };
        files::write(&outputs.json, files::json(&details)?.as_bytes())?;
        files::write(&outputs.csv, report::csv(&rows)?.as_bytes())?;
        Ok(report)
    }

    /// Goes over to the scan's image size; at another than before all is computed anew.
    fn suit(&mut self, volume: &Volume) -> Result<(), Failure> {
        let slice = volume.slice_shape(self.arguments.axis.of(&volume.grid));
        let size = image_size(self.arguments, &self.config, slice.longest());
        if size != self.image_size {
            let (measure, supports) = (self.measure.clone(), self.known.supports.clone());
            self.few_shot = FewShot::with_sam2(&self.sam2, size, measure, supports, self.options)?;
            self.image_size = size;
        }
        Ok(())
    }

    /// The window that was asked for, or the scan's own if it can be of the supports' kind.
    fn window(&self, volume: &Volume) -> Result<Window, Failure> {
        match (self.arguments.window, self.known.automatic) {
            (Some(window), _) => Ok(window),
            (None, None) => Ok(Window::auto(volume)),
            (None, Some(support)) => {
                let window = Window::auto(volume);
                same_kind(support, window).map_err(supports::hint)?;
                Ok(window)
            }
        }
    }

    fn rows(&self, found: &FewShotSlice) -> Vec<Row> {
        let row = |label: &FewShotLabel| {
            let choice = &label.choice;
            let compared = self.arguments.matcher != MatcherKind::None;
            Row {
                slice: found.slice,
                label: choice.label,
                support: self.known.scan_of[choice.support],
                support_slice: self.known.supports[choice.support].slice,
                copy: choice.copy,
                distance: compared.then_some(choice.distance),
                predicted_iou: label.predicted_iou,
                object_score: label.object_score,
                accepted: label.accepted,
                pixels: label.mask.area(),
                memory: label.memory.clone(),
            }
        };
        found.labels.iter().map(row).collect()
    }
}
