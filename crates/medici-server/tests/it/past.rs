//! What an account had.

use std::time::Duration;

use crate::house::House;

#[tokio::test]
async fn the_balance_of_an_instant_is_told_by_when_facts_count_and_by_when_they_were_booked() {
    let house = House::idle().await;
    house.charge_pictures("ada", 12, "c-1").await;
    house.clock.advance(Duration::from_secs(3600));
    house.pack(house.account, "p-1").await;
    house.clock.advance(Duration::from_secs(40 * 24 * 3600));
    // A month has ended meanwhile, and is booked with this charge.
    house.charge_pictures("ada", 4, "c-2").await;
    let ask =
        async |query: &str| house.get(&format!("/api/credits?{query}")).key(&house.key).send().await.is(200).json();
    let balance = ask("at=2026-11-22T12:30:00Z").await;
    assert_eq!((&balance["available"], &balance["as_of"]), (&"12".into(), &"effective".into()));
    assert_eq!(balance["at"], "2026-11-22T12:30:00Z");
    assert_eq!(ask("at=2026-11-22T13:00:00Z").await["available"], "127", "the pack counts at its instant");
    assert_eq!(ask("at=2026-11-22T13:00:00Z&as_of=recorded").await["available"], "127");
    assert_eq!(ask("at=2026-12-22T12:00:00Z").await["available"], "130", "the month's lot had ended, another begun");
    let booked = ask("at=2026-12-22T12:00:00Z&as_of=recorded").await;
    assert_eq!(booked["available"], "130", "what was due is true, booked or not");
    assert_eq!(ask("").await["available"], "129");
    assert!(ask("").await.get("at").is_none());
}

#[tokio::test]
async fn a_question_about_the_past_is_whole() {
    let house = House::idle().await;
    let ask = |query: &str| house.get(&format!("/api/credits?{query}")).key(&house.key).send();
    ask("at=yesterday").await.problem(400, "invalid_value");
    ask("at=2026-11-22&as_of=known").await.problem(400, "invalid_value");
    ask("as_of=recorded").await.problem(400, "missing_required_parameter");
    assert_eq!(ask("at=2020-01-01").await.is(200).json()["available"], "0", "before it was opened");
}
