use std::time::Duration;

use super::*;
use crate::{
    Broken, Cents, Class, Command, Credits, Entry, Fault, Operation, OperationPrice, PlanTerms, PriceBook,
    PriceVersion, Quote, Refusal, Source, Usage, VoidReason,
};

fn book() -> PriceBook {
    let price = OperationPrice::per_operation(Credits::whole(1), 4);
    PriceBook::new(vec![PriceVersion {
        effective_at: Timestamp::EPOCH,
        operations: [(Operation::Generate, price)].into(),
        plans: [("free".parse().unwrap(), PlanTerms::monthly(Credits::whole(15)))].into(),
        ..PriceVersion::default()
    }])
    .unwrap()
}

fn at(seconds: i64) -> Timestamp {
    let start: Timestamp = "2026-11-10".parse().unwrap();
    Timestamp::from_micros(start.micros() + seconds * 1_000_000)
}

fn quote() -> Quote {
    book().quote(&Usage::of(Operation::Generate, 4), at(0)).unwrap()
}

fn pack(credits: u32) -> Command {
    Command::Grant {
        class: Class::Paid,
        credits: Credits::whole(credits),
        cost: Some("15.00 USD".parse().unwrap()),
        effective_at: at(0),
        expires_at: Some(at(31_536_000)),
        priority: 0,
        source: Source::Purchase,
        tax: Cents::ZERO,
    }
}

/// Carries out commands a second apart and returns the wallet and its entries.
fn after(commands: &[Command]) -> (Wallet, Vec<Entry>) {
    let mut wallet = Wallet::new(AccountId::from_u128(7));
    let mut entries = Vec::new();
    let open = Command::open("free".parse().unwrap());
    for (seconds, command) in (0..).zip(std::iter::once(&open).chain(commands)) {
        let decision = wallet.decide(command, &book(), at(seconds)).unwrap();
        decision.wallet.check().unwrap();
        wallet = decision.wallet;
        entries.extend(decision.entries);
    }
    (wallet, entries)
}

fn hold(id: u128) -> Command {
    Command::hold(HoldId::from_u128(id), quote(), Duration::from_secs(900))
}

fn charge(id: u128) -> Command {
    Command::charge(HoldId::from_u128(id), quote())
}

#[test]
fn a_wallet_with_two_lots_takes_248_bytes() {
    assert_eq!(size_of::<LotRecord>(), 64);
    assert_eq!(size_of::<Wallet>(), 120);
    let (wallet, _) = after(&[pack(115)]);
    assert_eq!(wallet.lots().count(), 2);
    assert_eq!(wallet.memory_bytes(), 248);
}

#[test]
fn finished_lots_leave_the_burn_order_but_not_the_wallet() {
    let mut commands = Vec::new();
    for id in 0..40 {
        commands.push(pack(1));
        commands.push(charge(id));
    }
    let (wallet, _) = after(&commands);
    // Forty charges spent the fifteen free credits and twenty-five packs.
    assert_eq!(wallet.open_lots().count(), 15);
    assert_eq!(wallet.lots().count(), 41);
    assert_eq!(wallet.lots().map(|lot| lot.captured.micro()).sum::<i64>(), 40_000_000);
}

#[test]
fn a_voided_hold_gives_its_credits_back() {
    let void = Command::Void { hold: HoldId::from_u128(1), reason: VoidReason::Cancelled };
    let (wallet, entries) = after(&[hold(1), void]);
    assert_eq!(wallet.balances(&book(), at(5)).available, Credits::whole(15));
    let names: Vec<_> = entries.iter().map(|entry| entry.fact.name()).collect();
    assert_eq!(names, ["opened", "granted", "held", "voided"]);
}

#[test]
fn nothing_can_be_asked_of_an_account_that_is_not_open() {
    let wallet = Wallet::new(AccountId::from_u128(7));
    for command in [pack(1), hold(1), charge(1), Command::Settle] {
        assert_eq!(wallet.decide(&command, &book(), at(0)), Err(Refusal::NotOpen));
    }
    wallet.check().unwrap();
}

