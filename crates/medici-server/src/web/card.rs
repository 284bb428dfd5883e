//! A job as a card: its prompt, its pictures, where it stands and what it cost.

use base64::Engine as _;
use medici_ledger::{Operation, Timestamp};
use medici_studio::{
    Finished, Image, Job, JobState, Outcome, Preview, Progress, Studio,
    engine::{Background, Size, Step},
};

use super::{
    create::{COUNTS, Draft},
    strings,
    zone::Zone,
};

/// A job in the words of the page.
pub(super) struct Card {
    pub(super) id: String,
    /// The words, or what stands for them.
    pub(super) prompt: String,
    /// What was done, where it is not a drawing from words.
    pub(super) kind: Option<&'static str>,
    pub(super) state: &'static str,
    pub(super) standing: Standing,
    pub(super) size: Size,
    pub(super) transparent: bool,
    pub(super) tiles: Vec<Tile>,
    pub(super) seed: String,
    /// `14:05`, and the instant for machines.
    pub(super) asked_at: String,
    pub(super) asked_at_machine: String,
    /// What the engine did not understand.
    pub(super) notice: Option<String>,
    /// `256 × 256`.
    pub(super) size_text: String,
    /// For a script that puts the request back into the form.
    pub(super) size_value: String,
    pub(super) count: u32,
}

/// Where the job stands, with the words for it.
pub(super) enum Standing {
    /// It waits or is drawn.
    Open {
        /// `2nd in line · about 4 s`, `Step 7 of 12`.
        status: String,
        /// The progress bar, once there is something to show on it.
        step: Option<Step>,
        /// `1 credit held`.
        charge: String,
    },
    /// Its pictures are there.
    Done {
        /// `0.4 s`.
        took: String,
        /// `1 credit charged`.
        charge: String,
    },
    /// It failed.
    Failed {
        /// In plain words.
        why: &'static str,
        /// The same request once more, where the form of the page can make it.
        retry: Option<Retry>,
    },
    /// Its owner stopped it.
    Cancelled,
}

/// The form that sends a failed request once more.
pub(super) struct Retry {
    /// The idempotency key of this form.
    pub(super) key: String,
    /// `Try again · 1 credit`.
    pub(super) button: String,
    pub(super) background: &'static str,
}

/// One picture of the job.
pub(super) struct Tile {
    /// From 1.
    pub(super) number: u32,
    pub(super) alt: String,
    pub(super) look: Look,
}

/// What there is to see of a picture.
pub(super) enum Look {
    /// Nothing yet.
    Nothing,
    /// An early look, as a `data:` URL.
    Early { src: String, number: u32 },
    /// The picture.
    Final { src: String, reading: Option<Reading> },
}

/// How the engine read the prompt for one picture.
pub(super) struct Reading {
    /// What it added: `flat on a silver background`.
    pub(super) words: String,
    /// The prompt that says so itself.
    pub(super) prompt: String,
}

impl Card {
    /// Makes the card of a job from its committed rows, and from what is known of its progress.
    pub(super) fn new(studio: &Studio, finished: &Finished, zone: &Zone) -> Self {
        let Finished { job, images } = finished;
        let spec = &job.spec;
        let progress = job.state.is_open().then(|| studio.progress.watch(job.id).borrow().clone());
        let tile = |number: u32| {
            let image = images.iter().find(|image| image.index + 1 == number);
            let early = progress.as_ref().and_then(|progress| early_look(progress, number));
            tile(job, number, image, early)
        };
        // A job that ended with fewer pictures than asked for shows no empty frames.
        let there = |tile: &Tile| job.state.is_open() || matches!(tile.look, Look::Final { .. });
        Self {
            id: job.id.to_string(),
            prompt: title(job).to_owned(),
            kind: match job.operation {
                Operation::Edit => Some(strings::EDIT),
                Operation::Vary => Some(strings::VARIATIONS),
                Operation::Generate | Operation::Named(_) => None,
            },
            state: job.state.name(),
            standing: standing(studio, job, progress.as_ref()),
            size: spec.size,
            transparent: spec.background == Background::Transparent,
            tiles: (1..=spec.count).map(tile).filter(there).collect(),
            seed: spec.seed.to_string(),
            asked_at: zone.time(job.created_at),
            asked_at_machine: job.created_at.to_string(),
            notice: job.notice.as_deref().map(strings::sentence),
            size_text: strings::size(spec.size),
            size_value: spec.size.to_string(),
            count: spec.count,
        }
    }

