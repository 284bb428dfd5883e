//! One command of the ledger, for one account, under an idempotency key.
//!
//! Whatever an operator does to an account ends here: the command is made from what the unit of work has loaded,
//! decided by the ledger, and kept under its key together with the entry that it booked.

use std::marker::PhantomData;

use medici_ledger::{AccountId, Command, Credits, Entry, Refusal, Wallet};

use crate::{
    charge::{Receipt, repeated},
    store::StoreError,
    studio::Studio,
    unit::{Decide, Kept, KeyReused, KeyUse, Touches, UnitOfWork, decide},
};

/// What came of a command.
#[derive(Clone, Debug, PartialEq)]
pub struct Done {
    /// The entry it booked; `None` where everything was already as it asked.
    pub entry: Option<Entry>,
    /// What was available right after it.
    pub available: Credits,
    /// The wallet as it stands: after the command, or, for a repeat, after all that has happened since.
    pub wallet: Wallet,
    /// Whether this request is a repeat of the one that made the entry.
    pub replayed: bool,
}

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum RunCommandError {
    /// The ledger refused it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The idempotency key belongs to another request.
    #[error(transparent)]
    KeyReused(#[from] KeyReused),
    /// There is no such account.
    #[error("there is no such account")]
    NoAccount,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Studio {
    /// Carries out a command. A repeat with the same key finds the entry of the first.
    ///
    /// Without a key a repeat is decided anew: only for commands that then change nothing.
    pub async fn run_command(
        &self,
        account: AccountId,
        command: Command,
        key: Option<KeyUse>,
    ) -> Result<Done, RunCommandError> {
        self.run_made(account, key, move |_| Ok(command.clone())).await
    }

    /// Carries out the command that `make` makes of what the unit of work has loaded. `make` is pure.
    pub(crate) async fn run_made<F, E>(&self, account: AccountId, key: Option<KeyUse>, make: F) -> Result<Done, E>
    where
        F: Fn(&UnitOfWork<'_>) -> Result<Command, E> + Send + 'static,
        E: From<RunCommandError> + Send + 'static,
    {
        let run = RunCommand { account, key, make, refusal: PhantomData };
        decide(&*self.store, run).await.map_err(RunCommandError::Store)?
    }
}

struct RunCommand<F, E> {
    account: AccountId,
    key: Option<KeyUse>,
    make: F,
    refusal: PhantomData<fn() -> E>,
}

impl<F, E> Decide for RunCommand<F, E>
where
    F: Fn(&UnitOfWork<'_>) -> Result<Command, E> + Send + 'static,
    E: From<RunCommandError> + Send + 'static,
{
    type Reply = Done;
    type Refusal = E;

    fn touches(&self) -> Touches {
        Touches::wallet(self.account).key(self.key.as_ref().map(|key| &key.scope))
    }

    fn decide(&self, work: &mut UnitOfWork<'_>) -> Result<Done, E> {
        let Some(wallet) = work.wallet(self.account) else { return Err(RunCommandError::NoAccount.into()) };
        if let Some(key) = &self.key
            && let Some(Receipt { entry, available, .. }) = repeated(work, key).map_err(RunCommandError::from)?
        {
            let wallet = wallet.settled(work.prices(), work.now());
            return Ok(Done { entry: Some(entry), available, wallet, replayed: true });
        }
        let command = (self.make)(work)?;
        work.ledger(self.account, &command).map_err(RunCommandError::from)?;
        let entry = work.entries(self.account).iter().rfind(|entry| command.books(&entry.fact)).cloned();
        let wallet = work.wallet(self.account).expect("it was there before").clone();
        let available = wallet.balances(work.prices(), work.now()).available;
        // What changed nothing has no outcome to keep: its repeat changes nothing either.
        if let Some(entry) = &entry {
            work.remember(self.key.as_ref(), Kept::Entry { entry: Box::new(entry.clone()), available });
        }
        Ok(Done { entry, available, wallet, replayed: false })
    }
}