#[test]
fn a_hold_or_charge_repeated_gives_the_stored_answer_and_another_price_is_refused() {
    let (wallet, _) = after(&[hold(1), charge(2)]);
    let mut dearer = quote();
    dearer.amount = Credits::whole(2);
    for (command, refusal) in [
        (hold(1), None),
        (charge(2), None),
        (charge(1), Some(Refusal::HoldExists)),
        (hold(2), Some(Refusal::AlreadyCaptured { amount: Credits::whole(1) })),
        (
            Command::charge(HoldId::from_u128(2), dearer.clone()),
            Some(Refusal::AlreadyCaptured { amount: Credits::whole(1) }),
        ),
        (Command::hold(HoldId::from_u128(1), dearer, Duration::from_secs(1)), Some(Refusal::HoldExists)),
        (
            Command::Capture { hold: HoldId::from_u128(1), amount: Credits::whole(2) },
            Some(Refusal::MoreThanHeld { asked: Credits::whole(2), held: Credits::whole(1) }),
        ),
    ] {
        match wallet.decide(&command, &book(), at(10)) {
            Ok(decision) => assert_eq!((decision.entries.len(), None), (0, refusal)),
            Err(found) => assert_eq!(Some(found), refusal),
        }
    }
}

#[test]
fn an_account_has_at_most_so_many_holds() {
    let (mut wallet, _) = after(&[pack(20_000)]);
    for id in 0..u128::try_from(crate::OPEN_HOLDS_MAX).unwrap() {
        wallet.busy_mut().holds.push(Arc::new(crate::Hold {
            id: HoldId::from_u128(id),
            quote: quote(),
            amount: Credits::whole(1),
            slices: Vec::new(),
            placed_at: at(0),
            expires_at: at(900),
            spender: crate::Spender::NOBODY,
        }));
    }
    let refusal = wallet.decide(&hold(u128::MAX), &book(), at(10)).unwrap_err();
    assert_eq!(refusal, Refusal::TooManyOpen { what: "holds", max: crate::OPEN_HOLDS_MAX });
}

#[test]
fn any_flipped_bit_of_an_entry_is_seen() {
    let (_, entries) = after(&[pack(115), hold(1), charge(2)]);
    for (index, entry) in entries.iter().enumerate() {
        let mut before = Wallet::new(entry.account);
        entries[..index].iter().for_each(|entry| before.apply(entry).unwrap());
        let bytes = entry.encode();
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let seen = Entry::decode(&flipped).map_or(true, |entry| before.clone().apply(&entry).is_err());
            assert!(seen, "bit {bit} of entry {}", entry.seq);
        }
    }
}

#[test]
fn an_entry_that_is_missing_twice_there_or_of_another_account_is_named() {
    let (wallet, entries) = after(&[pack(115)]);
    let mut other = wallet.clone();
    let broken = other.apply(&entries[0]).unwrap_err();
    assert_eq!(broken, Broken { account: wallet.account(), seq: 1, fault: Fault::Sequence { expected: 4 } });
    let broken = Wallet::new(wallet.account()).apply(&entries[1]).unwrap_err();
    assert_eq!(broken.fault, Fault::Sequence { expected: 1 });
    let broken = Wallet::new(AccountId::from_u128(8)).apply(&entries[0]).unwrap_err();
    assert_eq!(broken.fault, Fault::OtherAccount { found: wallet.account() });
}

#[test]
fn an_entry_that_is_rightly_chained_but_wrong_is_seen_all_the_same() {
    let (_, entries) = after(&[pack(115), hold(1)]);
    let (last, before) = entries.split_last().unwrap();
    let mut wallet = Wallet::new(last.account);
    before.iter().for_each(|entry| wallet.apply(entry).unwrap());
    let forge = |change: fn(&mut Entry)| {
        let mut entry = last.clone();
        change(&mut entry);
        entry.hash = entry.hash_after(&wallet.head());
        wallet.clone().apply(&entry).unwrap_err().fault
    };
    assert_eq!(forge(|entry| entry.postings[0].amount -= 1), Fault::Postings);
    let mut unbalanced = last.clone();
    unbalanced.postings[0].amount -= 1;
    assert!(last.is_balanced() && !unbalanced.is_balanced());
    assert_eq!(forge(|entry| entry.postings.clear()), Fault::Postings);
    assert_eq!(forge(|entry| entry.recorded_at = Timestamp::EPOCH), Fault::Time);
    let dearer = forge(|entry| {
        if let crate::Fact::Held { quote, .. } = &mut entry.fact {
            quote.amount = Credits::whole(2);
        }
    });
    assert!(matches!(dearer, Fault::Fact(_)));
    let more = forge(|entry| {
        if let crate::Fact::Held { quote, slices, .. } = &mut entry.fact {
            quote.amount = Credits::whole(16);
            slices[0].amount = Credits::whole(16);
        }
    });
    assert!(matches!(more, Fault::Fact(_)));
}

