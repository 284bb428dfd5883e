//! Captured credits are given back, to the lots they came from.

use medici_ledger::{AccountId, Capture, Command, Credits, Fact, GiveBackReason, HoldId, HoldState, Slice};

use crate::{
    ids::JobId,
    job::{JobState, Outcome},
    run_command::{Done, RunCommandError},
    store::StoreError,
    studio::Studio,
    unit::{KeyUse, UnitOfWork},
};

/// The most entries that are read at a time while a capture is looked for.
const PAGE: usize = 1_000;

/// A request to give captured credits back.
#[derive(Clone, Debug, PartialEq)]
pub struct GiveBack {
    /// To whom.
    pub account: AccountId,
    /// What was captured.
    pub captured: Captured,
    /// How many; all that were not given back if not said.
    pub credits: Option<Credits>,
    /// Why.
    pub reason: GiveBackReason,
    /// The idempotency key: without one a retry would give back twice.
    pub key: KeyUse,
}

/// What was captured, by a name that people have at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Captured {
    /// A hold or a charge.
    Hold(HoldId),
    /// A job.
    Job(JobId),
}

/// Why nothing was given back.
#[derive(Debug, thiserror::Error)]
pub enum GiveBackError {
    /// The account has no such capture: no such hold or job, or it was not captured.
    #[error("nothing was captured under this name")]
    NothingCaptured,
    /// As for every command.
    #[error(transparent)]
    Run(#[from] RunCommandError),
}

impl Studio {
    /// Gives captured credits back, the last captured first. A repeat with the same key finds the first entry.
    pub async fn give_back(&self, request: GiveBack) -> Result<Done, GiveBackError> {
        let GiveBack { account, captured, credits, reason, key } = request;
        let hold = match captured {
            Captured::Hold(hold) => hold,
            Captured::Job(job) => self.captured_hold(account, job).await?,
        };
        // Entries never change, so that what the journal says of a capture is as true inside the unit of work.
        let capture = self.find_capture(account, hold).await?.ok_or(GiveBackError::NothingCaptured)?;
        let make = move |work: &UnitOfWork<'_>| command(work, account, &capture, credits, reason);
        self.run_made(account, Some(key), make).await
    }

    async fn captured_hold(&self, account: AccountId, job: JobId) -> Result<HoldId, GiveBackError> {
        let job = self.job(account, job).await?.ok_or(GiveBackError::NothingCaptured)?;
        match job.state {
            JobState::Done { outcome: Outcome::Charged { .. }, .. } => Ok(job.hold),
            _ => Err(GiveBackError::NothingCaptured),
        }
    }

    /// Looks for a capture in the account's entries, from the newest back to the hold it ended.
    async fn find_capture(&self, account: AccountId, hold: HoldId) -> Result<Option<Capture>, StoreError> {
        let mut spent: Option<Vec<Slice>> = None;
        let mut cursor = None;
        loop {
            let page = self.store.entries(account, cursor, PAGE).await?;
            for entry in page.entries {
                match entry.fact {
                    Fact::Captured { hold: of, captured, .. } if of == hold => spent = Some(captured),
                    Fact::Held { hold: of, quote, spender, .. } if of == hold => {
                        let capture = |slices| Capture {
                            hold,
                            operation: quote.operation,
                            slices,
                            spender,
                            admitted_at: entry.recorded_at,
                        };
                        return Ok(spent.map(capture));
                    }
                    Fact::Charged { charge, quote, slices, spender, .. } if charge == hold => {
                        let (operation, admitted_at) = (quote.operation, entry.recorded_at);
                        return Ok(Some(Capture { hold, operation, slices, spender, admitted_at }));
                    }
                    _ => {}
                }
            }
            cursor = page.next;
            if cursor.is_none() {
                return Ok(None);
            }
        }
    }
}

fn command(
    work: &UnitOfWork<'_>,
    account: AccountId,
    capture: &Capture,
    credits: Option<Credits>,
    reason: GiveBackReason,
) -> Result<Command, GiveBackError> {
    let wallet = work.wallet(account).ok_or(RunCommandError::NoAccount)?;
    // The wallet forgets the ends of old holds; what it remembers must be what the journal has.
    let agrees = match wallet.hold(capture.hold) {
        Some(HoldState::Captured { amount }) => amount == capture.amount(),
        Some(_) => false,
        None => true,
    };
    if !agrees {
        return Err(GiveBackError::NothingCaptured);
    }
    let left = capture.amount().checked_sub(wallet.given_back(capture.hold)).unwrap_or(Credits::ZERO);
    Ok(Command::GiveBack { capture: capture.clone(), amount: credits.unwrap_or(left), reason })
}

impl From<StoreError> for GiveBackError {
    fn from(failure: StoreError) -> Self {
        RunCommandError::from(failure).into()
    }
}
