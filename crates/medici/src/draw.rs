//! `medici draw`: pictures on disk without a server.

use std::{
    io::IsTerminal,
    path::{Path, PathBuf},
    sync::Mutex,
};

use anyhow::{Context, Result, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use medici_studio::{
    Encoder, FileFormat, Output, Provenance,
    engine::{Background, Control, Drawing, Engine, Given, Picture, Pixels, Size, Spec, Step},
};
use serde::Serialize;

use crate::{
    Verdict,
    config::EngineKind,
    machine::{random, stopwatch},
    prompt_file, render, wiring,
};

/// How many pictures a prompt becomes, here as in the web app.
const PICTURES: u32 = 4;

/// Arguments of `draw`.
#[derive(Args)]
pub(crate) struct DrawArgs {
    /// What to draw
    prompt: String,
    /// How many pictures
    #[arg(short = 'n', long = "count", default_value_t = PICTURES, value_parser = clap::value_parser!(u32).range(1..=10))]
    count: u32,
    /// Where to put them
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    output: PathBuf,
    /// The same seed and prompt draw the same pictures [default: a new one]
    #[arg(long)]
    seed: Option<u64>,
    /// Width and height
    #[arg(long, default_value = "256x256")]
    size: Size,
    /// The kind of the files: png, jpeg or webp
    #[arg(long, default_value_t)]
    format: FileFormat,
    /// The quality of jpeg and webp; webp of 100 keeps every pixel
    #[arg(long, value_name = "0-100", default_value_t = Output::COMPRESSION_MAX, value_parser = clap::value_parser!(u8).range(0..=100))]
    compression: u8,
    /// What draws
    #[arg(long, default_value = "pocket")]
    engine: EngineKind,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What was drawn, as `--json` prints it.
#[derive(Serialize)]
pub(crate) struct Drawn {
    prompt: String,
    model: String,
    seed: u64,
    size: String,
    render_ms: u128,
    /// How well the model knows the words, 0 to 1.
    score: f32,
    notice: Option<String>,
    pub(crate) pictures: Vec<DrawnPicture>,
}

/// One picture on disk.
#[derive(Serialize)]
pub(crate) struct DrawnPicture {
    pub(crate) path: PathBuf,
    reading: Option<String>,
}

/// Runs `medici draw`.
pub(crate) fn run(args: &DrawArgs) -> Result<Verdict> {
    let engine = wiring::engine(args.engine)?;
    let seed = args.seed.unwrap_or_else(fresh_seed);
    let spec = spec(&args.prompt, args.count, args.size, seed);
    let output = Output { format: args.format, compression: args.compression };
    let drawn = draw(&*engine, &*wiring::encoder(), output, &spec, &args.output)?;
    if args.json {
        render::json(&drawn)?;
    } else {
        drawn.print();
    }
    Ok(Verdict::Good)
}

/// Draws the usual four pictures into the current directory; the first half of `serve --draw`.
pub(crate) fn first_pictures(engine: &dyn Engine, encoder: &dyn Encoder, prompt: &str) -> Result<()> {
    let spec = spec(prompt, PICTURES, Size::square(256), fresh_seed());
    draw(engine, encoder, Output::default(), &spec, Path::new("."))?.print();
    Ok(())
}

impl Drawn {
    fn print(&self) {
        for picture in &self.pictures {
            match &picture.reading {
                Some(reading) => println!("{}  ({reading})", picture.path.display()),
                None => println!("{}", picture.path.display()),
            }
        }
        let percent = (self.score * 100.0).round();
        eprintln!("{} knows {percent} % of these words; drawn in {} ms", self.model, self.render_ms);
        if let Some(notice) = &self.notice {
            eprintln!("{notice}");
        }
    }
}

/// Draws and writes the files.
fn draw(engine: &dyn Engine, encoder: &dyn Encoder, output: Output, spec: &Spec, directory: &Path) -> Result<Drawn> {
    check(engine, spec)?;
    let begun = stopwatch();
    let progress = Bar::new(spec);
    let pictures = engine.run(spec, &Given::Words, &progress).context("nothing was drawn")?;
    let render_ms = begun.elapsed().as_millis();
    progress.bar.finish_and_clear();
    let understanding = engine.understanding(&spec.prompt);
    let mut files = Vec::with_capacity(pictures.len());
    for picture in pictures {
        let bytes = encoder.encode(&picture.pixels, output, &provenance(engine, spec, &picture));
        let file = (output.format, &*bytes);
        let path = prompt_file::write_new(directory, &spec.prompt, spec.seed, picture.index + 1, file)?;
        files.push(DrawnPicture { path, reading: picture.reading });
    }
    Ok(Drawn {
        prompt: spec.prompt.clone(),
        model: engine.model().to_owned(),
        seed: spec.seed,
        size: spec.size.to_string(),
        render_ms,
        score: understanding.score,
        notice: understanding.notice,
        pictures: files,
    })
}

/// Returns what a file says of where it comes from. It may say the prompt: so does its name.
pub(crate) fn provenance(engine: &dyn Engine, spec: &Spec, picture: &Picture) -> Provenance {
    Provenance {
        model: engine.model().to_owned(),
        seed: spec.seed,
        index: picture.index,
        steps: Some(spec.steps.unwrap_or_else(|| engine.capabilities().steps_default)),
        operation: Drawing::Generate,
        prompt: Some(spec.prompt.clone()),
        reading: picture.reading.clone(),
    }
}

/// Refuses what the engine cannot draw, in words that say what it can.
fn check(engine: &dyn Engine, spec: &Spec) -> Result<()> {
    let can = engine.capabilities();
    if spec.prompt.trim().is_empty() {
        bail!("the prompt is blank");
    }
    let chars = spec.prompt.chars().count();
    if chars > can.prompt_chars_max {
        bail!("the prompt has {chars} characters, {} may be used", can.prompt_chars_max);
    }
    if !can.sizes.contains(&spec.size) {
        let sizes: Vec<String> = can.sizes.iter().map(ToString::to_string).collect();
        bail!("the size {} is not one of {}", spec.size, sizes.join(", "));
    }
    if spec.count > can.batch_max {
        bail!("{} pictures asked for, {} draws {} at once", spec.count, engine.model(), can.batch_max);
    }
    Ok(())
}

fn spec(prompt: &str, count: u32, size: Size, seed: u64) -> Spec {
    Spec {
        prompt: prompt.to_owned(),
        count,
        size,
        seed,
        background: Background::Auto,
        steps: None,
        previews: 0,
        readings: Vec::new(),
    }
}

/// Returns a seed short enough to be read out.
fn fresh_seed() -> u64 {
    u64::from(u32::from_le_bytes(random()))
}

/// Shows the steps: a bar on a terminal, one plain line elsewhere.
struct Bar {
    bar: ProgressBar,
    begun: Mutex<bool>,
}

impl Bar {
    fn new(spec: &Spec) -> Self {
        let count = spec.count;
        let bar = if std::io::stderr().is_terminal() {
            let bar = ProgressBar::with_draw_target(Some(1), ProgressDrawTarget::stderr());
            // Without colours: the bar reads the same under NO_COLOR and on a printer.
            let style = ProgressStyle::with_template("{msg} [{bar:32}] {pos}/{len}");
            bar.set_style(style.expect("the template is valid").progress_chars("=> "));
            bar.set_message(format!("drawing {count}"));
            bar
        } else {
            eprintln!("drawing {count} with seed {}", spec.seed);
            ProgressBar::hidden()
        };
        Self { bar, begun: Mutex::new(false) }
    }
}

impl Control for Bar {
    fn cancelled(&self) -> bool {
        false
    }

    fn step(&self, step: Step) {
        let mut begun = self.begun.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if !*begun {
            self.bar.set_length(u64::from(step.of));
            *begun = true;
        }
        self.bar.set_position(u64::from(step.at));
    }

    fn preview(&self, _: u32, _: Pixels) {}
}
