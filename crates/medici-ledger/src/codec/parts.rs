//! What later facts and snapshots are made of, as bytes.

use super::{CodecError, Read, Reader, Writer, bad};
use crate::agreed::Overrides;
use crate::budget::{BudgetPeriod, Spender, Subject};
use crate::calendar::{AnchorPolicy, Months};
use crate::entry::MeterEvent;
use crate::external_id::ExternalId;
use crate::give_back::{Capture, GiveBackReason};
use crate::ids::{KeyId, MemberId, OrderId};
use crate::name::{NameKind, ShortName};
use crate::order::{Item, Order, PlanChangeMode, Reversal, ReversalState};
use crate::plan::PlanLimits;

/// The most text a snapshot or a fact has in one piece, beside names: a model's.
const TEXT_MAX: usize = 200;

impl Writer {
    pub(crate) fn maybe<T: ?Sized>(&mut self, value: Option<&T>, write: impl FnOnce(&mut Self, &T)) {
        self.byte(u8::from(value.is_some()));
        if let Some(value) = value {
            write(self, value);
        }
    }

    pub(crate) fn name<K>(&mut self, name: &ShortName<K>) {
        let from = self.bytes.len();
        self.byte(0);
        name.append_to(&mut self.bytes);
        self.bytes[from] = u8::try_from(self.bytes.len() - from - 1).expect("a short name has a short length");
    }

    pub(crate) fn order_id(&mut self, id: OrderId) {
        self.raw(&id.as_u128().to_be_bytes());
    }

    pub(crate) fn spender(&mut self, spender: &Spender) {
        let Spender { member, key } = spender;
        self.maybe(member.as_ref(), |writer, id| writer.raw(&id.as_u128().to_be_bytes()));
        self.maybe(key.as_ref(), |writer, id| writer.raw(&id.as_u128().to_be_bytes()));
    }

    pub(crate) fn event(&mut self, event: &MeterEvent) {
        self.text(event.id.as_str());
        self.count(event.quantities.len());
        for (meter, quantity) in &*event.quantities {
            self.name(meter);
            self.number(*quantity);
        }
    }

    pub(crate) fn order(&mut self, order: &Order) {
        self.order_id(order.id);
        match &order.item {
            Item::Packs { packs, expires } => {
                self.byte(0);
                self.number(u64::from(*packs));
                self.number(u64::from(expires.get()));
            }
            Item::Period => self.byte(1),
            Item::PlanChange { plan, mode } => {
                self.byte(2);
                self.plan(*plan);
                self.byte(*mode as u8);
            }
        }
        self.credits(order.credits);
        self.credits(order.bonus);
        self.raw(&order.cost.currency.to_bytes());
        self.number(order.cost.amount.minor().unsigned_abs());
        self.number(order.tax.minor().unsigned_abs());
    }

    pub(crate) fn reversal(&mut self, reversal: &Reversal) {
        self.text(reversal.id.as_str());
        self.byte(reversal.state as u8);
        self.number(reversal.amount.minor().unsigned_abs());
    }

    pub(crate) fn capture(&mut self, capture: &Capture) {
        self.hold_id(capture.hold);
        self.operation(&capture.operation);
        self.slices(&capture.slices);
        self.spender(&capture.spender);
        self.time(capture.admitted_at);
    }

    pub(crate) fn subject(&mut self, subject: &Subject) {
        match subject {
            Subject::Account => self.byte(0),
            Subject::Member(id) => {
                self.byte(1);
                self.raw(&id.as_u128().to_be_bytes());
            }
            Subject::Key(id) => {
                self.byte(2);
                self.raw(&id.as_u128().to_be_bytes());
            }
        }
    }

    pub(crate) fn overrides(&mut self, overrides: &Overrides) {
        let Overrides { monthly, limits: PlanLimits { images_max, jobs_open_max, models } } = overrides;
        self.maybe(monthly.as_ref(), |writer, monthly| writer.credits(*monthly));
        self.maybe(images_max.as_ref(), |writer, images| writer.number(u64::from(*images)));
        self.maybe(jobs_open_max.as_ref(), |writer, jobs| writer.number(u64::from(*jobs)));
        self.maybe(models.as_deref(), |writer, models| {
            writer.count(models.len());
            models.iter().for_each(|model| writer.text(model));
        });
    }
}

