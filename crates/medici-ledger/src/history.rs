//! History: a wallet as it was.

use crate::balances::Balances;
use crate::broken::Broken;
use crate::entry::Entry;
use crate::ids::AccountId;
use crate::price_book::PriceBook;
use crate::time::Timestamp;
use crate::wallet::Wallet;

/// By which of an entry's two instants the past is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsOf {
    /// What is true of the instant, as is known now.
    Effective(Timestamp),
    /// What had been booked by the instant.
    Recorded(Timestamp),
}

/// Returns the wallet that the entries of one account, from the first on, led to at an instant.
///
/// Entries count in order, up to the first that is later: what became known only after that, such as late usage, is
/// not in it. [`balances_as_of`] knows it.
///
/// # Errors
/// [`Broken`] where the entries are not the account's.
pub fn wallet_as_of(account: AccountId, entries: &[Entry], as_of: AsOf) -> Result<Wallet, Broken> {
    replay(Wallet::new(account), &entries[..first_later(entries, as_of)])
}

/// Returns what an account had at an instant.
///
/// By when entries count, that includes what became known later: usage that was reported late, and the expiry that
/// was undone for it.
///
/// # Errors
/// [`Broken`] where the entries are not the account's.
pub fn balances_as_of(
    account: AccountId,
    entries: &[Entry],
    as_of: AsOf,
    book: &PriceBook,
) -> Result<Balances, Broken> {
    let (AsOf::Effective(at) | AsOf::Recorded(at)) = as_of;
    let (before, after) = entries.split_at(first_later(entries, as_of));
    let wallet = replay(Wallet::new(account), before)?;
    let late: Vec<&Entry> = match as_of {
        AsOf::Effective(at) => after.iter().filter(|entry| entry.effective_at <= at).collect(),
        AsOf::Recorded(_) => Vec::new(),
    };
    if late.is_empty() {
        return Ok(wallet.balances_at_exactly(book, at));
    }
    let now = replay(wallet.clone(), after)?;
    Ok(wallet.balances_with(book, at, &late, &now))
}

/// Returns the place of the first entry that is later than the instant.
fn first_later(entries: &[Entry], as_of: AsOf) -> usize {
    let later = |entry: &Entry| match as_of {
        AsOf::Effective(at) => at < entry.effective_at,
        AsOf::Recorded(at) => at < entry.recorded_at,
    };
    entries.iter().position(later).unwrap_or(entries.len())
}

fn replay(mut wallet: Wallet, entries: &[Entry]) -> Result<Wallet, Broken> {
    entries.iter().try_for_each(|entry| wallet.apply(entry))?;
    Ok(wallet)
}
