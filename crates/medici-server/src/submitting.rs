//! From a request that was read to a job that is queued (its price, its rate limit, its files, its unit of work), and
//! back: stopping it.

use std::sync::atomic::Ordering;

use medici_ledger::{AccountId, Credits, Refusal};
use medici_studio::{Job, JobId, JobState, Submit, Ticket, engine::Given};

use crate::{
    error::Fault,
    rate_limit::{Asks, RateNote},
    state::AppState,
};

impl AppState {
    /// Returns what to tell of a job that was cancelled: when the server stops, that nobody asked for it.
    pub(crate) fn stopping(&self, fault: Fault) -> Fault {
        match fault {
            Fault::JobCancelled if self.shared.draining.load(Ordering::Relaxed) => {
                Fault::Overloaded { message: "The server is stopping.".to_owned() }
            }
            other => other,
        }
    }

    /// Stops a job for its owner. It costs nothing until its images are durable; what bounds that is how many an
    /// account may stop in an hour that are being drawn.
    pub(crate) async fn cancel(&self, account: AccountId, id: JobId) -> Result<Job, Fault> {
        let drawn = self.studio.job(account, id).await?.is_some_and(|job| matches!(job.state, JobState::Running(_)));
        if drawn {
            self.shared.rate_limits.take_cancel(self.config.rates, account, self.studio.clock.now())?;
        }
        Ok(self.studio.cancel(account, id).await?)
    }

    /// Queues a job. The same for both APIs: nothing is held before everything that can be refused was refused.
    pub(crate) async fn submit(&self, mut submit: Submit, given: Given, note: &RateNote) -> Result<Ticket, Fault> {
        let studio = &self.studio;
        let account = submit.account;
        // A repeat is answered as the first was: it asks for nothing new, so no price and no limit bars it.
        if let Some(ticket) = studio.earlier_ticket(submit.key.as_ref()).await? {
            self.shared.rate_limits.note(self.config.rates, account, studio.clock.now(), note);
            return Ok(ticket);
        }
        let credits = studio.quote(&submit)?.amount;
        let asks = Asks { images: submit.spec.count, credits };
        let taken = self.shared.rate_limits.take(self.config.rates, account, asks, studio.clock.now(), note)?;
        // Until the job names them, nobody may remove its files.
        let _names_soon = if given == Given::Words { None } else { Some(studio.naming.begin().await) };
        if given != Given::Words {
            // Files are written before the unit of work decides: not for whom it would surely refuse.
            let available = studio.balances(account).map_or(Credits::ZERO, |balances| balances.available);
            if submit.key.is_none() && available < credits {
                return Err(Refusal::InsufficientCredits { needed: credits, available }.into());
            }
            submit.source = studio.keep(given, account, submit.zeal).await?;
        }
        let ticket = studio.submit(submit).await?;
        if !ticket.replayed {
            taken.keep();
        }
        Ok(ticket)
    }
}
