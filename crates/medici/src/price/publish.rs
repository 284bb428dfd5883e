//! `medici price publish` and `history`: versions are added, and never edited.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use medici_studio::Clock;
use serde_json::{Value, json};

use crate::{
    Verdict,
    admin::{Admin, Ask, block_on},
    books,
    config::Config,
    machine::SystemClock,
    render,
};

/// Arguments of `price publish`.
#[derive(Args)]
pub(crate) struct PublishArgs {
    /// The price book's file; versions of it that were published before are left alone
    file: PathBuf,
    /// Why, for whoever reads the history
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
    /// Say what would be published, and publish nothing
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs `price publish`.
pub(crate) fn run(config: &Config, args: &PublishArgs) -> Result<Verdict> {
    let text = std::fs::read_to_string(&args.file).with_context(|| format!("cannot read {}", args.file.display()))?;
    let body = json!({ "book": text, "reason": args.reason, "dry_run": args.dry_run });
    let published = block_on(async {
        let admin = Admin::open(config).await?;
        admin.ask(Ask::post("/api/prices", body)).await
    })?;
    if args.json {
        render::json(&published)?;
        return Ok(Verdict::Good);
    }
    let list = |key: &str| published[key].as_array().cloned().unwrap_or_default();
    for warning in list("warnings") {
        println!("warning: {}", warning["text"].as_str().unwrap_or_default());
    }
    let versions = list("versions");
    if versions.is_empty() {
        println!("nothing new: every version of the file was published before");
    }
    let done = if args.dry_run { "would publish" } else { "published" };
    for version in versions {
        println!("{done} the prices of {}", version["effective"].as_str().unwrap_or_default());
    }
    Ok(Verdict::Good)
}

/// Runs `price history`.
pub(crate) fn history(config: &Config, as_json: bool) -> Result<Verdict> {
    let now = SystemClock.now();
    let rows = books::open(config)?.price_versions()?;
    let in_force = rows.iter().rfind(|row| row.effective_at <= now).map(|row| row.effective_at);
    let state = |at| match Some(at) {
        at if at == in_force => "in force",
        _ if at > now => "upcoming",
        _ => "past",
    };
    if as_json {
        let row = |row: &medici_studio::PublishedVersion| {
            json!({
                "effective": row.effective_at.to_string(),
                "state": state(row.effective_at),
                "published_at": row.published_at.to_string(),
                "reason": row.reason,
                "book": &*row.book,
            })
        };
        render::json(&rows.iter().map(row).collect::<Vec<Value>>())?;
        return Ok(Verdict::Good);
    }
    let row = |row: &medici_studio::PublishedVersion| {
        let (effective, published) = (row.effective_at.to_string(), row.published_at.to_string());
        vec![effective, state(row.effective_at).to_owned(), published, row.reason.clone()]
    };
    render::table(&["effective", "", "published", "reason"], &rows.iter().map(row).collect::<Vec<_>>());
    Ok(Verdict::Good)
}
