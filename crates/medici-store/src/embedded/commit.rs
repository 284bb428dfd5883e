//! The writer's side of the database: one commit at a time, on the one connection that writes.

use std::{path::PathBuf, sync::Arc};

use medici_ledger::idempotency::KeyScope;
use medici_studio::{EventKey, EventRecord, ImageId, Job, JobId, KeyRecord, KnownImage};
use rusqlite::{Connection, TransactionBehavior};

use super::{
    alerts, deleted_images, entries, errors, events::Events, fresh::Fresh, keys::Keys, rows, snapshots::Snapshots,
    upkeep::Wal,
};
use crate::{
    faults::{Fault, Faults},
    group::{Backend, CommitError, Flushed},
    overlay::Batch,
    scope::ScopeHash,
    wallets::Wallets,
};

/// The connection that writes, and what it needs to know between two commits.
pub(crate) struct Writer {
    pub(crate) db: Connection,
    pub(crate) directory: PathBuf,
    pub(crate) keys: Keys,
    pub(crate) events: Events,
    pub(crate) snapshots: Snapshots,
    pub(crate) wal: Arc<Wal>,
    pub(crate) fresh: Arc<Fresh>,
    pub(crate) faults: Faults,
}

impl Writer {
    fn failed(&self, error: &rusqlite::Error) -> CommitError {
        errors::of_commit(error, &self.directory)
    }
}

impl Backend for Writer {
    fn job(&self, job: JobId) -> Result<Option<Job>, CommitError> {
        rows::job_by_id(&self.db, job).map_err(|error| self.failed(&error))
    }

    fn image(&self, image: ImageId) -> Result<Option<KnownImage>, CommitError> {
        deleted_images::known(&self.db, image).map_err(|error| self.failed(&error))
    }

    fn key(&self, scope: &KeyScope, hash: ScopeHash) -> Result<Option<KeyRecord>, CommitError> {
        self.keys.find(&self.db, scope, hash).map_err(|error| self.failed(&error))
    }

    fn events(&self, events: &[EventKey], found: &mut dyn FnMut(usize, EventRecord)) -> Result<(), CommitError> {
        self.events.find(&self.db, events, found).map_err(|error| self.failed(&error))
    }

    fn name_taken(&self, name: &str) -> Result<bool, CommitError> {
        let account = rows::account_by_name(&self.db, name).map_err(|error| self.failed(&error))?;
        Ok(account.is_some())
    }

    fn commit(&mut self, batch: &Batch, wallets: &Wallets) -> Result<Vec<Flushed>, CommitError> {
        let fault = self.faults.take();
        if let Some(fault) = fault.filter(|fault| *fault != Fault::AtCommit) {
            return Err(fault.error());
        }
        let directory = &self.directory;
        let failed = |error: rusqlite::Error| errors::of_commit(&error, directory);
        let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        let write = || {
            entries::append(&tx, batch)?;
            alerts::append(&tx, batch)?;
            batch.accounts.iter().try_for_each(|account| rows::insert_account(&tx, account))?;
            batch.api_keys.iter().try_for_each(|key| rows::put_api_key(&tx, key))?;
            batch.jobs.iter().try_for_each(|job| rows::put_job(&tx, job))?;
            batch.price_versions.iter().try_for_each(|version| rows::insert_price_version(&tx, version))?;
            batch.images.iter().try_for_each(|image| rows::insert_image(&tx, image))?;
            batch.deleted_images.iter().try_for_each(|image| deleted_images::delete(&tx, image))?;
            let keys = self.keys.write(&tx, batch)?;
            let events = self.events.write(&tx, batch)?;
            let snapshots = self.snapshots.write(&tx, batch, wallets)?;
            Ok((keys, events, snapshots))
        };
        // Until the commit has returned, nothing but the tx has changed: dropping it undoes everything.
        let (keys, events, snapshots) = write().map_err(failed)?;
        if let Some(fault) = fault {
            return Err(fault.error());
        }
        tx.commit().map_err(failed)?;
        self.keys.written(keys);
        self.events.written(events);
        self.fresh.add(batch);
        Ok(self.snapshots.written(snapshots))
    }

    fn probe(&mut self) -> Result<(), CommitError> {
        match self.faults.take() {
            Some(fault) => Err(fault.error()),
            None => errors::probe(&self.directory),
        }
    }

    fn between(&mut self) {
        self.wal.finish_if_asked(&self.db);
    }
}
