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
/// Entries count in order, up to the first that is later.
///
/// # Errors
/// [`Broken`] where the entries are not the account's.
pub fn wallet_as_of(account: AccountId, entries: &[Entry], as_of: AsOf) -> Result<Wallet, Broken> {
    let mut wallet = Wallet::new(account);
    let counts = |entry: &&Entry| match as_of {
        AsOf::Effective(at) => entry.effective_at <= at,
        AsOf::Recorded(at) => entry.recorded_at <= at,
    };
    for entry in entries.iter().take_while(counts) {
        wallet.apply(entry)?;
    }
    Ok(wallet)
}

/// Returns what an account had at an instant.
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
    let wallet = wallet_as_of(account, entries, as_of)?;
    Ok(wallet.balances_at_exactly(book, at))
}
