use super::*;

fn record(keep: Keep) -> KeyRecord<&'static str> {
    let scope = KeyScope { account: AccountId::from_u128(1), endpoint: Endpoint("hold".into()), key: "K".into() };
    let fingerprint = Fingerprint::of([b"1".as_slice()]);
    KeyRecord { scope, fingerprint, outcome: "stored", recorded_at: Timestamp::EPOCH, keep }
}

#[test]
fn a_key_gives_its_stored_outcome_for_a_day_and_for_money_for_ever() {
    let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
    let same = record(Keep::Day).fingerprint;
    let other = Fingerprint::of([b"2".as_slice()]);
    assert_eq!(judge::<&str>(None, same, at(0)), Verdict::New);
    let day = record(Keep::Day);
    assert_eq!(judge(Some(&day), same, at(86_399)), Verdict::Replay(&"stored"));
    assert_eq!(judge(Some(&day), other, at(86_399)), Verdict::Reused);
    assert_eq!(judge(Some(&day), other, at(86_400)), Verdict::New);
    let forever = record(Keep::Forever);
    assert_eq!(judge(Some(&forever), same, at(86_400 * 365_000)), Verdict::Replay(&"stored"));
    assert_eq!(judge(Some(&forever), other, at(86_400 * 365_000)), Verdict::Reused);
    // A clock that went back still finds its key.
    assert_eq!(judge(Some(&day), same, at(-10)), Verdict::Replay(&"stored"));
}

#[test]
fn a_fingerprint_tells_fields_apart() {
    let of = |fields: &[&str]| Fingerprint::of(fields.iter().map(|field| field.as_bytes()));
    assert_ne!(of(&["ab", "c"]), of(&["a", "bc"]));
    assert_ne!(of(&["a"]), of(&["a", ""]));
    assert_eq!(of(&["a", "b"]), of(&["a", "b"]));
}

#[test]
fn ids_of_events_are_kept_a_week_and_a_day_longer_than_late_usage_counts() {
    let days = |days: u64| Duration::from_secs(days * 24 * 60 * 60);
    let kept = |late_grace| event_memory(&Policy { late_grace, ..Policy::default() });
    assert_eq!(kept(days(1)), days(7));
    assert_eq!(kept(days(6)), days(7));
    assert_eq!(kept(days(10)), days(11));
}
