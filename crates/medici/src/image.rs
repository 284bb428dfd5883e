//! `medici image`: what a picture's file says of itself.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use medici_engine::{Inspection, inspect};
use medici_studio::{BlobHash, Provenance, UploadError, UploadLimits};
use serde_json::{Value, json};

use crate::{Verdict, render};

/// What to do with picture files.
#[derive(Subcommand)]
pub(crate) enum ImageCommand {
    /// Tell model, seed, prompt and AI marker of picture files; exit 1 if one is not ours
    Inspect(InspectArgs),
}

/// Arguments of `image inspect`.
#[derive(Args)]
pub(crate) struct InspectArgs {
    /// PNG, JPEG, WebP or GIF files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs a command about picture files.
pub(crate) fn run(command: &ImageCommand) -> Result<Verdict> {
    match command {
        ImageCommand::Inspect(args) => inspect_files(args),
    }
}

/// A file, and what it says.
struct Inspected<'a> {
    path: &'a Path,
    bytes: u64,
    hash: BlobHash,
    says: Result<Inspection, UploadError>,
}

fn inspect_files(args: &InspectArgs) -> Result<Verdict> {
    let mut verdict = Verdict::Good;
    let mut values = Vec::new();
    for path in &args.files {
        let inspected = Inspected::of(path)?;
        if inspected.provenance().is_none() {
            verdict = Verdict::Broken;
        }
        if args.json {
            values.push(inspected.json());
        } else {
            inspected.print();
        }
    }
    if args.json {
        render::json(&values)?;
    }
    Ok(verdict)
}

impl<'a> Inspected<'a> {
    fn of(path: &'a Path) -> Result<Self> {
        let cannot = || format!("cannot read {}", path.display());
        let max = UploadLimits::default().bytes_max;
        let mut bytes = Vec::new();
        // One byte more than may be tells that there are too many.
        let limit = u64::try_from(max).unwrap_or(u64::MAX).saturating_add(1);
        let file = File::open(path).with_context(cannot)?;
        file.take(limit).read_to_end(&mut bytes).with_context(cannot)?;
        if bytes.len() > max {
            anyhow::bail!("{}: more than {max} bytes, which no picture here has", path.display());
        }
        Ok(Self { path, bytes: bytes.len() as u64, hash: BlobHash::of(&bytes), says: inspect(&bytes) })
    }

    fn provenance(&self) -> Option<&Provenance> {
        self.says.as_ref().ok()?.provenance.as_ref()
    }

    fn print(&self) {
        let path = self.path.display();
        let inspection = match &self.says {
            Ok(inspection) => inspection,
            Err(error) => {
                println!("{path}: {error}");
                return;
            }
        };
        let (format, size) = (inspection.probe.format.name(), inspection.probe.size);
        println!("{path}: {format}, {size}, {} bytes", self.bytes);
        println!("  sha256     {}", self.hash);
        if let Some(word) = &inspection.source_type {
            let says = if inspection.is_ai_generated() { "AI-generated" } else { "not marked as AI-generated" };
            println!("  source     {word} ({says})");
        }
        let Some(provenance) = &inspection.provenance else {
            println!("  not ours: it does not say that Medici drew it");
            return;
        };
        let Provenance { model, seed, index, steps, operation, prompt, reading } = provenance;
        println!("  model      {model}");
        println!("  seed       {seed}");
        println!("  index      {index}");
        println!("  operation  {}", operation.name());
        steps.iter().for_each(|steps| println!("  steps      {steps}"));
        prompt.iter().for_each(|prompt| println!("  prompt     {prompt}"));
        reading.iter().for_each(|reading| println!("  reading    {reading}"));
    }

    fn json(&self) -> Value {
        let mut value = json!({
            "file": self.path,
            "bytes": self.bytes,
            "sha256": self.hash.to_string(),
            "ours": self.provenance().is_some(),
        });
        match &self.says {
            Ok(inspection) => {
                value["format"] = inspection.probe.format.name().into();
                value["size"] = inspection.probe.size.to_string().into();
                value["source_type"] = inspection.source_type.clone().into();
                value["ai_generated"] = inspection.is_ai_generated().into();
                value["parameters"] = inspection.parameters.clone().into();
            }
            Err(error) => value["error"] = error.to_string().into(),
        }
        if let Some(provenance) = self.provenance() {
            let Provenance { model, seed, index, steps, operation, prompt, reading } = provenance;
            value["model"] = model.clone().into();
            value["seed"] = (*seed).into();
            value["index"] = (*index).into();
            value["steps"] = (*steps).into();
            value["operation"] = operation.name().into();
            value["prompt"] = prompt.clone().into();
            value["reading"] = reading.clone().into();
        }
        value
    }
}
