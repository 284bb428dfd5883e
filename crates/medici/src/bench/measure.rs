//! Medians, percentiles and the lines of a report.

use std::time::Duration;

use serde::Serialize;

/// Returns the median of samples, which it sorts.
pub(crate) fn median<T: Copy + Ord>(samples: &mut [T]) -> T {
    percentile(samples, 50)
}

/// Returns a percentile of samples, which it sorts.
pub(crate) fn percentile<T: Copy + Ord>(samples: &mut [T], percent: usize) -> T {
    assert!(!samples.is_empty() && percent <= 100);
    samples.sort_unstable();
    samples[(samples.len() - 1) * percent / 100]
}

/// Returns the median of floating samples.
pub(crate) fn median_of(mut samples: Vec<f64>) -> f64 {
    assert!(!samples.is_empty());
    samples.sort_unstable_by(f64::total_cmp);
    samples[(samples.len() - 1) / 2]
}

/// Returns a duration in microseconds.
pub(crate) fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

/// What a bench found: figures, then bars.
#[derive(Default, Serialize)]
pub(crate) struct Report {
    figures: Vec<Figure>,
    bars: Vec<Bar>,
}

#[derive(Serialize)]
struct Figure {
    name: String,
    value: f64,
    unit: &'static str,
}

#[derive(Serialize)]
struct Bar {
    name: String,
    value: f64,
    must: &'static str,
    bar: f64,
    unit: &'static str,
    met: bool,
}

impl Report {
    /// Notes a figure, and shows it at once: a long bench should be seen to work.
    pub(crate) fn figure(&mut self, name: impl Into<String>, value: f64, unit: &'static str) {
        let name = name.into();
        eprintln!("  {name}: {} {unit}", short(value));
        self.figures.push(Figure { name, value, unit });
    }

    /// Notes a bar that a value must not be above.
    pub(crate) fn at_most(&mut self, name: impl Into<String>, value: f64, bar: f64, unit: &'static str) {
        self.bars.push(Bar { name: name.into(), value, must: "<=", bar, unit, met: value <= bar });
    }

    /// Notes a bar that a value must not be below.
    pub(crate) fn at_least(&mut self, name: impl Into<String>, value: f64, bar: f64, unit: &'static str) {
        self.bars.push(Bar { name: name.into(), value, must: ">=", bar, unit, met: value >= bar });
    }

    /// Prints it. Returns whether every bar was met.
    pub(crate) fn print(&self, json: bool) -> anyhow::Result<bool> {
        if json {
            crate::render::json(self)?;
        } else {
            let figures = self.figures.iter().map(|f| vec![f.name.clone(), short(f.value), f.unit.to_owned()]);
            crate::render::table(&["measured", "", ""], &figures.collect::<Vec<_>>());
            println!();
            let bars = self.bars.iter().map(|bar| {
                let verdict = if bar.met { "ok" } else { "MISSED" };
                let must = format!("{} {}", bar.must, short(bar.bar));
                vec![bar.name.clone(), short(bar.value), must, bar.unit.to_owned(), verdict.to_owned()]
            });
            crate::render::table(&["bar", "is", "must be", "", ""], &bars.collect::<Vec<_>>());
        }
        Ok(self.bars.iter().all(|bar| bar.met))
    }
}

/// Returns a number with as many digits as say something.
fn short(value: f64) -> String {
    match value.abs() {
        v if v >= 1000.0 => format!("{value:.0}"),
        v if v >= 100.0 => format!("{value:.1}"),
        v if v >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_samples() {
        let mut samples = [5, 1, 4, 2, 3];
        assert_eq!(median(&mut samples), 3);
        assert_eq!(percentile(&mut samples, 100), 5);
        assert_eq!(percentile(&mut samples, 0), 1);
    }

    #[test]
    fn a_bar_is_met_at_its_edge_and_missed_beyond() {
        let mut report = Report::default();
        report.at_most("a", 1.5, 1.5, "");
        assert!(report.print(true).unwrap());
        report.at_least("b", 0.94, 0.95, "");
        assert!(!report.print(true).unwrap());
    }
}
