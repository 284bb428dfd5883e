//! Images against their blobs and their jobs.

use std::{collections::HashMap, fs, io, path::Path};

use medici_ledger::AccountId;
use medici_studio::{BlobHash, JobId};
use rusqlite::Connection;

use super::{Finding, Report, VerifyError, jobs::Jobs};
use crate::{
    blobs::{FOLDER, path_of},
    embedded::rows,
};

/// Compares every image with its file and its job.
pub(super) fn compare(db: &Connection, home: &Path, jobs: &Jobs, report: &mut Report) -> Result<(), VerifyError> {
    let folder = home.join(FOLDER);
    let mut counts: HashMap<JobId, u64> = HashMap::new();
    rows::all_images(db, |image| {
        report.images += 1;
        let finding = |what: String| Finding::of(format!("{}: {what}", image.id)).account(image.account);
        match jobs.jobs.get(&image.job) {
            None => report.find(finding(format!("its job {} does not exist", image.job))),
            Some(job) if job.account != image.account => {
                report.find(finding(format!("its job {} is of {}", image.job, job.account)));
            }
            Some(_) => *counts.entry(image.job).or_default() += 1,
        }
        if let Some(what) = blob_fault(&folder, image.blob, image.blob_bytes) {
            report.find(finding(what));
        }
    })?;
    report_counts(jobs, &counts, report);
    Ok(())
}

fn blob_fault(folder: &Path, hash: BlobHash, expected: u64) -> Option<String> {
    match fs::read(path_of(folder, hash)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Some(format!("its blob {hash} is missing")),
        Err(error) => Some(format!("its blob {hash} cannot be read: {error}")),
        Ok(bytes) if BlobHash::of(&bytes) != hash => Some(format!("its blob {hash} holds other bytes")),
        Ok(bytes) if bytes.len() as u64 != expected => {
            Some(format!("its row says {expected} bytes, its blob has {}", bytes.len()))
        }
        Ok(_) => None,
    }
}

fn report_counts(jobs: &Jobs, counts: &HashMap<JobId, u64>, report: &mut Report) {
    let mut wrong: Vec<(JobId, AccountId, &str)> = Vec::new();
    for (id, job) in &jobs.jobs {
        let images = counts.get(id).copied().unwrap_or(0);
        wrong.extend(job.images_contradict(images).map(|what| (*id, job.account, what)));
    }
    wrong.sort_unstable();
    for (id, account, what) in wrong {
        report.find(Finding::of(format!("{id}: {what}")).account(account));
    }
}
