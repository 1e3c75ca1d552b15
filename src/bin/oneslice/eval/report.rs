//! Rows to figures. In: rows and failures. Out: means for each label and method, as a table, CSV and JSON.

use std::fmt::Write;

use serde::Serialize;

use super::evaluate::{Failed, Row};
use super::methods::{Method, Task};

/// All of an evaluation, as it is written to JSON.
#[derive(Serialize)]
pub struct Report {
    pub protocol: String,
    pub model: String,
    pub config: String,
    /// None where each scan had what suits its slices.
    pub image_size: Option<usize>,
    /// Network of the LPIPS matcher.
    pub lpips: String,
    /// Copies of a support for each slice (few-shot's N_T).
    pub copies: usize,
    pub tolerance_mm: f64,
    pub query_slices: super::protocol::QuerySlices,
    pub scans: usize,
    pub means: Vec<Mean>,
    pub rows: Vec<Row>,
    pub failed: Vec<Failed>,
}

/// A method on a label, over scans; or on all labels, each counting the same.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Mean {
    pub task: &'static str,
    pub method: &'static str,
    /// None for the mean of all labels.
    pub label: Option<String>,
    /// Results that have a Dice coefficient.
    pub results: usize,
    pub dice: Option<f64>,
    /// Between scans (n - 1); between labels in a mean of labels.
    pub dice_sd: Option<f64>,
    pub nsd: Option<f64>,
    pub seconds: Option<f64>,
}

/// Means in the order of tasks, labels and methods; each task ends with the means over its labels.
pub fn means(rows: &[Row], labels: &[&str], methods: &[Method]) -> Vec<Mean> {
    let mut means = Vec::new();
    for task in Task::ALL {
        let methods = || methods.iter().filter(move |m| m.task() == task);
        let begin = means.len();
        for label in labels {
            for &method in methods() {
                let of_both = |row: &&Row| row.method == method && row.label == *label;
                let rows: Vec<&Row> = rows.iter().filter(of_both).collect();
                if !rows.is_empty() {
                    means.push(of_rows(task, method, label, &rows));
                }
            }
        }
        let of_labels: Vec<Mean> = means[begin..].to_vec();
        for &method in methods() {
            let of_method = |mean: &&Mean| mean.method == method.name();
            let of_method: Vec<&Mean> = of_labels.iter().filter(of_method).collect();
            if !of_method.is_empty() {
                means.push(of_means(task, method, &of_method));
            }
        }
    }
    means
}

fn of_rows(task: Task, method: Method, label: &str, rows: &[&Row]) -> Mean {
    let dice: Vec<f64> = rows.iter().filter_map(|row| row.dice).collect();
    Mean {
        task: task.name(),
        method: method.name(),
        label: Some(label.to_owned()),
        results: dice.len(),
        dice: mean(&dice),
        dice_sd: deviation(&dice),
        nsd: mean(&rows.iter().filter_map(|row| row.nsd).collect::<Vec<_>>()),
        seconds: mean(&rows.iter().map(|row| row.seconds).collect::<Vec<_>>()),
    }
}

