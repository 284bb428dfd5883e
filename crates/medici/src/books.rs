//! Reading the books on the command line, beside whoever has the store open.

use anyhow::{Context, Result};
use medici_store::ReadOnly;
use medici_studio::Account;

use crate::config::Config;

/// Opens the store of the data directory for reading, whether or not a server runs.
pub(crate) fn open(config: &Config) -> Result<ReadOnly> {
    config.data.must_exist()?;
    ReadOnly::open(config.data.path()).context("cannot read the store")
}

/// Returns the account that has this name or id.
pub(crate) fn account(books: &ReadOnly, name_or_id: &str) -> Result<Account> {
    let found = match name_or_id.parse() {
        Ok(id) => books.account(id)?,
        Err(_) => books.account_named(name_or_id)?,
    };
    found.with_context(|| format!("there is no account {name_or_id:?}"))
}
