//! Ledger accounts: what all postings must add up to.

use std::collections::BTreeMap;

use medici_ledger::{Currency, Operation};

use super::model::Naive;

/// A ledger account, of one lot where that matters (0 otherwise), in credits or a currency.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Account {
    /// Its name.
    pub name: &'static str,
    /// Of which lot.
    pub lot: u32,
    /// Of which operation.
    pub operation: Option<Operation>,
    /// In which currency; credits without.
    pub currency: Option<[u8; 3]>,
}

impl Account {
    /// Credits of one lot, or of all of them with number 0.
    #[must_use]
    pub const fn credits(name: &'static str, lot: u32) -> Self {
        Self { name, lot, operation: None, currency: None }
    }

    /// Money of one lot.
    #[must_use]
    pub const fn money(name: &'static str, lot: u32, currency: Currency) -> Self {
        Self { name, lot, operation: None, currency: Some(currency.to_bytes()) }
    }

    /// Money of no lot in particular.
    #[must_use]
    pub const fn of(name: &'static str, currency: Currency) -> Self {
        Self::money(name, 0, currency)
    }

    /// Credits spent on an operation.
    #[must_use]
    pub fn used(operation: &Operation) -> Self {
        Self { operation: Some(operation.clone()), ..Self::credits("used", 0) }
    }

    /// Money earned by an operation.
    #[must_use]
    pub fn revenue(operation: &Operation, currency: Currency) -> Self {
        Self { operation: Some(operation.clone()), ..Self::of("revenue", currency) }
    }
}

impl Naive {
    /// Returns every ledger account that is not at zero, with its sum: what all postings must add up to.
    #[must_use]
    pub fn accounts(&self) -> BTreeMap<Account, i64> {
        let mut accounts = self.totals.clone();
        let mut add = |account: Account, amount: i64| *accounts.entry(account).or_default() += amount;
        for lot in &self.lots {
            let number = lot.number;
            let issuance = match lot.class {
                "free" => "issuance:free",
                "promo" => "issuance:promo",
                _ => "issuance:paid",
            };
            add(Account::credits(issuance, 0), -lot.granted);
            add(Account::credits("lot", number), lot.available);
            add(Account::credits("held", number), lot.held);
            // What repaid a debt was not used again.
            add(Account::credits("used", number), lot.captured - lot.repays);
            add(Account::credits("expired", number), lot.expired);
            add(Account::credits("withdrawn", number), lot.withdrawn);
            if let Some((_, currency)) = lot.cost {
                add(Account::money("deferred", number, currency), -lot.deferred());
                add(Account::money("revenue", number, currency), -lot.revenue);
                add(Account::money("breakage_revenue", number, currency), -lot.breakage);
            }
        }
        for order in &self.orders {
            add(Account::credits("debt", 0), order.repaid() - order.owed);
            add(Account::credits("clawed", 0), order.owed);
            if !order.is_granted() {
                continue;
            }
            let currency = order.currency();
            let kept = order.total() - order.reversed;
            add(Account::of(if order.payment == "paid" { "cash" } else { "receivable" }, currency), kept);
            let tax_back = order.reversed - order.net(order.reversed);
            add(Account::of("tax_payable", currency), tax_back - order.order.tax.minor());
            add(Account::of("customer_debt", currency), order.debt());
        }
        // What nothing else stands for is what reversals cost. The totals by operation say what lots say.
        let mut left: BTreeMap<[u8; 3], i64> = BTreeMap::new();
        for (account, amount) in &accounts {
            if let (Some(currency), None) = (account.currency, &account.operation) {
                *left.entry(currency).or_default() += amount;
            }
        }
        for (currency, amount) in left {
            accounts.insert(Account { currency: Some(currency), ..Account::credits("refunds", 0) }, -amount);
        }
        accounts.retain(|_, amount| *amount != 0);
        accounts
    }
}