    /// Returns what to say to somebody who does not see the card, when its job has ended.
    pub(super) fn announcement(&self) -> String {
        match &self.standing {
            Standing::Open { status, .. } => status.clone(),
            Standing::Done { charge, .. } => format!("{}. {charge}.", strings::announce_done(self.tiles.len())),
            Standing::Failed { why, .. } => format!("{}. {why} {}.", strings::FAILED, strings::NOT_CHARGED),
            Standing::Cancelled => format!("{}. {}.", strings::CANCELLED, strings::RETURNED),
        }
    }
}

/// Returns a job's words; a picture that was handed in to be varied has none.
fn title(job: &Job) -> &str {
    if job.spec.prompt.is_empty() { strings::WITHOUT_WORDS } else { &job.spec.prompt }
}

fn standing(studio: &Studio, job: &Job, progress: Option<&Progress>) -> Standing {
    match &job.state {
        JobState::Queued | JobState::Running(_) => {
            let step = progress.and_then(|progress| progress.step);
            let status = open_status(studio, job, step);
            Standing::Open { status, step, charge: strings::held_for(job.quote.amount) }
        }
        JobState::Done { outcome, finished_at } => {
            let charge = match outcome {
                Outcome::Charged { amount } => strings::charged(*amount),
                Outcome::Free => strings::SHORTFALL.into(),
                Outcome::Uncollected { .. } => strings::NEVER_COLLECTED.into(),
            };
            Standing::Done { took: took(job.created_at, *finished_at), charge }
        }
        JobState::Failed { reason, .. } => {
            Standing::Failed { why: strings::why_failed(*reason), retry: retry(studio, job) }
        }
        JobState::Cancelled { .. } => Standing::Cancelled,
    }
}

/// Says where an open job is: its place in the queue, or its step.
pub(super) fn open_status(studio: &Studio, job: &Job, step: Option<Step>) -> String {
    if let Some(step) = step {
        return strings::step(step.at, step.of);
    }
    let Some(ahead) = studio.store.ahead_of(job.id) else { return strings::STARTING.into() };
    // Nobody knows what the others are; they are taken to be like this one.
    let wait_ms = studio.engine.estimate(&job.spec).render_ms.saturating_mul(ahead as u64 + 1);
    strings::in_line(ahead + 1, wait_ms.div_ceil(1000))
}

fn retry(studio: &Studio, job: &Job) -> Option<Retry> {
    if job.operation != Operation::Generate || !COUNTS.contains(&job.spec.count) {
        return None;
    }
    let usage = job.spec.usage(Operation::Generate, studio.engine.model());
    let price = studio.prices().quote(&usage, studio.clock.now()).ok()?.amount;
    Some(Retry { key: Draft::fresh_key(studio), button: strings::try_again(price), background: background(job) })
}

fn background(job: &Job) -> &'static str {
    match job.spec.background {
        Background::Transparent => "transparent",
        Background::Auto | Background::Opaque => "",
    }
}

fn took(from: Timestamp, to: Timestamp) -> String {
    strings::took(i64::try_from(to.since(from).as_millis()).unwrap_or(i64::MAX))
}

fn tile(job: &Job, number: u32, image: Option<&Image>, early: Option<Look>) -> Tile {
    let of = job.spec.count;
    match image {
        Some(image) => Tile {
            number,
            alt: strings::image_alt(title(job), number, of),
            look: Look::Final { src: format!("/jobs/{}/images/{number}", job.id), reading: reading(job, image) },
        },
        None => Tile { number, alt: strings::waiting_alt(number, of), look: early.unwrap_or(Look::Nothing) },
    }
}

fn reading(job: &Job, image: &Image) -> Option<Reading> {
    let words = image.reading.clone()?;
    Some(Reading { prompt: strings::with_reading(&job.spec.prompt, &words), words })
}

fn early_look(progress: &Progress, number: u32) -> Option<Look> {
    let preview = progress.previews.get(number as usize - 1)?.as_ref()?;
    Some(Look::Early { src: data_url(preview), number: preview.number })
}

/// Returns a preview as something a page can show without asking again.
pub(super) fn data_url(preview: &Preview) -> String {
    let bytes = base64::engine::general_purpose::STANDARD.encode(&preview.bytes);
    format!("data:{};base64,{bytes}", preview.media_type)
}