#[test]
fn check_names_what_is_broken() {
    let (wallet, _) = after(&[pack(115), hold(1), charge(2)]);
    let broken = |change: fn(&mut Wallet)| {
        let mut wallet = wallet.clone();
        change(&mut wallet);
        wallet.check().unwrap_err().fault.to_string()
    };
    assert_eq!(
        broken(|wallet| wallet.open_lots[0].captured = 15_000_001),
        "lot 1: every part is at least zero, and something was granted: not so here"
    );
    assert_eq!(broken(|wallet| wallet.open_lots.swap(0, 1)), "unfinished lots stand in burn order: not so here");
    assert_eq!(
        broken(|wallet| wallet.busy_mut().held[0].1 = 2_000_000),
        "lot 1: open holds sum to what is held: not so here"
    );
    assert_eq!(broken(|wallet| wallet.busy_mut().holds.clear()), "lot 1: open holds sum to what is held: not so here");
    assert_eq!(
        broken(|wallet| wallet.next_occurrence = 0),
        "a period that was granted of is not granted again: not so here"
    );
    assert_eq!(
        broken(|wallet| wallet.open_lots[1].number = LotNumber(9)),
        "lots are numbered densely from 1: not so here"
    );
    assert_eq!(
        broken(|wallet| wallet.open_lots[0].expired = true),
        "lot 1: a lot expires when its time has come: not so here"
    );
    assert_eq!(broken(|wallet| wallet.open_lots[0].expires_at = 0), "lot 1: a lot ends after it begins: not so here");
    assert_eq!(broken(|wallet| wallet.seq = 0), "an account has entries exactly when it is open: not so here");
    let replaced = |of| {
        let mut wallet = wallet.clone();
        let lot = wallet.open_lots[0];
        wallet.open_lots[0] = LotRecord::new(&crate::Grant {
            lot: lot.number,
            class: lot.class,
            credits: Credits::whole(15),
            cost: None,
            tax: Cents::ZERO,
            effective_at: at(0),
            expires_at: Some(Timestamp::from_micros(lot.expires_at)),
            priority: 0,
            source: Source::Replacement { of: LotNumber(of) },
        });
        wallet.check().unwrap_err().fault.to_string()
    };
    for of in [1, 2, 9] {
        assert_eq!(replaced(of), "lot 1: a replacement follows a lot of its class: not so here", "{of}");
    }
    let life = "a hold lives up to 24 hours: not so here";
    assert_eq!(broken(|wallet| Arc::make_mut(&mut wallet.busy_mut().holds[0]).expires_at = at(0)), life);
    assert_eq!(broken(|wallet| Arc::make_mut(&mut wallet.busy_mut().holds[0]).expires_at = at(86_500)), life);
    assert_eq!(broken(|wallet| wallet.head = Hash::ZERO), "the head is that of the last entry: not so here");
    let opened = "an account opens before its last entry: not so here";
    assert_eq!(broken(|wallet| wallet.anchor = Timestamp::MAX), opened);
    let unopened = "an account that is not open has nothing: not so here";
    let changes: [fn(&mut Wallet); _] =
        [|wallet| wallet.open_lots = Box::default(), |wallet| wallet.busy = None, |wallet| wallet.next_occurrence = 0];
    for change in changes {
        let mut wallet = wallet.clone();
        (wallet.seq, wallet.plan, wallet.head) = (0, None, Hash::ZERO);
        change(&mut wallet);
        assert_eq!(wallet.check().unwrap_err().fault.to_string(), unopened);
    }
}

