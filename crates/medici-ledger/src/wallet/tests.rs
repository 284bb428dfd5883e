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
