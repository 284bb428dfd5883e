//! Data directories for benches: made in the one that is configured, on its disk, and removed afterwards.

use std::path::Path;

use anyhow::{Context, Result, bail};
use futures_util::future::try_join_all;
use medici_ledger::{
    AccountId, Cents, Class, Credits, Currency, Money, Operation, Source, Spender,
    idempotency::{Endpoint, Fingerprint, Keep, KeyScope},
};
use medici_studio::{Charge, Grant, KeyOwner, KeyUse, Studio};

use super::books::beginning;
use crate::{
    config::{Config, EngineKind},
    data_dir::DataDir,
    machine::{hex, random},
    wiring::{self, Opening},
};

/// Units of work that wait together: enough for large groups, below the store's bound.
const TOGETHER: usize = 4_096;

/// A data directory of its own, gone when dropped.
pub(crate) struct Place {
    pub(crate) config: Config,
}

impl Place {
    /// Makes an empty one inside the configured data directory.
    pub(crate) fn new(config: &Config) -> Result<Self> {
        config.data.create()?;
        let mut config = config.clone();
        config.data = DataDir::find(Some(&config.data.path().join(format!("bench-{}", hex(&random::<4>())))))?;
        config.data.create()?;
        Ok(Self { config })
    }

    /// Returns the directory.
    pub(crate) fn path(&self) -> &Path {
        self.config.data.path()
    }

    /// Opens its studio. Nothing is drawn by it.
    pub(crate) async fn studio(&self) -> Result<Studio> {
        match wiring::open(&self.config, wiring::engine(EngineKind::TestPattern)?).await? {
            Opening::Open(studio) => Ok(*studio),
            Opening::Locked(error) => Err(error),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Gigabytes, maybe; but a bench that failed should say why it failed, not why it could not tidy up.
        let _ = std::fs::remove_dir_all(self.path());
    }
}

/// Opens accounts named `<prefix>-<n>` with two lots each: the month's free credits and bought ones.
pub(crate) async fn accounts(studio: &Studio, prefix: &str, count: u64) -> Result<Vec<AccountId>> {
    let mut ids = Vec::with_capacity(usize::try_from(count).context("that many accounts")?);
    let numbers: Vec<u64> = (0..count).collect();
    for some in numbers.chunks(TOGETHER) {
        let opened = some.iter().map(|number| async move {
            let plan = "free".parse().expect("a plan's name");
            let account = studio.open_account(&format!("{prefix}-{number}"), plan).await?;
            studio.grant(purchase(account.id)).await?;
            anyhow::Ok(account.id)
        });
        ids.extend(try_join_all(opened).await?);
    }
    Ok(ids)
}

fn purchase(account: AccountId) -> Grant {
    let credits = 1_000_000;
    let cents = Cents::from_minor(i64::from(credits) * 15).expect("not negative");
    Grant {
        account,
        credits: Credits::whole(credits),
        class: Class::Paid,
        cost: Some(Money::new(cents, Currency::USD)),
        expires_at: beginning().plus(std::time::Duration::from_secs(3_600 * 24 * 3_650)),
        source: Source::Purchase,
        key: key(account, "grants", "setup", Keep::Forever),
    }
}

/// Charges one operation at each of these accounts in turn, `count` charges in all.
pub(crate) async fn charges(studio: &Studio, accounts: &[AccountId], first: u64, count: u64) -> Result<()> {
    let mut number = first;
    let end = first + count;
    while number < end {
        let until = end.min(number + TOGETHER as u64);
        let asked = (number..until).map(|number| {
            let account = accounts[usize::try_from(number % accounts.len() as u64).expect("an index")];
            studio.charge(Charge {
                account,
                operation: Operation::Generate,
                count: 4,
                spender: Spender::NOBODY,
                key: key(account, "charges", &format!("charge-{number}"), Keep::Day),
            })
        });
        for receipt in try_join_all(asked).await? {
            if receipt.replayed {
                bail!("a bench's charge was taken for a repeat");
            }
        }
        number = until;
    }
    Ok(())
}

fn key(account: AccountId, endpoint: &str, name: &str, keep: Keep) -> KeyUse {
    KeyUse {
        scope: KeyScope { account, endpoint: Endpoint(endpoint.into()), key: name.into() },
        fingerprint: Fingerprint::of([name.as_bytes()]),
        keep,
    }
}

/// Makes a key that may charge every account.
pub(crate) async fn service_key(studio: &Studio) -> Result<String> {
    let (_, secret) = studio.create_api_key(KeyOwner::Service, "bench").await?;
    Ok(secret.expose().to_owned())
}

/// Makes a key of one account.
pub(crate) async fn account_key(studio: &Studio, account: AccountId) -> Result<String> {
    let (_, secret) = studio.create_api_key(KeyOwner::Account(account), "bench").await?;
    Ok(secret.expose().to_owned())
}
