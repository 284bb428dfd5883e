//! Rows of jobs, images, accounts and keys. A row type is this crate's promise to its own past, so it is written
//! out here and never derived from a domain type.

use medici_ledger::{AccountId, ChargeMode, Credits, HoldId, Operation, Quote, Timestamp};
use medici_studio::{
    Account, ApiKey, ApiKeyId, BlobHash, FailReason, FileFormat, Image, ImageId, Job, JobId, JobState, KeyOwner, Lease,
    Outcome, Output, PublishedVersion,
    engine::{Background, Size, Spec},
};
use rusqlite::{Connection, OptionalExtension, Row, params, types::Type};
use serde::{Deserialize, Serialize};

type Result<T> = rusqlite::Result<T>;

/// A column whose content no version of this program has written.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct BadColumn(String);

fn bad(column: usize, what: impl Into<String>) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Blob, Box::new(BadColumn(what.into())))
}

/// Reads a 128-bit id.
pub(crate) fn id(row: &Row<'_>, column: usize) -> Result<u128> {
    Ok(u128::from_be_bytes(row.get(column)?))
}

fn instant(row: &Row<'_>, column: usize) -> Result<Timestamp> {
    row.get(column).map(Timestamp::from_micros)
}

/// Writes a row number or a count, which SQLite keeps as a signed integer.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).expect("a store has fewer than 2^63 rows")
}

/// Reads a row number or a count.
pub(crate) fn unsigned(row: &Row<'_>, column: usize) -> Result<u64> {
    let number: i64 = row.get(column)?;
    u64::try_from(number).map_err(|_| bad(column, format!("a count is {number}")))
}

// Accounts.

pub(crate) fn insert_account(db: &Connection, account: &Account) -> Result<()> {
    db.prepare_cached("INSERT INTO accounts (id, name, created_at) VALUES (?, ?, ?)")?.execute(params![
        account.id.as_u128().to_be_bytes(),
        account.name,
        account.created_at.micros()
    ])?;
    Ok(())
}

fn account(row: &Row<'_>) -> Result<Account> {
    Ok(Account { id: AccountId::from_u128(id(row, 0)?), name: row.get(1)?, created_at: instant(row, 2)? })
}

pub(crate) fn account_by_id(db: &Connection, id: AccountId) -> Result<Option<Account>> {
    db.prepare_cached("SELECT id, name, created_at FROM accounts WHERE id = ?")?
        .query_row([id.as_u128().to_be_bytes()], account)
        .optional()
}

pub(crate) fn account_by_name(db: &Connection, name: &str) -> Result<Option<Account>> {
    db.prepare_cached("SELECT id, name, created_at FROM accounts WHERE name = ?")?.query_row([name], account).optional()
}

pub(crate) fn accounts(db: &Connection, after: Option<&str>, limit: usize) -> Result<Vec<Account>> {
    // No name is empty, so every name is after the empty one.
    db.prepare_cached("SELECT id, name, created_at FROM accounts WHERE name > ? ORDER BY name LIMIT ?")?
        .query_map(params![after.unwrap_or_default(), rows_max(limit)], account)?
        .collect()
}

