//! The means as a picture. In: means. Out: an SVG with a panel of bars for each task and figure (Dice, NSD).

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::methods::{Method, Task};
use super::report::{Mean, Report};
use crate::Failure;

/// Colours that remain distinct to the colour-blind (Okabe and Ito), then two greys.
const COLOURS: [RGBColor; 10] = [
    RGBColor(150, 150, 150),
    RGBColor(0, 114, 178),
    RGBColor(86, 180, 233),
    RGBColor(0, 158, 115),
    RGBColor(90, 90, 90),
    RGBColor(230, 159, 0),
    RGBColor(240, 228, 66),
    RGBColor(213, 94, 0),
    RGBColor(204, 121, 167),
    RGBColor(0, 0, 0),
];

const PANEL_HEIGHT: u32 = 300;
const BAR: u32 = 14;
const LETTER: u32 = 7;
const LEGEND: u32 = 210;

/// One panel.
struct Panel<'a> {
    title: String,
    /// What stands below each group of bars.
    groups: Vec<&'a str>,
    methods: Vec<Method>,
    /// Of group and method: the height of the bar, and the deviation.
    bar: Bar<'a>,
}

type Bar<'a> = Box<dyn Fn(usize, Method) -> Option<(f64, f64)> + 'a>;

impl Panel<'_> {
    /// Pixels that bars and names need: each group has the same room.
    fn width(&self) -> u32 {
        let bars = (self.methods.len() as u32 + 1) * BAR;
        let names = self.groups.iter().map(|name| name.chars().count());
        let name = names.max().unwrap_or(0) as u32 * LETTER;
        self.groups.len() as u32 * bars.max(name)
    }
}

/// Draws a report.
pub fn svg(report: &Report, methods: &[Method]) -> Result<String, Failure> {
    let panels = panels(report, methods);
    let width = panels.iter().map(Panel::width).max().unwrap_or(0);
    let height = PANEL_HEIGHT * panels.len().max(1) as u32;
    let size = (width.max(400) + LEGEND + 60, height);
    let mut text = String::new();
    {
        let root = SVGBackend::with_string(&mut text, size).into_drawing_area();
        root.fill(&WHITE)?;
        let areas = root.split_evenly((panels.len().max(1), 1));
        for (panel, area) in panels.iter().zip(&areas) {
            draw(panel, area)?;
        }
        root.present()?;
    }
    Ok(text)
}

fn panels<'a>(report: &'a Report, methods: &[Method]) -> Vec<Panel<'a>> {
    let mut panels = Vec::new();
    for task in Task::ALL {
        let means: Vec<&Mean> = report
            .means
            .iter()
            .filter(|m| m.task == task.name())
            .collect();
        let mut groups: Vec<&str> = means.iter().map(|m| label(m)).collect();
        groups.dedup();
        if groups.is_empty() {
            continue;
        }
        for figure in ["Dice", "NSD"] {
            let (means, groups) = (means.clone(), groups.clone());
            let of_groups = groups.clone();
            let bar = move |group: usize, method: Method| {
                let found = |m: &&&Mean| label(m) == of_groups[group] && m.method == method.name();
                let mean = means.iter().find(found)?;
                match figure {
                    "Dice" => Some((mean.dice?, mean.dice_sd.unwrap_or(0.0))),
                    _ => Some((mean.nsd?, 0.0)),
                }
            };
            let within = match figure {
                "Dice" => " (line: standard deviation)".into(),
                _ => format!(" within {} mm", report.tolerance_mm),
            };
            panels.push(Panel {
                title: format!("{}: {}, {figure}{within}", report.protocol, task.name()),
                groups,
                methods: methods
                    .iter()
                    .copied()
                    .filter(|m| m.task() == task)
                    .collect(),
                bar: Box::new(bar),
            });
        }
    }
    panels
}

