//! Orders: what an account is to buy, at the prices of this instant, and its payment.

use medici_ledger::{
    AccountId, Cents, Command, Money, Order, OrderId, PackName, PlanChangeMode, PlanName, Refusal, TaxRate, Wish,
};

use crate::{
    run_command::{Done, RunCommandError},
    store::StoreError,
    studio::Studio,
    unit::{KeyUse, UnitOfWork},
};

/// A request to order.
#[derive(Clone, Debug, PartialEq)]
pub struct PlaceOrder {
    /// Who buys.
    pub account: AccountId,
    /// What.
    pub wanted: Wanted,
    /// The tax on top of the price.
    pub tax: Tax,
    /// The idempotency key: without one a retry would order twice.
    pub key: KeyUse,
}

/// What is to be bought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Packs of the price book.
    Packs {
        /// Which.
        pack: PackName,
        /// How many.
        packs: u32,
    },
    /// The first period of the account's plan that is not paid for.
    Period,
    /// Another plan.
    PlanChange {
        /// Which.
        plan: PlanName,
        /// At which price.
        mode: PlanChangeMode,
    },
}

/// The tax on a document, which whoever sells knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tax {
    /// So much; zero without a currency of its own.
    Amount(Option<Money>),
    /// So many percent of the document's total, rounded half up.
    Rate(TaxRate),
}

/// Why nothing was ordered.
#[derive(Debug, thiserror::Error)]
pub enum PlaceOrderError {
    /// The price book in force has no such pack.
    #[error("pack {pack} is not in the price book now")]
    UnknownPack {
        /// The pack asked for.
        pack: PackName,
    },
    /// The tax is in another currency than the price.
    #[error("tax in the currency of the price, {price}, needed, {tax} found")]
    TaxCurrency {
        /// The price.
        price: Money,
        /// The tax.
        tax: Money,
    },
    /// As for every command.
    #[error(transparent)]
    Run(#[from] RunCommandError),
}

impl Studio {
    /// Orders at the prices of this instant, which are pinned. A repeat with the same key finds the first order.
    pub async fn place_order(&self, request: PlaceOrder) -> Result<Done, PlaceOrderError> {
        let id = OrderId::from_u128(self.ids.next());
        let PlaceOrder { account, wanted, tax, key } = request;
        self.run_made(account, Some(key), move |work| order(work, account, id, &wanted, tax)).await
    }

    /// Takes note of a payment: of the amount, or of what is due. A repeat changes nothing.
    pub async fn pay_order(
        &self,
        account: AccountId,
        order: OrderId,
        amount: Option<Money>,
        key: KeyUse,
    ) -> Result<Done, RunCommandError> {
        let pay = move |work: &UnitOfWork<'_>| {
            let record = work.wallet(account).and_then(|wallet| wallet.order(order)).ok_or(Refusal::UnknownOrder)?;
            Ok(Command::PayOrder { order, amount: amount.unwrap_or_else(|| record.due()) })
        };
        self.run_made(account, Some(key), pay).await
    }
}

fn order(
    work: &UnitOfWork<'_>,
    account: AccountId,
    id: OrderId,
    wanted: &Wanted,
    tax: Tax,
) -> Result<Command, PlaceOrderError> {
    let wallet = work.wallet(account).ok_or(RunCommandError::NoAccount)?;
    let wish = match wanted {
        Wanted::Packs { pack, packs } => {
            let found = work.prices().pack_named(work.time_of(account), pack);
            Wish::Packs { pack: found.ok_or(PlaceOrderError::UnknownPack { pack: *pack })?, packs: *packs }
        }
        Wanted::Period => Wish::Period,
        Wanted::PlanChange { plan, mode } => Wish::PlanChange { plan: *plan, mode: *mode },
    };
    let order = wallet.order_of(id, &wish, work.prices(), work.now()).map_err(RunCommandError::from)?;
    let price = order.cost;
    let tax = match tax {
        Tax::Amount(None) => Cents::ZERO,
        Tax::Amount(Some(tax)) if tax.currency != price.currency => {
            return Err(PlaceOrderError::TaxCurrency { price, tax });
        }
        Tax::Amount(Some(tax)) => tax.amount,
        Tax::Rate(rate) => rate.on(price.amount),
    };
    Ok(Command::PlaceOrder(Order { tax, ..order }))
}

impl From<StoreError> for PlaceOrderError {
    fn from(failure: StoreError) -> Self {
        RunCommandError::from(failure).into()
    }
}