impl Reader<'_> {
    pub(crate) fn maybe<T>(&mut self, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<Option<T>> {
        if self.flag()? { read(self).map(Some) } else { Ok(None) }
    }

    pub(crate) fn id(&mut self) -> Read<u128> {
        Ok(u128::from_be_bytes(self.array()?))
    }

    pub(crate) fn order_id(&mut self) -> Read<OrderId> {
        self.id().map(OrderId::from_u128)
    }

    pub(crate) fn name<K: NameKind>(&mut self) -> Read<ShortName<K>> {
        self.text()?.parse().map_err(|_| bad("name"))
    }

    pub(crate) fn external_id(&mut self) -> Read<ExternalId> {
        self.text()?.parse().map_err(|_| bad("external id"))
    }

    pub(crate) fn spender(&mut self) -> Read<Spender> {
        let member = self.maybe(Self::id)?.map(MemberId::from_u128);
        let key = self.maybe(Self::id)?.map(KeyId::from_u128);
        Ok(Spender { member, key })
    }

    pub(crate) fn event(&mut self) -> Read<MeterEvent> {
        let id = self.external_id()?;
        let quantities = self.list(|reader| Ok((reader.name()?, reader.number()?)))?;
        Ok(MeterEvent { id, quantities: quantities.into() })
    }

    pub(crate) fn order(&mut self) -> Read<Order> {
        let id = self.order_id()?;
        let item = match self.byte()? {
            0 => Item::Packs { packs: self.small()?, expires: self.months()? },
            1 => Item::Period,
            2 => Item::PlanChange { plan: self.plan()?, mode: self.plan_change_mode()? },
            _ => return Err(bad("item")),
        };
        let (credits, bonus, currency) = (self.credits()?, self.credits()?, self.currency()?);
        let (cost, tax) = (crate::Money::new(self.cents()?, currency), self.cents()?);
        // Totals are sums of these: what cannot be stated is no order.
        if cost.amount.minor() > crate::AMOUNT_MAX || tax.minor() > crate::AMOUNT_MAX {
            return Err(bad("order"));
        }
        Ok(Order { id, item, credits, bonus, cost, tax })
    }

    fn months(&mut self) -> Read<Months> {
        let months = u16::try_from(self.number()?).ok().and_then(Months::new);
        months.ok_or(CodecError::Value { what: "number of months" })
    }

    fn plan_change_mode(&mut self) -> Read<PlanChangeMode> {
        match self.byte()? {
            0 => Ok(PlanChangeMode::Prorated),
            1 => Ok(PlanChangeMode::FullPrice),
            _ => Err(bad("mode of a plan change")),
        }
    }

    pub(crate) fn reversal(&mut self) -> Read<Reversal> {
        let id = self.external_id()?;
        let state = ReversalState::ALL.get(usize::from(self.byte()?)).copied().ok_or(bad("state of a reversal"))?;
        Ok(Reversal { id, state, amount: self.cents()? })
    }

    pub(crate) fn capture(&mut self) -> Read<Capture> {
        Ok(Capture {
            hold: self.hold_id()?,
            operation: self.operation()?,
            slices: self.slices()?,
            spender: self.spender()?,
            admitted_at: self.time()?,
        })
    }

    pub(crate) fn give_back_reason(&mut self) -> Read<GiveBackReason> {
        GiveBackReason::ALL.get(usize::from(self.byte()?)).copied().ok_or(bad("reason"))
    }

    pub(crate) fn anchor_policy(&mut self) -> Read<AnchorPolicy> {
        match self.byte()? {
            0 => Ok(AnchorPolicy::Keep),
            1 => Ok(AnchorPolicy::OpenAi28),
            _ => Err(bad("anchor policy")),
        }
    }

    pub(crate) fn subject(&mut self) -> Read<Subject> {
        Ok(match self.byte()? {
            0 => Subject::Account,
            1 => Subject::Member(MemberId::from_u128(self.id()?)),
            2 => Subject::Key(KeyId::from_u128(self.id()?)),
            _ => return Err(bad("subject")),
        })
    }

    pub(crate) fn budget_period(&mut self) -> Read<BudgetPeriod> {
        BudgetPeriod::ALL.get(usize::from(self.byte()?)).copied().ok_or(bad("budget period"))
    }

    pub(crate) fn overrides(&mut self) -> Read<Overrides> {
        let monthly = self.maybe(Self::credits)?;
        let (images_max, jobs_open_max) = (self.maybe(Self::small)?, self.maybe(Self::small)?);
        let models = self.maybe(|reader| {
            reader.list(|reader| {
                let text = reader.text()?;
                if text.len() > TEXT_MAX { Err(bad("model")) } else { Ok(text.into()) }
            })
        })?;
        Ok(Overrides { monthly, limits: PlanLimits { images_max, jobs_open_max, models: models.map(Vec::into) } })
    }
}