pub(crate) fn rows_max(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

// API keys.

const API_KEY: &str = "SELECT id, owner, account, lookup, secret_hash, label, created_at, revoked_at FROM api_keys";

pub(crate) fn put_api_key(db: &Connection, key: &ApiKey) -> Result<()> {
    let (owner, account) = match key.owner {
        KeyOwner::Account(account) => ("account", Some(account.as_u128().to_be_bytes())),
        KeyOwner::Service => ("service", None),
        KeyOwner::Admin => ("admin", None),
    };
    db.prepare_cached(
        "INSERT INTO api_keys (id, owner, account, lookup, secret_hash, label, created_at, revoked_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET owner = excluded.owner, account = excluded.account, lookup = excluded.lookup,
           secret_hash = excluded.secret_hash, label = excluded.label, revoked_at = excluded.revoked_at",
    )?
    .execute(params![
        key.id.as_u128().to_be_bytes(),
        owner,
        account,
        key.lookup,
        key.secret_hash,
        key.label,
        key.created_at.micros(),
        key.revoked_at.map(Timestamp::micros),
    ])?;
    Ok(())
}

fn api_key(row: &Row<'_>) -> Result<ApiKey> {
    let owner: String = row.get(1)?;
    Ok(ApiKey {
        id: ApiKeyId::from_u128(id(row, 0)?),
        owner: match owner.as_str() {
            "account" => KeyOwner::Account(AccountId::from_u128(id(row, 2)?)),
            "service" => KeyOwner::Service,
            "admin" => KeyOwner::Admin,
            other => return Err(bad(1, format!("an API key of {other:?}"))),
        },
        lookup: row.get(3)?,
        secret_hash: row.get(4)?,
        label: row.get(5)?,
        created_at: instant(row, 6)?,
        revoked_at: row.get::<_, Option<i64>>(7)?.map(Timestamp::from_micros),
    })
}

pub(crate) fn api_key_by_lookup(db: &Connection, lookup: &str) -> Result<Option<ApiKey>> {
    db.prepare_cached(&format!("{API_KEY} WHERE lookup = ?"))?.query_row([lookup], api_key).optional()
}

pub(crate) fn api_key_by_id(db: &Connection, id: ApiKeyId) -> Result<Option<ApiKey>> {
    let id = id.as_u128().to_be_bytes();
    db.prepare_cached(&format!("{API_KEY} WHERE id = ?"))?.query_row([id], api_key).optional()
}

pub(crate) fn api_keys(db: &Connection, account: Option<AccountId>) -> Result<Vec<ApiKey>> {
    let account = account.map(|account| account.as_u128().to_be_bytes());
    db.prepare_cached(&format!("{API_KEY} WHERE account IS ? ORDER BY created_at DESC, id DESC"))?
        .query_map([account], api_key)?
        .collect()
}

// Jobs.

#[derive(Serialize, Deserialize)]
struct JobData {
    api_key: Option<String>,
    operation: String,
    model: String,
    spec: SpecData,
    // Jobs were kept before their files could be anything but PNG, and said where they come from.
    output: Option<OutputData>,
    #[serde(default)]
    keep_prompt: bool,
    quote: QuoteData,
    notice: Option<String>,
    state: StateData,
    attempts: u32,
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

const REASONS: [FailReason; 5] =
    [FailReason::Engine, FailReason::BadSpec, FailReason::WorkerLost, FailReason::HoldExpired, FailReason::Storage];

pub(crate) fn put_job(db: &Connection, job: &Job) -> Result<()> {
    let data = serde_json::to_string(&job_data(job)).expect("texts and numbers can be written as JSON");
    db.prepare_cached(
        "INSERT INTO jobs (id, account, hold, state, created_at, data) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET hold = excluded.hold, state = excluded.state, data = excluded.data",
    )?
    .execute(params![
        job.id.as_u128().to_be_bytes(),
        job.account.as_u128().to_be_bytes(),
        job.hold.as_u128().to_be_bytes(),
        job.state.name(),
        job.created_at.micros(),
        data,
    ])?;
    Ok(())
}

const JOB: &str = "SELECT id, account, hold, created_at, data FROM jobs";

pub(crate) fn job_by_id(db: &Connection, id: JobId) -> Result<Option<Job>> {
    let id = id.as_u128().to_be_bytes();
    db.prepare_cached(&format!("{JOB} WHERE id = ?"))?.query_row([id], job).optional()
}

pub(crate) fn jobs_of(db: &Connection, account: AccountId, before: Option<JobId>, limit: usize) -> Result<Vec<Job>> {
    let account = account.as_u128().to_be_bytes();
    match before {
        Some(before) => db
            .prepare_cached(&format!("{JOB} WHERE account = ? AND id < ? ORDER BY id DESC LIMIT ?"))?
            .query_map(params![account, before.as_u128().to_be_bytes(), rows_max(limit)], job)?
            .collect(),
        None => db
            .prepare_cached(&format!("{JOB} WHERE account = ? ORDER BY id DESC LIMIT ?"))?
            .query_map(params![account, rows_max(limit)], job)?
            .collect(),
    }
}

/// Calls back with every job that is queued or running, oldest first.
pub(crate) fn open_jobs(db: &Connection, mut each: impl FnMut(&Job)) -> Result<()> {
    let mut query = db.prepare(&format!("{JOB} WHERE state IN ('queued', 'running') ORDER BY id"))?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        each(&job(row)?);
    }
    Ok(())
}

/// Calls back with every job, oldest first.
pub(crate) fn all_jobs(db: &Connection, mut each: impl FnMut(Result<Job>)) -> Result<()> {
    let mut query = db.prepare(&format!("{JOB} ORDER BY id"))?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        each(job(row));
    }
    Ok(())
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
        output: Some(OutputData { format: job.output.format.name().to_owned(), compression: job.output.compression }),
        keep_prompt: job.keep_prompt,
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
        state: state_data(&job.state),
        attempts: job.attempts,
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

fn job(row: &Row<'_>) -> Result<Job> {
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
            let known = REASONS.into_iter().find(|known| known.name() == reason);
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
        output: match data.output {
            Some(OutputData { format, compression }) => Output { format: file_format(DATA, &format)?, compression },
            None => Output::default(),
        },
        keep_prompt: data.keep_prompt,
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
        state,
        attempts: data.attempts,
        created_at: instant(row, 3)?,
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

fn file_format(column: usize, name: &str) -> Result<FileFormat> {
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

// Images.

pub(crate) fn insert_image(db: &Connection, image: &Image) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO images
           (id, job, account, number, blob, blob_bytes, width, height, latent, reading, created_at, format)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        image.id.as_u128().to_be_bytes(),
        image.job.as_u128().to_be_bytes(),
        image.account.as_u128().to_be_bytes(),
        image.index,
        image.blob.0,
        signed(image.blob_bytes),
        image.size.width,
        image.size.height,
        image.latent,
        image.reading,
        image.created_at.micros(),
        image.format.name(),
    ])?;
    Ok(())
}