#[test]
fn check_names_what_is_broken_of_an_order() {
    let order = |id: u128| crate::Order {
        id: OrderId::from_u128(id),
        item: crate::Item::Packs { packs: 1, expires: crate::Months::ONE },
        credits: Credits::whole(115),
        bonus: Credits::ZERO,
        cost: "15.00 USD".parse().unwrap(),
        tax: Cents::ZERO,
    };
    let pay = Command::PayOrder { order: OrderId::from_u128(1), amount: "15.00 USD".parse().unwrap() };
    let (wallet, _) = after(&[Command::PlaceOrder(order(1)), pay, Command::PlaceOrder(order(2))]);
    let broken = |index: usize, change: fn(&mut OrderRecord)| {
        let mut wallet = wallet.clone();
        change(&mut wallet.orders_mut()[index]);
        wallet.check().unwrap_err().fault.to_string()
    };
    let granted = "an order has its lot from when it is granted: not so here";
    assert_eq!(broken(0, |record| record.payment = crate::PaymentState::Placed), granted);
    assert_eq!(broken(1, |record| record.payment = crate::PaymentState::Paid), granted);
    let untouched = "what is not granted is not reversed: not so here";
    assert_eq!(broken(1, |record| record.reversed = Cents::from_minor(1).unwrap()), untouched);
    assert_eq!(broken(1, |record| record.owed = Credits::whole(1)), untouched);
    assert_eq!(broken(1, |record| record.withdrawn = Credits::whole(1)), untouched);
    assert_eq!(broken(1, |record| record.repayments.push((LotNumber(1), Credits::ZERO))), untouched);
    assert_eq!(broken(0, |record| record.lot = Some(LotNumber(9))), "an order's lot is there: not so here");
    let ordered = "lot 2: an order's lot is what was ordered, at its price: not so here";
    assert_eq!(broken(0, |record| record.order.cost = "15.01 USD".parse().unwrap()), ordered);
    assert_eq!(broken(0, |record| record.order.credits = Credits::whole(114)), ordered);
    let standing = "lot 2: what is reversed is the sum of the reversals that stand: not so here";
    assert_eq!(broken(0, |record| record.reversed = Cents::from_minor(1).unwrap()), standing);
    let withdrawn = "lot 2: what an order withdrew is withdrawn, and at most what is owed is repaid: not so here";
    assert_eq!(broken(0, |record| record.withdrawn = Credits::whole(1)), withdrawn);
    assert_eq!(broken(0, |record| record.repayments.push((LotNumber(1), Credits::whole(1)))), withdrawn);
    let nothing = "lot 2: without a reversal nothing is withdrawn or owed: not so here";
    assert_eq!(broken(0, |record| record.owed = Credits::whole(1)), nothing);
}

#[test]
fn a_snapshot_reads_back_and_a_changed_one_is_not_taken_for_sound() {
    let (wallet, _) = after(&[pack(115), hold(1), charge(2)]);
    let bytes = wallet.encode();
    assert_eq!(Wallet::decode(&bytes).as_ref(), Ok(&wallet));
    for length in 0..bytes.len() {
        assert!(Wallet::decode(&bytes[..length]).is_err());
    }
    // Whatever the bytes are, reading them is an error or a sound wallet that differs; never a panic.
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert_ne!(Wallet::decode(&flipped).as_ref(), Ok(&wallet), "bit {bit}");
    }
}

#[test]
fn an_entry_is_explained_in_words() {
    let (_, entries) = after(&[pack(115), Command::Settle, charge(2)]);
    let account = AccountId::from_u128(7);
    let explained = crate::explanations(account, &entries, |entry| entry.seq == 4).unwrap();
    assert_eq!(
        explained[0].to_string(),
        "entry 4 of acct_00000000000000000000000000000007, effective 2026-11-10T00:00:03Z: charged 1 for generate as \
         hold_00000000000000000000000000000002 (1 from lot 1)\n\
         price: 1 x 1, each for up to 4, for 4: 1 (prices of 1970-01-01T00:00:00Z)\n\
         lot 1, 15 free credits (monthly): available 15 -> 14, captured 0 -> 1\n  \
         lot 1 -1\n  used:generate 1 +1"
    );
}

#[test]
fn an_entry_is_recorded_neither_before_the_one_before_it_nor_before_it_counts() {
    let (_, entries) = after(&[pack(115), hold(1)]);
    let (last, before) = entries.split_last().unwrap();
    let mut wallet = Wallet::new(last.account);
    before.iter().for_each(|entry| wallet.apply(entry).unwrap());
    let forge = |effective_at, recorded_at| {
        let mut entry = Entry { effective_at, recorded_at, ..last.clone() };
        entry.hash = entry.hash_after(&wallet.head());
        wallet.clone().apply(&entry).unwrap_err().fault
    };
    assert_eq!(forge(Timestamp::EPOCH, Timestamp::EPOCH), Fault::Time);
    assert_eq!(forge(at(3), at(2)), Fault::Time);
}

