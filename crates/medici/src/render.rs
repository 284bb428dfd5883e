//! Text for people: aligned columns, and JSON for programs.

use anyhow::Result;
use serde::Serialize;

/// Prints rows under a heading, each column as wide as its widest cell. Nothing but "none" for no rows.
pub(crate) fn table(heading: &[&str], rows: &[Vec<String>]) {
    if rows.is_empty() {
        println!("none");
        return;
    }
    let heading = heading.iter().map(ToString::to_string).collect::<Vec<_>>();
    let wide = |column: usize| {
        let cells = std::iter::once(&heading).chain(rows).map(|row| row[column].chars().count());
        cells.max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..heading.len()).map(wide).collect();
    for row in std::iter::once(&heading).chain(rows) {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        println!("{}", cells.collect::<Vec<_>>().join("  ").trim_end());
    }
}

/// Prints a value as JSON.
pub(crate) fn json(value: &impl Serialize) -> Result<()> {
    println!("{}", serde_json::to_string_pretty(value)?);
    Ok(())
}