const IMAGE: &str =
    "SELECT id, job, account, number, blob, blob_bytes, width, height, latent, reading, created_at, format FROM images";

fn image(row: &Row<'_>) -> Result<Image> {
    Ok(Image {
        id: ImageId::from_u128(id(row, 0)?),
        job: JobId::from_u128(id(row, 1)?),
        account: AccountId::from_u128(id(row, 2)?),
        index: row.get(3)?,
        blob: BlobHash(row.get(4)?),
        blob_bytes: unsigned(row, 5)?,
        size: Size { width: row.get(6)?, height: row.get(7)? },
        latent: row.get(8)?,
        reading: row.get(9)?,
        created_at: instant(row, 10)?,
        format: file_format(11, row.get_ref(11)?.as_str()?)?,
    })
}

pub(crate) fn images_of(db: &Connection, job: JobId) -> Result<Vec<Image>> {
    db.prepare_cached(&format!("{IMAGE} WHERE job = ? ORDER BY number"))?
        .query_map([job.as_u128().to_be_bytes()], image)?
        .collect()
}

pub(crate) fn image_by_id(db: &Connection, id: ImageId) -> Result<Option<Image>> {
    let id = id.as_u128().to_be_bytes();
    db.prepare_cached(&format!("{IMAGE} WHERE id = ?"))?.query_row([id], image).optional()
}

/// What of an image is the same in every store there ever was.
pub(crate) struct ImageBlob {
    pub(crate) id: ImageId,
    pub(crate) job: JobId,
    pub(crate) account: AccountId,
    pub(crate) blob: BlobHash,
    pub(crate) blob_bytes: u64,
}

/// Calls back with every image, oldest first. Reads a directory that a newer program has not opened yet, too.
pub(crate) fn all_images(db: &Connection, mut each: impl FnMut(ImageBlob)) -> Result<()> {
    let mut query = db.prepare("SELECT id, job, account, blob, blob_bytes FROM images ORDER BY id")?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        each(ImageBlob {
            id: ImageId::from_u128(id(row, 0)?),
            job: JobId::from_u128(id(row, 1)?),
            account: AccountId::from_u128(id(row, 2)?),
            blob: BlobHash(row.get(3)?),
            blob_bytes: unsigned(row, 4)?,
        });
    }
    Ok(())
}

/// Returns whether an image row names a blob.
pub(crate) fn blob_is_named(db: &Connection, hash: BlobHash) -> Result<bool> {
    db.prepare_cached("SELECT 1 FROM images WHERE blob = ?")?.exists([hash.0])
}

// Prices.

pub(crate) fn insert_price_version(db: &Connection, version: &PublishedVersion) -> Result<()> {
    let insert = "INSERT INTO price_versions (effective_at, published_at, reason, book) VALUES (?, ?, ?, ?)";
    db.prepare_cached(insert)?.execute(params![
        version.effective_at.micros(),
        version.published_at.micros(),
        version.reason,
        &*version.book,
    ])?;
    Ok(())
}

pub(crate) fn price_versions(db: &Connection) -> Result<Vec<PublishedVersion>> {
    let mut query =
        db.prepare_cached("SELECT effective_at, published_at, reason, book FROM price_versions ORDER BY effective_at")?;
    let version = |row: &Row<'_>| {
        let book: String = row.get(3)?;
        Ok(PublishedVersion {
            effective_at: instant(row, 0)?,
            published_at: instant(row, 1)?,
            reason: row.get(2)?,
            book: book.into(),
        })
    };
    query.query_map([], version)?.collect()
}
