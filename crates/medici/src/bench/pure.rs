//! The ledger's own work: price, decide, apply, chain. No store, no clock, one thread.

use medici_ledger::{PriceBook, Wallet};

use super::{
    books::{built_in, charge, later, two_lots},
    machine::thread_cpu,
    measure::{Report, median_of, micros},
};

/// Charges of one group: what the bar names.
const GROUP: u64 = 1_000;
/// Groups of one measurement.
const GROUPS: u64 = 50;
/// Measurements, of which the median counts.
const REPEATS: usize = 7;

/// Measures what one charge costs, in groups over many accounts and on one hot account.
pub(crate) fn run(report: &mut Report) {
    let book = built_in();
    let spread = measure(&book, &mut (0..GROUP).map(|n| two_lots(n, &book)).collect::<Vec<_>>());
    report.figure("processor time of a charge, 1000 accounts", spread, "us");
    let hot = measure(&book, &mut [two_lots(0, &book)]);
    report.figure("processor time of a charge, one account", hot, "us");
    report.at_most("ledger processor time of a charge in groups of 1000", spread.max(hot), 3.0, "us");

    let wallet = two_lots(0, &book);
    let bytes = wallet.memory_bytes();
    report.at_most("wallet with two lots, by its own count", bytes as f64, 256.0, "bytes");
}

/// Returns the median microseconds of a charge over these wallets, in turn.
fn measure(book: &PriceBook, wallets: &mut [Wallet]) -> f64 {
    let mut id = 0;
    // Long enough that the remembered charges of every wallet are at their bound: that is how a busy one is.
    let warm = 300 * wallets.len() as u64;
    run_charges(book, wallets, &mut id, warm);
    let samples = (0..REPEATS).map(|_| {
        let begun = thread_cpu();
        run_charges(book, wallets, &mut id, GROUP * GROUPS);
        micros(thread_cpu() - begun) / (GROUP * GROUPS) as f64
    });
    median_of(samples.collect())
}

fn run_charges(book: &PriceBook, wallets: &mut [Wallet], id: &mut u64, count: u64) {
    let accounts = wallets.len() as u64;
    for _ in 0..count {
        let index = usize::try_from(*id % accounts).expect("an index of a slice");
        let (wallet, entries) = charge(&wallets[index], book, *id, later(*id));
        assert!(!entries.is_empty(), "a charge appends an entry");
        wallets[index] = wallet;
        *id += 1;
    }
}
