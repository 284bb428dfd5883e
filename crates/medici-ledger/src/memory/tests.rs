use super::*;
use crate::ids::LotNumber;

fn remember(memory: &mut Memory, id: u128, seconds: i64) {
    let slice = Slice { lot: LotNumber(1), amount: Credits::whole(1) };
    let at = Timestamp::from_micros(seconds * 1_000_000);
    let end = End::Captured { slices: Slices::new(&[slice]) };
    memory.remember(Ended { hold: HoldId::from_u128(id), at, end });
}

#[test]
fn the_last_256_ends_are_remembered_and_no_more() {
    let mut memory = Memory::default();
    for id in 0..1_000 {
        remember(&mut memory, id, 0);
    }
    let known = |id| memory.find(HoldId::from_u128(id), Timestamp::EPOCH).is_some();
    assert!((744..1_000).all(known));
    assert!(!(0..744).any(known));
    assert!(memory.len() <= HOLD_MEMORY_COUNT_MAX + RECENT_MAX);
}

#[test]
fn an_end_is_remembered_for_a_day() {
    let mut memory = Memory::default();
    remember(&mut memory, 1, 0);
    let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
    assert!(memory.find(HoldId::from_u128(1), at(86_399)).is_some());
    assert!(memory.find(HoldId::from_u128(1), at(86_400)).is_none());
    // What is too old leaves when the recent part is folded.
    for id in 2..40 {
        remember(&mut memory, id, 90_000);
    }
    assert_eq!(memory.len(), 38);
}

#[test]
fn ends_of_holds_with_any_name_are_found_in_the_older_part() {
    let mut memory = Memory::default();
    let ids: Vec<u128> = (0..100).map(|n| u128::MAX - n * 0x1234_5678_9abc_def1).collect();
    ids.iter().for_each(|id| remember(&mut memory, *id, 0));
    assert!(ids.iter().all(|id| memory.find(HoldId::from_u128(*id), Timestamp::EPOCH).is_some()));
    assert!(ids.iter().all(|id| memory.find(HoldId::from_u128(id - 1), Timestamp::EPOCH).is_none()));
}
