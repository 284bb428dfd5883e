//! Images against their blobs and their jobs.

use std::{collections::HashMap, fs, io, path::Path};

use medici_ledger::AccountId;
use medici_studio::{BlobHash, ImageId, JobId};
use rusqlite::Connection;

use super::{
    Finding, Report, VerifyError,
    jobs::{Images, Jobs},
};
use crate::{
    blobs::{FOLDER, path_of},
    embedded::{FILE, deleted_images, readers, rows},
};

/// Compares every image with its file and its job, and what is left of deleted ones with their jobs.
pub(super) fn compare(db: &Connection, home: &Path, jobs: &Jobs, report: &mut Report) -> Result<(), VerifyError> {
    let folder = home.join(FOLDER);
    let mut counts: HashMap<JobId, Images> = HashMap::new();
    let mut missing = Vec::new();
    rows::all_images(db, |image| {
        report.images += 1;
        let finding = |what: String| Finding::of(format!("{}: {what}", image.id)).account(image.account);
        if let Some(what) = job_fault(jobs, image.job, image.account) {
            report.find(finding(what));
        } else {
            counts.entry(image.job).or_default().stored += 1;
        }
        match blob_fault(&folder, image.blob, image.blob_bytes) {
            Some(BlobFault::Missing) => {
                missing.push((image.id, finding(format!("its blob {} is missing", image.blob))));
            }
            Some(BlobFault::Other(what)) => report.find(finding(what)),
            None => {}
        }
    })?;
    report_missing(home, missing, report)?;
    deleted_images::all(db, |image, has_row| {
        let finding = |what: String| Finding::of(format!("{}: {what}", image.id)).account(image.account);
        if has_row {
            report.find(finding("it is deleted and has a row".into()));
        }
        if let Some(what) = job_fault(jobs, image.job, image.account) {
            report.find(finding(what));
        } else {
            counts.entry(image.job).or_default().deleted += 1;
        }
    })?;
    report_counts(jobs, &counts, report);
    Ok(())
}

fn job_fault(jobs: &Jobs, id: JobId, account: AccountId) -> Option<String> {
    match jobs.jobs.get(&id) {
        None => Some(format!("its job {id} does not exist")),
        Some(job) if job.account != account => Some(format!("its job {id} is of {}", job.account)),
        Some(_) => None,
    }
}

/// Reports images without a file, but for those that were deleted since the snapshot was taken: their rows in it are
/// older than their files.
fn report_missing(home: &Path, missing: Vec<(ImageId, Finding)>, report: &mut Report) -> Result<(), VerifyError> {
    if missing.is_empty() {
        return Ok(());
    }
    let now = readers::open(&home.join(FILE))?;
    for (id, finding) in missing {
        if rows::image_by_id(&now, id)?.is_some() {
            report.find(finding);
        }
    }
    Ok(())
}

enum BlobFault {
    Missing,
    Other(String),
}

fn blob_fault(folder: &Path, hash: BlobHash, expected: u64) -> Option<BlobFault> {
    let what = match fs::read(path_of(folder, hash)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Some(BlobFault::Missing),
        Err(error) => format!("its blob {hash} cannot be read: {error}"),
        Ok(bytes) if BlobHash::of(&bytes) != hash => format!("its blob {hash} holds other bytes"),
        Ok(bytes) if bytes.len() as u64 != expected => {
            format!("its row says {expected} bytes, its blob has {}", bytes.len())
        }
        Ok(_) => return None,
    };
    Some(BlobFault::Other(what))
}

fn report_counts(jobs: &Jobs, counts: &HashMap<JobId, Images>, report: &mut Report) {
    let mut wrong: Vec<(JobId, AccountId, &str)> = Vec::new();
    for (id, job) in &jobs.jobs {
        let images = counts.get(id).copied().unwrap_or_default();
        wrong.extend(job.images_contradict(images).map(|what| (*id, job.account, what)));
    }
    wrong.sort_unstable();
    for (id, account, what) in wrong {
        report.find(Finding::of(format!("{id}: {what}")).account(account));
    }
}
