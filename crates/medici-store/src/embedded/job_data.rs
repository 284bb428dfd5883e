//! A job as it is kept: one JSON document beside the columns that are looked up. It is this crate's promise to its own
//! past, so it is written out here and never derived from a domain type.

use medici_ledger::{AccountId, ChargeMode, Credits, HoldId, Operation, Quote, Timestamp};
use medici_studio::{
    BlobHash, FailReason, FileFormat, Job, JobId, JobState, Lease, Outcome, Output, Source,
    engine::{Background, Size, Spec},
    moderation::Zeal,
};
use rusqlite::{Result, Row};
use serde::{Deserialize, Serialize};

use super::rows::{bad, id, instant};
use crate::hex;

#[derive(Serialize, Deserialize)]
struct JobData {
    api_key: Option<String>,
    operation: String,
    model: String,
    spec: SpecData,
    #[serde(default, skip_serializing_if = "SourceData::is_words")]
    source: SourceData,
    // Jobs were kept before their files could be anything but PNG, and said where they come from.
    output: Option<OutputData>,
    #[serde(default)]
    keep_prompt: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    low_zeal: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    quality: Option<String>,
    quote: QuoteData,
    notice: Option<String>,
    #[serde(default, skip_serializing_if = "is_false")]
    attended: bool,
    state: StateData,
    attempts: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deleted_at: Option<i64>,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

/// Pictures that a job starts from: hashes and latents as text.
#[derive(Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
enum SourceData {
    #[default]
    Words,
    Edit {
        image: String,
        mask: String,
    },
    Vary {
        image: String,
        latent: Option<String>,
    },
}

impl SourceData {
    fn is_words(&self) -> bool {
        matches!(self, Self::Words)
    }

    fn of(source: &Source) -> Self {
        match source {
            Source::Words => Self::Words,
            Source::Edit { image, mask } => Self::Edit { image: image.to_string(), mask: mask.to_string() },
            Source::Vary { image, latent } => {
                Self::Vary { image: image.to_string(), latent: latent.as_deref().map(hex::encode) }
            }
        }
    }

