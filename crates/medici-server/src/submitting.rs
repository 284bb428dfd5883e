//! From a request that was read to a job that is queued: its price, its rate limit, its files, its unit of work.

use medici_ledger::{Credits, Refusal};
use medici_studio::{Submit, Ticket, engine::Given};

use crate::{
    error::Fault,
    rate_limit::{Asks, RateNote},
    state::AppState,
};

impl AppState {
    /// Queues a job. The same for both APIs: nothing is held before everything that can be refused was refused.
    pub(crate) async fn submit(&self, mut submit: Submit, given: Given, note: &RateNote) -> Result<Ticket, Fault> {
        let studio = &self.studio;
        let account = submit.account;
        let credits = studio.quote(&submit)?.amount;
        let asks = Asks { images: submit.spec.count, credits };
        let taken = self.shared.rate_limits.take(self.config.rates, account, asks, studio.clock.now(), note)?;
        if given != Given::Words {
            // Files are written before the unit of work decides: not for whom it would surely refuse.
            let available = studio.balances(account).map_or(Credits::ZERO, |balances| balances.available);
            if submit.key.is_none() && available < credits {
                return Err(Refusal::InsufficientCredits { needed: credits, available }.into());
            }
            submit.source = studio.keep(given).await?;
        }
        let ticket = studio.submit(submit).await?;
        if !ticket.replayed {
            taken.keep();
        }
        Ok(ticket)
    }
}