#[test]
fn a_grant_of_more_than_can_be_stated_is_refused() {
    let most = crate::AMOUNT_MAX;
    let (wallet, _) = after(&[]);
    let cents = |minor| Cents::from_minor(minor).unwrap();
    let refused = |micro, cost, tax| {
        let grant = Command::Grant {
            class: Class::Paid,
            credits: Credits::from_micro(micro).unwrap(),
            cost: Some(crate::Money::new(cents(cost), crate::Currency::USD)),
            tax: cents(tax),
            effective_at: at(0),
            expires_at: None,
            priority: 0,
            source: Source::Purchase,
        };
        wallet.decide(&grant, &book(), at(1)).err()
    };
    let too_large = Some(Refusal::BadGrant(crate::GrantError::TooLarge));
    assert_eq!(refused(1, most, most), None);
    assert_eq!(refused(most + 1, 1, 1), too_large);
    assert_eq!(refused(1, most + 1, 1), too_large);
    assert_eq!(refused(1, 1, most + 1), too_large);
}

#[test]
fn only_what_was_bought_has_a_cost() {
    let (wallet, _) = after(&[]);
    let refused = |class, source| {
        let Command::Grant { credits, cost, effective_at, expires_at, priority, tax, .. } = pack(1) else { panic!() };
        let grant = Command::Grant { class, credits, cost, effective_at, expires_at, priority, source, tax };
        wallet.decide(&grant, &book(), at(1)).err()
    };
    let unpaid = Some(Refusal::BadGrant(crate::GrantError::CostOfUnpaid));
    assert_eq!(refused(Class::Paid, Source::Purchase), None);
    assert_eq!(refused(Class::Promo, Source::Purchase), unpaid);
    assert_eq!(refused(Class::Paid, Source::Goodwill), unpaid);
}

#[test]
fn bounds_that_an_account_is_given_can_be_stated() {
    let (wallet, _) = after(&[]);
    let most = Credits::from_micro(crate::AMOUNT_MAX).unwrap();
    let more = Credits::from_micro(crate::AMOUNT_MAX + 1).unwrap();
    let commands = |amount| {
        let limit = Some(amount);
        let overrides = Some(crate::Overrides { monthly: limit, ..crate::Overrides::default() });
        [
            Command::SetBudget { subject: crate::Subject::Account, period: crate::BudgetPeriod::Always, limit },
            Command::SetOverrides { overrides },
            Command::SetAlert { below: limit },
        ]
    };
    for command in commands(most) {
        assert!(wallet.decide(&command, &book(), at(1)).is_ok(), "{command:?}");
    }
    for command in commands(more) {
        assert_eq!(wallet.decide(&command, &book(), at(1)), Err(Refusal::Overflow), "{command:?}");
    }
}

fn order(id: u128, credits: Credits, bonus: Credits) -> crate::Order {
    crate::Order {
        id: OrderId::from_u128(id),
        item: crate::Item::Packs { packs: 1, expires: crate::Months::ONE },
        credits,
        bonus,
        cost: "15.00 USD".parse().unwrap(),
        tax: Cents::from_minor(300).unwrap(),
    }
}

#[test]
fn an_order_has_room_beside_what_is_not_spent() {
    let (wallet, _) = after(&[charge(1)]);
    // Fourteen free credits are left.
    let room = crate::AMOUNT_MAX - 14_000_000;
    let refused = |credits, bonus| {
        let [credits, bonus] = [credits, bonus].map(|micro| Credits::from_micro(micro).unwrap());
        wallet.decide(&Command::PlaceOrder(order(1, credits, bonus)), &book(), at(2)).err()
    };
    assert_eq!(refused(room - 5, 5), None);
    assert_eq!(refused(room - 4, 5), Some(Refusal::Overflow));
    assert_eq!(refused(room - 2, 5), Some(Refusal::Overflow));
}

#[test]
fn an_order_of_more_than_can_be_stated_is_refused() {
    let (wallet, _) = after(&[]);
    let most = crate::AMOUNT_MAX;
    let refused = |credits, bonus, cost, tax| {
        let [credits, bonus] = [credits, bonus].map(|micro| Credits::from_micro(micro).unwrap());
        let [cost, tax] = [cost, tax].map(|minor| Cents::from_minor(minor).unwrap());
        let cost = crate::Money::new(cost, crate::Currency::USD);
        let order = crate::Order { cost, tax, ..order(1, credits, bonus) };
        wallet.decide(&Command::PlaceOrder(order), &book(), at(1)).err()
    };
    let too_large = Some(Refusal::BadOrder(crate::OrderError::TooLarge));
    assert_eq!(refused(1, 0, most - 1, 1), None);
    assert_eq!(refused(1, 0, most - 1, 2), too_large);
    assert_eq!(refused(1, 0, i64::MAX, 1), too_large);
    // As much as can be stated is only too much beside what there is.
    assert_eq!(refused(most, 0, 1, 1), Some(Refusal::Overflow));
    assert_eq!(refused(most + 1, 0, 1, 1), too_large);
    assert_eq!(refused(1, most, 1, 1), Some(Refusal::Overflow));
    assert_eq!(refused(1, most + 1, 1, 1), too_large);
}

