//! Low balances: whoever wants to be told says below how many credits.

use medici_ledger::{AccountId, Command, Credits, Refusal};

use crate::{
    store::StoreError,
    studio::Studio,
    unit::{Decide, Touches, UnitOfWork, decide},
};

/// Why nothing was set.
#[derive(Debug, thiserror::Error)]
pub enum SetAlertError {
    /// There is no such account.
    #[error("there is no such account")]
    NoAccount,
    /// The ledger refused it.
    #[error(transparent)]
    Refused(Refusal),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Studio {
    /// Tells of a balance below a bound from now on, or, without one, not any more. Where it is below already, that
    /// is told at once. A repeat changes nothing.
    pub async fn set_alert(&self, account: AccountId, below: Option<Credits>) -> Result<(), SetAlertError> {
        decide(&*self.store, SetAlert { account, below }).await?
    }
}

struct SetAlert {
    account: AccountId,
    below: Option<Credits>,
}

impl Decide for SetAlert {
    type Reply = ();
    type Refusal = SetAlertError;

    fn touches(&self) -> Touches {
        Touches::wallet(self.account)
    }

    fn decide(&self, work: &mut UnitOfWork<'_>) -> Result<(), SetAlertError> {
        if work.wallet(self.account).is_none() {
            return Err(SetAlertError::NoAccount);
        }
        let command = Command::SetAlert { below: self.below };
        work.ledger(self.account, &command).map_err(SetAlertError::Refused)?;
        Ok(())
    }
}