fn of_means(task: Task, method: Method, means: &[&Mean]) -> Mean {
    let dice: Vec<f64> = means.iter().filter_map(|m| m.dice).collect();
    Mean {
        task: task.name(),
        method: method.name(),
        label: None,
        results: means.iter().map(|m| m.results).sum(),
        dice: mean(&dice),
        dice_sd: deviation(&dice),
        nsd: mean(&means.iter().filter_map(|m| m.nsd).collect::<Vec<_>>()),
        seconds: mean(&means.iter().filter_map(|m| m.seconds).collect::<Vec<_>>()),
    }
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

fn deviation(values: &[f64]) -> Option<f64> {
    let mean = mean(values).filter(|_| values.len() > 1)?;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    Some((squares / (values.len() - 1) as f64).sqrt())
}

/// The means as text, and what failed.
pub fn table(report: &Report) -> String {
    let all = "all labels";
    let names = report.means.iter().filter_map(|m| m.label.as_deref());
    let width = names
        .map(|n| n.chars().count())
        .max()
        .unwrap_or(0)
        .max(all.len());
    let pixels = match report.image_size {
        Some(side) => format!("{side} pixels"),
        None => "the size of each scan".into(),
    };
    let mut text = format!(
        "{}: {} scans, {} at {pixels}, {}, {} copies, NSD within {} mm\n\n",
        report.protocol,
        report.scans,
        report.model,
        report.lpips,
        report.copies,
        report.tolerance_mm
    );
    let columns = "  n    Dice      sd     NSD  seconds";
    let _ = writeln!(
        text,
        "{:11}  {:width$}  {:22}{columns}",
        "task", "label", "method"
    );
    let mut last = None;
    for mean in &report.means {
        let label = mean.label.as_deref().unwrap_or(all);
        // A group of methods to compare stands together.
        let group = (mean.task, label);
        if last.is_some_and(|last| last != group) {
            text.push('\n');
        }
        last = Some(group);
        let figure = |value: Option<f64>| value.map_or("      -".into(), |v| format!("{v:7.4}"));
        let seconds = mean.seconds.map_or("-".into(), |s| format!("{s:.2}"));
        let _ = writeln!(
            text,
            "{:11}  {label:width$}  {:22}{:3} {} {} {} {seconds:>8}",
            mean.task,
            mean.method,
            mean.results,
            figure(mean.dice),
            figure(mean.dice_sd),
            figure(mean.nsd),
        );
    }
    if !report.failed.is_empty() {
        text.push_str("\nfailed:\n");
    }
    for failed in &report.failed {
        let _ = writeln!(text, "  {}: {}", of_what(failed), failed.error);
    }
    text
}

fn of_what(failed: &Failed) -> String {
    let what = failed.method.map(Method::name).or(failed.task);
    let parts = [Some(failed.scan.as_str()), failed.label.as_deref(), what];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// All rows, failed ones last with their error. RFC 4180.
pub fn csv(report: &Report) -> String {
    let mut text =
        String::from("task,method,label,scan,fold,support,prompt_slice,dice,nsd,seconds,error\n");
    let number = |value: Option<f64>| value.map_or(String::new(), |v| format!("{v:.6}"));
    for row in &report.rows {
        let fields = [
            row.task.to_owned(),
            row.method.name().to_owned(),
            row.label.clone(),
            row.scan.clone(),
            row.fold.map_or(String::new(), |fold| fold.to_string()),
            row.support.clone().unwrap_or_default(),
            row.prompt_slice.to_string(),
            number(row.dice),
            number(row.nsd),
            format!("{:.3}", row.seconds),
            String::new(),
        ];
        push_line(&mut text, &fields);
    }
    for failed in &report.failed {
        let mut fields = [const { String::new() }; 11];
        fields[0] = failed.task.unwrap_or_default().to_owned();
        fields[1] = failed.method.map_or("", Method::name).to_owned();
        fields[2] = failed.label.clone().unwrap_or_default();
        fields[3].clone_from(&failed.scan);
        fields[10].clone_from(&failed.error);
        push_line(&mut text, &fields);
    }
    text
}

fn push_line(text: &mut String, fields: &[String]) {
    let quoted = |field: &String| match field.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", field.replace('"', "\"\"")),
        false => field.clone(),
    };
    let fields: Vec<String> = fields.iter().map(quoted).collect();
    text.push_str(&fields.join(","));
    text.push('\n');
}

#[cfg(test)]
pub mod tests {
    use oneslice::propagate::Strategy;

    use super::*;

    pub fn row(method: Method, label: &str, dice: Option<f64>) -> Row {
        Row {
            task: method.task().name(),
            method,
            label: label.into(),
            scan: "one, \"two\"".into(),
            fold: None,
            support: None,
            prompt_slice: 3,
            dice,
            nsd: dice.map(|d| d / 2.0),
            seconds: 1.5,
        }
    }

    pub fn report(rows: Vec<Row>) -> Report {
        Report {
            protocol: "made".into(),
            model: "nano".into(),
            config: "nano".into(),
            image_size: Some(128),
            lpips: "lpips-tiny".into(),
            copies: 2,
            tolerance_mm: 2.0,
            query_slices: super::super::protocol::QuerySlices::All,
            scans: 3,
            means: means(&rows, &["liver", "spleen"], &Method::ALL),
            rows,
            failed: vec![Failed {
                scan: "bad".into(),
                label: None,
                task: None,
                method: None,
                error: "bad.nii.gz: not NIfTI".into(),
            }],
        }
    }

    /// Labels count the same in the last mean, however many scans have them; what has no figure is left out.
    #[test]
    fn means_are_of_scans_then_of_labels() {
        let liver = [Some(0.5), Some(0.7), None].map(|d| row(Method::Copy, "liver", d));
        let spleen = row(Method::Copy, "spleen", Some(0.2));
        let report = report([liver.to_vec(), vec![spleen]].concat());
        let found: Vec<_> = report
            .means
            .iter()
            .map(|m| (m.label.as_deref(), m.results))
            .collect();
        assert_eq!(found, [(Some("liver"), 2), (Some("spleen"), 1), (None, 3)]);
        let close = |found: Option<f64>, expected: f64| (found.unwrap() - expected).abs() < 1e-12;
        assert!(close(report.means[0].dice, 0.6));
        assert!(close(report.means[0].dice_sd, 0.02f64.sqrt()));
        assert_eq!(report.means[1].dice_sd, None);
        assert!(close(report.means[2].dice, 0.4));
        assert!(close(report.means[2].nsd, 0.2));
    }

    #[test]
    fn the_table_and_the_csv_say_what_failed() {
        let report = report(vec![row(
            Method::Memory(Strategy::Fifo),
            "liver",
            Some(0.25),
        )]);
        let table = table(&report);
        assert!(table.contains("propagation  liver       fifo                    1  0.2500       -  0.1250     1.50\n"), "{table}");
        assert!(
            table.ends_with("failed:\n  bad: bad.nii.gz: not NIfTI\n"),
            "{table}"
        );
        let csv = csv(&report);
        let lines: Vec<&str> = csv.lines().collect();
        assert_eq!(
            lines[1],
            "propagation,fifo,liver,\"one, \"\"two\"\"\",,,3,0.250000,0.125000,1.500,"
        );
        assert_eq!(lines[2], ",,,bad,,,,,,,bad.nii.gz: not NIfTI");
        assert_eq!(lines.len(), 3);
    }
}
