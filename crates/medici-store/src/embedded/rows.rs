//! Rows of jobs, images, accounts and keys. A row type is this crate's promise to its own past, so it is written
//! out here and never derived from a domain type.

use medici_ledger::{AccountId, Timestamp};
use medici_studio::{
    Account, ApiKey, ApiKeyId, BlobHash, Image, ImageId, Job, JobFilter, JobId, JobPage, KeyOwner, PublishedVersion,
    engine::Size,
};
use rusqlite::{Connection, OptionalExtension, Row, params, types::Type};

use super::job_data;

type Result<T> = rusqlite::Result<T>;

/// A column whose content no version of this program has written.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct BadColumn(String);

pub(crate) fn bad(column: usize, what: impl Into<String>) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Blob, Box::new(BadColumn(what.into())))
}

/// Reads a 128-bit id.
pub(crate) fn id(row: &Row<'_>, column: usize) -> Result<u128> {
    Ok(u128::from_be_bytes(row.get(column)?))
}

pub(crate) fn instant(row: &Row<'_>, column: usize) -> Result<Timestamp> {
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

pub(crate) fn put_job(db: &Connection, job: &Job) -> Result<()> {
    let data = job_data::write(job);
    db.prepare_cached(
        "INSERT INTO jobs (id, account, hold, state, created_at, deleted_at, data) VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET hold = excluded.hold, state = excluded.state,
           deleted_at = excluded.deleted_at, data = excluded.data",
    )?
    .execute(params![
        job.id.as_u128().to_be_bytes(),
        job.account.as_u128().to_be_bytes(),
        job.hold.as_u128().to_be_bytes(),
        job.state.name(),
        job.created_at.micros(),
        job.deleted_at.map(Timestamp::micros),
        data,
    ])?;
    put_job_sources(db, job)
}

/// Takes note of the files that a job starts from, or of that it names none any more.
fn put_job_sources(db: &Connection, job: &Job) -> Result<()> {
    let id = job.id.as_u128().to_be_bytes();
    if job.deleted_at.is_some() {
        db.prepare_cached("DELETE FROM job_sources WHERE job = ?")?.execute([id])?;
    }
    for blob in job.source.blobs() {
        db.prepare_cached("INSERT OR IGNORE INTO job_sources (blob, job) VALUES (?, ?)")?
            .execute(params![blob.0, id])?;
    }
    Ok(())
}

pub(crate) const JOB: &str = "SELECT id, account, hold, created_at, data FROM jobs";

pub(crate) fn job_by_id(db: &Connection, id: JobId) -> Result<Option<Job>> {
    let id = id.as_u128().to_be_bytes();
    db.prepare_cached(&format!("{JOB} WHERE id = ?"))?.query_row([id], job_data::read).optional()
}

/// An account's jobs that are not deleted, from its index, newest first, older than the one given.
const LISTED: &str = "WHERE account = ? AND deleted_at IS NULL AND id < ? ORDER BY id DESC";

/// Returns what to bind for an account and the id that a page comes after.
fn older(account: AccountId, before: Option<u128>) -> ([u8; 16], [u8; 16]) {
    // Nothing has the largest id there is: every id says by its version how it was made.
    (account.as_u128().to_be_bytes(), before.unwrap_or(u128::MAX).to_be_bytes())
}

pub(crate) fn jobs_of(db: &Connection, account: AccountId, before: Option<JobId>, limit: usize) -> Result<Vec<Job>> {
    let (account, before) = older(account, before.map(JobId::as_u128));
    db.prepare_cached(&format!("{JOB} {LISTED} LIMIT ?"))?
        .query_map(params![account, before, rows_max(limit)], job_data::read)?
        .collect()
}

pub(crate) fn find_jobs(
    db: &Connection,
    account: AccountId,
    filter: &JobFilter,
    before: Option<JobId>,
    limit: usize,
) -> Result<JobPage> {
    let mut query = db.prepare_cached(&format!("{JOB} {LISTED}"))?;
    // Rows are read as they are asked for, so those behind the page cost nothing.
    filter.page(query.query_map(older(account, before.map(JobId::as_u128)), job_data::read)?, limit)
}

/// Calls back with every job that is queued or running, oldest first.
pub(crate) fn open_jobs(db: &Connection, mut each: impl FnMut(&Job)) -> Result<()> {
    let mut query = db.prepare(&format!("{JOB} WHERE state IN ('queued', 'running') ORDER BY id"))?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        each(&job_data::read(row)?);
    }
    Ok(())
}

/// Calls back with every job, oldest first.
pub(crate) fn all_jobs(db: &Connection, mut each: impl FnMut(Result<Job>)) -> Result<()> {
    let mut query = db.prepare(&format!("{JOB} ORDER BY id"))?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        each(job_data::read(row));
    }
    Ok(())
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
        format: job_data::file_format(11, row.get_ref(11)?.as_str()?)?,
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

/// Returns an account's images, newest first, older than the one given.
pub(crate) fn account_images(
    db: &Connection,
    account: AccountId,
    before: Option<ImageId>,
    limit: usize,
) -> Result<Vec<Image>> {
    let (account, before) = older(account, before.map(ImageId::as_u128));
    db.prepare_cached(&format!("{IMAGE} WHERE account = ? AND id < ? ORDER BY id DESC LIMIT ?"))?
        .query_map(params![account, before, rows_max(limit)], image)?
        .collect()
}

/// Returns the newest image of an account that is kept in this file.
pub(crate) fn image_of_blob(db: &Connection, account: AccountId, blob: BlobHash) -> Result<Option<Image>> {
    let account = account.as_u128().to_be_bytes();
    db.prepare_cached(&format!("{IMAGE} WHERE blob = ? AND account = ? ORDER BY id DESC LIMIT 1"))?
        .query_row(params![blob.0, account], image)
        .optional()
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

/// Returns those of the blobs that no row names.
pub(crate) fn unnamed(db: &Connection, blobs: &[BlobHash]) -> Result<Vec<BlobHash>> {
    let mut named =
        db.prepare_cached("SELECT 1 FROM images WHERE blob = ?1 UNION ALL SELECT 1 FROM job_sources WHERE blob = ?1")?;
    let mut unnamed = Vec::new();
    for blob in blobs {
        if !named.exists([blob.0])? {
            unnamed.push(*blob);
        }
    }
    Ok(unnamed)
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