fn label(mean: &Mean) -> &str {
    mean.label.as_deref().unwrap_or("all labels")
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

fn draw(panel: &Panel, area: &Area) -> Result<(), Failure> {
    let colour = |method: Method| COLOURS[method.place() % COLOURS.len()];
    let width = panel.groups.len() as f64;
    let mut chart = ChartBuilder::on(area)
        .caption(&panel.title, ("sans-serif", 15))
        .margin(8)
        .margin_right(LEGEND)
        .x_label_area_size(24)
        .y_label_area_size(36)
        .build_cartesian_2d(0.0..width, 0.0..1.0)?;
    let mut mesh = chart.configure_mesh();
    mesh.disable_x_mesh().x_labels(0);
    mesh.y_labels(6).max_light_lines(1).draw()?;
    let slots = panel.methods.len() as f64 + 1.0;
    for (place, &method) in panel.methods.iter().enumerate() {
        let fill = colour(method).filled();
        let bar = |group: usize| {
            let (height, deviation) = (panel.bar)(group, method)?;
            let left = group as f64 + (place as f64 + 0.5) / slots;
            Some((left, height, deviation))
        };
        let bars: Vec<_> = (0..panel.groups.len()).filter_map(bar).collect();
        let rectangle = |&(left, height, _): &(f64, f64, f64)| {
            Rectangle::new([(left, 0.0), (left + 0.9 / slots, height)], fill)
        };
        let whisker = |&(left, height, deviation): &(f64, f64, f64)| {
            let (middle, low) = (left + 0.45 / slots, (height - deviation).max(0.0));
            PathElement::new(
                [(middle, low), (middle, (height + deviation).min(1.0))],
                BLACK,
            )
        };
        chart.draw_series(bars.iter().map(rectangle))?;
        chart.draw_series(bars.iter().filter(|b| b.2 > 0.0).map(whisker))?;
    }
    let style = ("sans-serif", 12).into_text_style(area);
    let style = style.pos(Pos::new(HPos::Center, VPos::Top));
    for (group, name) in panel.groups.iter().enumerate() {
        let below = EmptyElement::at((group as f64 + 0.5, 0.0));
        chart.draw_series([below + Text::new((*name).to_owned(), (0, 6), style.clone())])?;
    }
    legend(panel, area, colour)
}

fn legend(panel: &Panel, area: &Area, colour: impl Fn(Method) -> RGBColor) -> Result<(), Failure> {
    let (width, _) = area.dim_in_pixel();
    let left = (width - LEGEND + 8) as i32;
    for (line, &method) in panel.methods.iter().enumerate() {
        let top = 40 + 18 * line as i32;
        let box_ = [(left, top), (left + 12, top + 12)];
        area.draw(&Rectangle::new(box_, colour(method).filled()))?;
        area.draw(&Text::new(
            method.name(),
            (left + 18, top),
            ("sans-serif", 12),
        ))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use oneslice::propagate::Strategy;

    use super::super::report::tests::{report, row};
    use super::*;

    #[test]
    fn each_mean_has_its_bar_of_its_height() {
        let fifo = Method::Memory(Strategy::Fifo);
        let rows = vec![
            row(Method::Copy, "liver", Some(0.5)),
            row(fifo, "liver", Some(1.0)),
            row(Method::SupportCopy, "spleen", Some(0.25)),
        ];
        let methods = [Method::Copy, fifo, Method::SupportCopy];
        let svg = svg(&report(rows), &methods).unwrap();
        for text in [
            "made: propagation, Dice",
            "made: few-shot, NSD within 2 mm",
            "spleen",
            "fifo",
        ] {
            assert!(svg.contains(text), "{text}");
        }
        let heights = |colour: &str| -> Vec<f64> {
            let bars = svg
                .split("<rect ")
                .filter(|r| r.contains(&format!("fill=\"{colour}\"")));
            let height = |r: &str| r.split("height=\"").nth(1)?.split('"').next()?.parse().ok();
            bars.filter_map(height).filter(|h| *h != 12.0).collect()
        };
        let (copy, fifo) = (heights("#969696"), heights("#0072B2"));
        // Dice of the label and of all labels, then NSD, which is half of it here.
        assert_eq!((copy.len(), fifo.len()), (4, 4));
        for (half, whole) in copy.iter().zip(&fifo) {
            assert!(
                (2.0 * half - whole).abs() <= 2.0,
                "{half} and {whole} pixels"
            );
        }
        assert!((fifo[0] - 2.0 * fifo[2]).abs() <= 2.0, "{fifo:?}");
    }
}
