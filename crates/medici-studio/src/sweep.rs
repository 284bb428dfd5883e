//! The sweeper: books what time has made true, so that rows say what answers say already.
//!
//! Nothing depends on it. A balance is right, and a hold ended, whether the sweeper runs or not.

use std::{sync::Arc, time::Duration};

use medici_ledger::{AccountId, Command};
use tracing::warn;

use crate::{
    store::StoreError,
    studio::Studio,
    unit::{Decide, Touches, UnitOfWork, decide},
};

/// How often the sweeper looks.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);
/// How many accounts it settles before it looks at leases again.
const SWEEP_ACCOUNTS_MAX: usize = 1_000;

impl Studio {
    /// Sweeps accounts and blobs until the future is dropped.
    pub async fn sweep(self: Arc<Self>) {
        tokio::join!(self.sweep_accounts(), self.sweep_blobs());
    }

    async fn sweep_accounts(&self) {
        loop {
            if let Err(error) = self.sweep_once().await {
                warn!(%error, "Could not sweep");
            }
            tokio::time::sleep(SWEEP_INTERVAL).await;
        }
    }

    /// Takes jobs of lost workers back, and books what has become true in accounts nobody has touched.
    ///
    /// Returns how many accounts it booked something in.
    pub async fn sweep_once(&self) -> Result<usize, StoreError> {
        self.take_back(None).await?;
        let due = self.store.accounts_due(self.clock.now(), SWEEP_ACCOUNTS_MAX);
        let units = due.iter().map(|account| decide(&*self.store, Settle { account: *account }));
        // Together, so that they share a commit.
        for settled in futures_util::future::join_all(units).await {
            let Ok(()) = settled?;
        }
        Ok(due.len())
    }
}

struct Settle {
    account: AccountId,
}

impl Decide for Settle {
    type Reply = ();
    type Refusal = std::convert::Infallible;

    fn touches(&self) -> Touches {
        Touches::wallet(self.account)
    }

    fn decide(&self, work: &mut UnitOfWork<'_>) -> Result<(), Self::Refusal> {
        if work.wallet(self.account).is_some() {
            work.ledger(self.account, &Command::Settle).expect("what is true already has nothing to refuse");
        }
        Ok(())
    }
}