#[test]
fn so_many_orders_may_wait_and_the_bonus_of_one_has_no_tax() {
    let ten = Credits::whole(10);
    let max = u128::try_from(crate::PLACED_ORDERS_MAX).unwrap();
    let commands: Vec<Command> = (1..=max).map(|id| Command::PlaceOrder(order(id, ten, ten))).collect();
    let (wallet, _) = after(&commands);
    let one_more = Command::PlaceOrder(order(max + 1, ten, ten));
    let refusal = wallet.decide(&one_more, &book(), at(200)).unwrap_err();
    assert_eq!(refusal, Refusal::TooManyOpen { what: "orders", max: crate::PLACED_ORDERS_MAX });
    let pay = Command::PayOrder { order: OrderId::from_u128(1), amount: "18.00 USD".parse().unwrap() };
    let paid = wallet.decide(&pay, &book(), at(200)).unwrap();
    let [lot, bonus] = paid.entries[0].fact.grants() else { panic!("{:?}", paid.entries) };
    assert_eq!((lot.tax, bonus.tax), (Cents::from_minor(300).unwrap(), Cents::ZERO));
    assert!(paid.wallet.decide(&one_more, &book(), at(200)).is_ok(), "what is paid waits no longer");
}

#[test]
fn an_order_takes_so_many_reversals_of_amounts_that_can_be_stated() {
    let place = Command::PlaceOrder(order(1, Credits::whole(10), Credits::ZERO));
    let pay = Command::PayOrder { order: OrderId::from_u128(1), amount: "18.00 USD".parse().unwrap() };
    let (mut wallet, _) = after(&[place, pay]);
    let reversal = |id: usize, minor| crate::Reversal {
        id: format!("d{id}").parse().unwrap(),
        state: crate::ReversalState::Won,
        amount: Cents::from_minor(minor).unwrap(),
    };
    let report = |wallet: &Wallet, id, minor| {
        let command = Command::Reverse { order: OrderId::from_u128(1), reversal: reversal(id, minor) };
        wallet.decide(&command, &book(), at(200)).map(|decision| decision.wallet)
    };
    let most = crate::AMOUNT_MAX;
    assert_eq!(report(&wallet, 1, most + 1), Err(Refusal::BadOrder(crate::OrderError::TooLarge)));
    assert!(report(&wallet, 1, most).is_ok());
    let known = (2..=crate::REVERSALS_MAX).map(|id| reversal(id, 1));
    wallet.orders_mut()[0].reversals.extend(known);
    let full = report(&wallet, 1, 1).unwrap();
    assert_eq!(report(&full, crate::REVERSALS_MAX + 1, 1), Err(Refusal::BadOrder(crate::OrderError::TooMany)));
    assert!(report(&full, 1, 2).is_ok(), "news of a known one is welcome");
    let refund = "r1".parse().unwrap();
    let refund = Command::Refund { order: OrderId::from_u128(1), refund, amount: None };
    assert_eq!(full.decide(&refund, &book(), at(200)), Err(Refusal::BadOrder(crate::OrderError::TooMany)));
}

#[test]
fn check_knows_that_what_is_held_counts_in_its_budgets() {
    let limit = Some(Credits::whole(5));
    let (subject, period) = (crate::Subject::Account, crate::BudgetPeriod::Always);
    let (mut wallet, _) = after(&[Command::SetBudget { subject, period, limit }, hold(1)]);
    wallet.check().unwrap();
    wallet.busy_mut().budgets.release(&crate::Spender::NOBODY, 1, at(2));
    assert_eq!(wallet.check().unwrap_err().fault.to_string(), "what is held counts in its budgets: not so here");
}

#[test]
fn what_is_promised_for_a_time_is_kept_that_long() {
    let days = |days: u64| Duration::from_secs(days * 86_400);
    assert_eq!((crate::HOLD_SECONDS_MAX, crate::HOLD_MEMORY), (days(1), days(1)));
    assert_eq!((crate::REFUND_GRACE, crate::LATE_GRACE_MAX), (days(7), days(31)));
    assert_eq!(crate::AMOUNT_MAX, 9_007_199_254_740_991);
    assert!(Timestamp::MIN < Timestamp::EPOCH && Timestamp::EPOCH < Timestamp::MAX);
}