    fn read(self) -> Option<Source> {
        let blob = |text: &str| hex::decode_array(text).map(BlobHash);
        Some(match self {
            Self::Words => Source::Words,
            Self::Edit { image, mask } => Source::Edit { image: blob(&image)?, mask: blob(&mask)? },
            Self::Vary { image, latent } => {
                let latent = match latent {
                    Some(text) => Some(hex::decode(&text)?),
                    None => None,
                };
                Source::Vary { image: blob(&image)?, latent }
            }
        })
    }
}

#[derive(Serialize, Deserialize)]
struct SpecData {
    prompt: String,
    count: u32,
    width: u32,
    height: u32,
    seed: u64,
    background: String,
    steps: Option<u32>,
    previews: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    readings: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct OutputData {
    format: String,
    compression: u8,
}

#[derive(Serialize, Deserialize)]
struct QuoteData {
    version: i64,
    operation: String,
    count: u32,
    unit: i64,
    included: u32,
    charge: String,
    amount: i64,
    // Quotes were kept before prices had rules and a base.
    #[serde(default)]
    rule: u16,
    #[serde(default)]
    base: i64,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
enum StateData {
    Queued,
    Running { worker: String, token: u64, started_at: i64, expires_at: i64 },
    Charged { amount: i64, finished_at: i64 },
    Free { finished_at: i64 },
    Uncollected { amount: i64, finished_at: i64 },
    Failed { reason: String, finished_at: i64 },
    Cancelled { finished_at: i64 },
}

/// Writes a job's document.
pub(crate) fn write(job: &Job) -> String {
    serde_json::to_string(&job_data(job)).expect("texts and numbers can be written as JSON")
}

fn job_data(job: &Job) -> JobData {
    let Spec { prompt, count, size, seed, background, steps, previews, readings } = &job.spec;
    JobData {
        api_key: job.api_key.map(|key| key.to_string()),
        operation: job.operation.as_str().to_owned(),
        model: job.model.clone(),
        spec: SpecData {
            prompt: prompt.clone(),
            count: *count,
            width: size.width,
            height: size.height,
            seed: *seed,
            background: background_name(*background).to_owned(),
            steps: *steps,
            previews: *previews,
            readings: readings.clone(),
        },
        source: SourceData::of(&job.source),
        output: Some(OutputData { format: job.output.format.name().to_owned(), compression: job.output.compression }),
        keep_prompt: job.keep_prompt,
        low_zeal: job.zeal == Zeal::Low,
        quality: job.quality.clone(),
        quote: QuoteData {
            version: job.quote.version.micros(),
            operation: job.quote.operation.as_str().to_owned(),
            count: job.quote.count,
            unit: job.quote.unit.micro(),
            included: job.quote.included,
            charge: charge_name(job.quote.charge).to_owned(),
            amount: job.quote.amount.micro(),
            rule: job.quote.rule,
            base: job.quote.base.micro(),
        },
        notice: job.notice.clone(),
        attended: job.attended,
        state: state_data(&job.state),
        attempts: job.attempts,
        deleted_at: job.deleted_at.map(Timestamp::micros),
    }
}

fn state_data(state: &JobState) -> StateData {
    match state {
        JobState::Queued => StateData::Queued,
        JobState::Running(lease) => StateData::Running {
            worker: lease.worker.clone(),
            token: lease.token,
            started_at: lease.started_at.micros(),
            expires_at: lease.expires_at.micros(),
        },
        JobState::Done { outcome: Outcome::Charged { amount }, finished_at } => {
            StateData::Charged { amount: amount.micro(), finished_at: finished_at.micros() }
        }
        JobState::Done { outcome: Outcome::Free, finished_at } => StateData::Free { finished_at: finished_at.micros() },
        JobState::Done { outcome: Outcome::Uncollected { amount }, finished_at } => {
            StateData::Uncollected { amount: amount.micro(), finished_at: finished_at.micros() }
        }
        JobState::Failed { reason, finished_at } => {
            StateData::Failed { reason: reason.name().to_owned(), finished_at: finished_at.micros() }
        }
        JobState::Cancelled { finished_at } => StateData::Cancelled { finished_at: finished_at.micros() },
    }
}

/// Reads a job's row. An error where no version of this program has written it.
pub(crate) fn read(row: &Row<'_>) -> Result<Job> {
    const DATA: usize = 4;
    let text = row.get_ref(DATA)?.as_str()?;
    let data: JobData = serde_json::from_str(text).map_err(|error| bad(DATA, error.to_string()))?;
    let credits = |micro| Credits::from_micro(micro).ok_or_else(|| bad(DATA, format!("an amount of {micro}")));
    let operation = |name: &str| name.parse::<Operation>().map_err(|error| bad(DATA, error.to_string()));
    let at = Timestamp::from_micros;
    let state = match data.state {
        StateData::Queued => JobState::Queued,
        StateData::Running { worker, token, started_at, expires_at } => {
            JobState::Running(Lease { worker, token, started_at: at(started_at), expires_at: at(expires_at) })
        }
        StateData::Charged { amount, finished_at } => {
            JobState::Done { outcome: Outcome::Charged { amount: credits(amount)? }, finished_at: at(finished_at) }
        }
        StateData::Free { finished_at } => JobState::Done { outcome: Outcome::Free, finished_at: at(finished_at) },
        StateData::Uncollected { amount, finished_at } => {
            JobState::Done { outcome: Outcome::Uncollected { amount: credits(amount)? }, finished_at: at(finished_at) }
        }
        StateData::Failed { reason, finished_at } => {
            let known = FailReason::ALL.into_iter().find(|known| known.name() == reason);
            let reason = known.ok_or_else(|| bad(DATA, format!("a job failed for {reason:?}")))?;
            JobState::Failed { reason, finished_at: at(finished_at) }
        }
        StateData::Cancelled { finished_at } => JobState::Cancelled { finished_at: at(finished_at) },
    };
    Ok(Job {
        id: JobId::from_u128(id(row, 0)?),
        account: AccountId::from_u128(id(row, 1)?),
        api_key: data.api_key.map(|key| key.parse()).transpose().map_err(|_| bad(DATA, "an API key's id"))?,
        operation: operation(&data.operation)?,
        model: data.model,
        spec: Spec {
            prompt: data.spec.prompt,
            count: data.spec.count,
            size: Size { width: data.spec.width, height: data.spec.height },
            seed: data.spec.seed,
            background: background(&data.spec.background)?,
            steps: data.spec.steps,
            previews: data.spec.previews,
            readings: data.spec.readings,
        },
        source: data.source.read().ok_or_else(|| bad(DATA, "the source of a job"))?,
        output: match data.output {
            Some(OutputData { format, compression }) => Output { format: file_format(DATA, &format)?, compression },
            None => Output::default(),
        },
        keep_prompt: data.keep_prompt,
        zeal: if data.low_zeal { Zeal::Low } else { Zeal::Auto },
        quality: data.quality,
        quote: Quote {
            version: at(data.quote.version),
            operation: operation(&data.quote.operation)?,
            count: data.quote.count,
            unit: credits(data.quote.unit)?,
            included: data.quote.included,
            charge: charge(&data.quote.charge)?,
            amount: credits(data.quote.amount)?,
            rule: data.quote.rule,
            base: credits(data.quote.base)?,
        },
        hold: HoldId::from_u128(id(row, 2)?),
        notice: data.notice,
        attended: data.attended,
        state,
        attempts: data.attempts,
        created_at: instant(row, 3)?,
        deleted_at: data.deleted_at.map(at),
    })
}

fn background_name(background: Background) -> &'static str {
    match background {
        Background::Auto => "auto",
        Background::Opaque => "opaque",
        Background::Transparent => "transparent",
    }
}

fn background(name: &str) -> Result<Background> {
    [Background::Auto, Background::Opaque, Background::Transparent]
        .into_iter()
        .find(|background| background_name(*background) == name)
        .ok_or_else(|| bad(4, format!("a background of {name:?}")))
}

/// Returns the format of a word in a column.
pub(crate) fn file_format(column: usize, name: &str) -> Result<FileFormat> {
    FileFormat::named(name).ok_or_else(|| bad(column, format!("a file format of {name:?}")))
}

fn charge_name(charge: ChargeMode) -> &'static str {
    match charge {
        ChargeMode::PerOperation => "per_operation",
        ChargeMode::PerImage => "per_image",
    }
}

fn charge(name: &str) -> Result<ChargeMode> {
    [ChargeMode::PerOperation, ChargeMode::PerImage]
        .into_iter()
        .find(|charge| charge_name(*charge) == name)
        .ok_or_else(|| bad(4, format!("a charge of {name:?}")))
}
