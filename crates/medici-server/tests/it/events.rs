//! `POST /api/events`: meter events, each charged once.

use std::time::Duration;

use medici_ledger::{
    BudgetPeriod, Cents, Command, Credits, Currency, Fact, Item, MemberId, Money, Months, Order, OrderId, Reversal,
    ReversalState, Subject,
};
use medici_store::Fault;
use medici_studio::{Ids, decide};
use medici_testkit::{SeededIds, store_contract::world::command};
use serde_json::{Value, json};

use crate::house::{Answer, House};

fn event(id: &str, input: u64) -> Value {
    json!({"id": id, "account": "ada", "operation": "text", "meters": {"input": input}})
}

async fn send(house: &House, events: Value) -> Answer {
    house.post("/api/events", events).key(&house.service).send().await
}

async fn send_lines(house: &House, lines: &str) -> Answer {
    let ask = house.post("/api/events", json!(0)).key(&house.service).bytes(lines);
    ask.media_type("application/x-ndjson").send().await
}

/// What became of each event: its outcome, its credits or its code.
fn outcomes(answer: Answer) -> Vec<String> {
    let body = answer.is(200).json();
    let told = |result: &Value| {
        let text = |name: &str| result[name].as_str().unwrap_or_default().to_owned();
        format!("{} {} {}{}", text("id"), text("outcome"), text("credits"), text("code"))
    };
    let results = body["results"].as_array().unwrap();
    for outcome in ["charged", "duplicate", "refused", "invalid"] {
        let counted = results.iter().filter(|result| result["outcome"] == outcome).count();
        assert_eq!(body[outcome], counted, "{body}");
    }
    results.iter().map(told).collect()
}

/// Runs a ledger command for which there is no route here.
async fn act(house: &House, asked: Command) {
    decide(&*house.studio().store, command(house.account, asked)).await.unwrap().unwrap();
}

#[tokio::test]
async fn an_array_of_events_is_charged_in_order() {
    let house = House::idle().await;
    let events = json!([
        {"id": "e-1", "account": "ada", "operation": "text", "meters": {"input": 812, "output": 90}},
        {"id": "e-2", "account": house.account.to_string(), "operation": "upscale", "count": 3},
        {"id": "e-3", "account": "ada", "operation": "text", "meters": {"input": 0}, "happened_at": null},
    ]);
    let answer = send(&house, events).await.is(200);
    assert_eq!(
        answer.json(),
        json!({"charged": 3, "duplicate": 0, "refused": 0, "invalid": 0, "results": [
            {"id": "e-1", "outcome": "charged", "credits": "2.164"},
            {"id": "e-2", "outcome": "charged", "credits": "0.75"},
            {"id": "e-3", "outcome": "charged", "credits": "0"},
        ]})
    );
    assert_eq!(
        house.story().await,
        ["charged: lot 1 -2.164, used:text 1 +2.164", "charged: lot 1 -0.75, used:upscale 1 +0.75", "charged: "]
    );
    let entries = house.studio().entries(house.account, None, 3).await.unwrap().entries;
    let Fact::Charged { event: Some(event), .. } = &entries[2].fact else { panic!("{:?}", entries[2]) };
    assert_eq!(event.id.as_str(), "e-1");
    let quantities: Vec<_> = event.quantities.iter().map(|(meter, count)| (meter.as_text(), *count)).collect();
    assert_eq!(quantities, [("input".to_owned(), 812), ("output".to_owned(), 90)]);
    assert_eq!(house.studio().store.counters().groups, 5, "opening, three keys, and one commit for all events");
}

#[tokio::test]
async fn lines_of_events_are_charged_too() {
    let house = House::idle().await;
    let lines = format!("{}\n\n{}\r\n  \n{}", event("a", 500), event("b", 250), event("a", 500));
    let told = outcomes(send_lines(&house, &lines).await);
    assert_eq!(told, ["a charged 1", "b charged 0.5", "a duplicate 1"]);
    assert_eq!(outcomes(send_lines(&house, "").await), [""; 0]);
    assert_eq!(house.available(), "13.5");
}

#[tokio::test]
async fn an_event_counts_once_within_and_across_requests() {
    let house = House::idle().await;
    let events = json!([event("a", 500), event("b", 500), event("a", 500)]);
    assert_eq!(outcomes(send(&house, events.clone()).await), ["a charged 1", "b charged 1", "a duplicate 1"]);
    house.clock.advance(Duration::from_secs(3 * 24 * 60 * 60));
    assert_eq!(outcomes(send(&house, events).await), ["a duplicate 1", "b duplicate 1", "a duplicate 1"]);
    assert_eq!(house.available(), "13");
    house.clock.advance(Duration::from_secs(4 * 24 * 60 * 60));
    assert_eq!(outcomes(send(&house, json!([event("a", 500)])).await), ["a charged 1"], "a week later");
}

#[tokio::test]
async fn the_same_event_is_what_says_the_same_in_whatever_order() {
    let house = House::idle().await;
    let first = r#"[{"id":"a","account":"ada","operation":"text","meters":{"input":500,"output":0}}]"#;
    let again = format!(
        r#"[{{"member":null,"count":1,"meters":{{"output":0,"input":500}},"operation":"text","account":"{}","id":"a"}}]"#,
        house.account
    );
    for (text, outcome) in [(first, "a charged 1"), (again.as_str(), "a duplicate 1")] {
        let ask = house.post("/api/events", json!(0)).key(&house.service).bytes(text);
        assert_eq!(outcomes(ask.send().await), [outcome]);
    }
}

#[tokio::test]
async fn an_id_with_another_content_is_refused_alone() {
    let house = House::idle().await;
    outcomes(send(&house, json!([event("a", 500)])).await);
    let mut others = vec![event("a", 501)];
    let changes = [
        ("operation", json!("upscale")),
        ("count", json!(2)),
        ("meters", json!({"output": 500})),
        ("happened_at", json!("2026-11-22T11:00:00Z")),
        ("member", json!(format!("member_{:032x}", 1))),
        ("key", json!(format!("key_{:032x}", 1))),
    ];
    for (name, value) in changes {
        let mut other = event("a", 500);
        other[name] = value;
        others.push(other);
    }
    others.push(event("b", 500));
    let told = outcomes(send(&house, json!(others)).await);
    assert_eq!(told[..7], ["a refused idempotency_key_reused"; 7]);
    assert_eq!(told[7], "b charged 1");
    assert_eq!(house.available(), "13");
}

#[tokio::test]
async fn an_event_that_is_none_is_an_outcome_of_its_own() {
    let house = House::idle().await;
    let with = |name: &str, value: Value| {
        let mut event = event("x", 1);
        event[name] = value;
        event
    };
    let cases = [
        (json!(5), "invalid_type"),
        (json!(null), "invalid_type"),
        (json!(true), "invalid_type"),
        (json!(-1.5), "invalid_type"),
        (json!("event"), "invalid_type"),
        (json!([event("x", 1)]), "invalid_type"),
        (json!({}), "missing_required_parameter"),
        (with("id", json!(null)), "missing_required_parameter"),
        (with("id", json!(7)), "invalid_type"),
        (with("id", json!("")), "invalid_value"),
        (with("id", json!("with space")), "invalid_value"),
        (with("id", json!("é")), "invalid_value"),
        (with("id", json!("x".repeat(101))), "invalid_value"),
        (with("account", json!(null)), "missing_required_parameter"),
        (with("operation", json!("Not A Name")), "invalid_value"),
        (with("operation", json!(["text"])), "invalid_type"),
        (with("count", json!(0)), "integer_below_min_value"),
        (with("count", json!(1_u64 << 32)), "integer_above_max_value"),
        (with("count", json!(-1)), "invalid_type"),
        (with("count", json!(1.5)), "invalid_type"),
        (with("count", json!("1")), "invalid_type"),
        (with("meters", json!(["input"])), "invalid_type"),
        (with("meters", json!("input")), "invalid_type"),
        (with("meters", json!({"input": -1})), "invalid_type"),
        (with("meters", json!({"input": null})), "invalid_type"),
        (with("meters", json!({"Input": 1})), "invalid_value"),
        (with("meters", (0..17).map(|n| (format!("m{n}"), json!(1))).collect()), "invalid_value"),
        (with("happened_at", json!("2026-11-22")), "invalid_value"),
        (with("happened_at", json!("2026-11-22T12:00:00")), "invalid_value"),
        (with("happened_at", json!("yesterday")), "invalid_value"),
        (with("member", json!("ada")), "invalid_value"),
        (with("key", json!("sk-m-1")), "invalid_value"),
        (with("credits", json!("0")), "unknown_parameter"),
    ];
    let (events, codes): (Vec<_>, Vec<_>) = cases.into_iter().unzip();
    let answer = send(&house, json!(events)).await.is(200).json();
    for (number, code) in codes.into_iter().enumerate() {
        let result = &answer["results"][number];
        assert_eq!((&result["outcome"], &result["code"]), (&json!("invalid"), &json!(code)), "{number}: {result}");
        assert!(result["detail"].as_str().unwrap().ends_with('.'), "{result}");
    }
    let twice = r#"[{"id":"a","id":"b"},{"id":"a","meters":{"input":1,"input":2},"account":"ada","operation":"text"},
        {"id":"escaped\u0061","account":"ad\u0061","operation":"te\u0078t","meters":{"inp\u0075t":500}}]"#;
    let ask = house.post("/api/events", json!(0)).key(&house.service).bytes(twice);
    assert_eq!(outcomes(ask.send().await)[..2], ["b invalid invalid_value", "a invalid invalid_value"]);
    assert_eq!(house.available(), "14", "text that is escaped is text");
}

#[tokio::test]
async fn what_cannot_be_charged_is_refused_alone() {
    let house = House::idle().await;
    let mut events: Vec<_> = (0..5).map(|number| event(&format!("e-{number}"), 500)).collect();
    events[1]["operation"] = json!("dance");
    events[2]["account"] = json!("nobody");
    events[3]["account"] = json!(format!("acct_{:032x}", 99));
    events[4]["meters"] = json!({"tokens": 1});
    let told = outcomes(send(&house, json!(events)).await);
    assert_eq!(told[0], "e-0 charged 1");
    assert_eq!(
        told[1..],
        ["e-1 refused no_price", "e-2 refused not_found", "e-3 refused not_found", "e-4 refused no_price"]
    );
    assert_eq!(house.available(), "14");
}

#[tokio::test]
async fn a_body_that_is_no_json_fails_the_request_and_names_the_line() {
    let house = House::idle().await;
    let array = |text: &'static str| house.post("/api/events", json!(0)).key(&house.service).bytes(text).send();
    for (text, line) in [("", "line 1"), ("[\n{]", "line 2"), ("[{}", "line 1"), ("[] []", "line 1")] {
        let words = array(text).await.problem(400, "invalid_json");
        assert!(words.contains(line), "{words}");
    }
    for text in ["{}", "5", "null"] {
        let words = array(text).await.problem(400, "invalid_json");
        assert_eq!(words, "The request's body must be a JSON array of events.");
    }
    let lines = format!("{}\n\n{{\"id\": }}\n", event("a", 1));
    let words = send_lines(&house, &lines).await.problem(400, "invalid_json");
    assert_eq!(words, "Line 3 of the body is no JSON, at column 8: expected value.");
    let ask = house.post("/api/events", json!(0)).key(&house.service).bytes(b"[\n\"\xff\"]".to_vec());
    let words = ask.send().await.problem(400, "invalid_json");
    assert_eq!(words, "Line 2 of the body is no text in UTF-8.");
    let ask = house.post("/api/events", json!([])).key(&house.service).media_type("text/csv");
    ask.send().await.is(415);
    assert!(house.story().await.is_empty(), "nothing was charged");
}

#[tokio::test]
async fn a_request_has_a_bound_in_events_and_in_bytes() {
    let house = House::idle().await;
    let many = json!(vec![json!(0); 10_000]);
    assert_eq!(send(&house, many).await.is(200).json()["invalid"], 10_000);
    let words = send(&house, json!(vec![json!(0); 10_003])).await.problem(413, "too_many_events");
    assert_eq!(words, "A request may have 10000 events, 10003 found. None was charged.");
    let lines = "0\n".repeat(10_001);
    send_lines(&house, &lines).await.problem(413, "too_many_events");
    let long = format!("[{}]", " ".repeat(8 << 20));
    let ask = house.post("/api/events", json!(0)).key(&house.service).bytes(long);
    ask.send().await.problem(413, "request_too_large");
}

#[tokio::test]
async fn an_account_that_is_short_is_refused_what_it_cannot_pay_and_nobody_else_is() {
    let house = House::idle().await;
    house.neighbour().await;
    let mut events = vec![event("a", 7_000), event("b", 500), event("c", 500), event("d", 1), event("e", 0)];
    events[2]["account"] = json!("bob");
    let answer = send(&house, json!(events)).await.is(200);
    let short = answer.json()["results"][3].clone();
    assert_eq!(short["available"], "0");
    assert_eq!(short["detail"], "0.002 credits needed, 0 available.");
    let told = outcomes(answer);
    assert_eq!(told, ["a charged 14", "b charged 1", "c charged 1", "d refused insufficient_credits", "e charged 0"]);
    // A refusal is judged anew.
    house.clock.set("2026-12-22T12:00:00Z".parse().unwrap());
    assert_eq!(outcomes(send(&house, json!([event("d", 1)])).await), ["d charged 0.002"]);
}

#[tokio::test]
async fn budgets_and_debt_refuse_events_alone() {
    let house = House::idle().await;
    let member = MemberId::from_u128(7);
    let (subject, limit) = (Subject::Member(member), Some(Credits::whole(2)));
    act(&house, Command::SetBudget { subject, period: BudgetPeriod::Month, limit }).await;
    let by_member = |id: &str| {
        let mut event = event(id, 500);
        event["member"] = json!(member.to_string());
        event
    };
    let events = json!([by_member("a"), by_member("b"), by_member("c"), event("d", 500)]);
    let told = outcomes(send(&house, events).await);
    assert_eq!(told, ["a charged 1", "b charged 1", "c refused budget_exceeded", "d charged 1"]);

    let (id, month) = (OrderId::from_u128(1), Months::new(12).unwrap());
    let cost = Money::new(Cents::from_minor(1500).unwrap(), Currency::USD);
    let item = Item::Packs { packs: 1, expires: month };
    let order = Order { id, item, credits: Credits::whole(115), bonus: Credits::ZERO, cost, tax: Cents::ZERO };
    act(&house, Command::PlaceOrder(order)).await;
    act(&house, Command::PayOrder { order: id, amount: cost }).await;
    assert_eq!(outcomes(send(&house, json!([event("e", 10_000)])).await), ["e charged 20"]);
    let reversal = Reversal { id: "dp_1".parse().unwrap(), state: ReversalState::Disputed, amount: cost.amount };
    act(&house, Command::Reverse { order: id, reversal }).await;
    let told = outcomes(send(&house, json!([event("f", 500), event("g", 0), event("e", 10_000)])).await);
    assert_eq!(told, ["f refused in_debt", "g charged 0", "e duplicate 20"]);
}

#[tokio::test]
async fn late_usage_takes_what_was_live_then_within_a_day_and_counts_as_now_later() {
    let house = House::idle().await;
    // The month ends on 22 December at noon with 15 credits, and the next one begins.
    house.clock.set("2026-12-23T06:00:00Z".parse().unwrap());
    let at = |id: &str, input: u64, happened_at: &str| {
        let mut event = event(id, input);
        event["happened_at"] = json!(happened_at);
        event
    };
    let events = json!([
        at("now", 500, "2026-12-23T06:00:00Z"),
        at("late", 1_000, "2026-12-22T11:59:59.5+00:00"),
        at("older", 500, "2026-12-22T05:59:59Z"),
        at("ahead", 500, "2026-12-24T00:00:00Z"),
        at("too-much", 7_000, "2026-12-22T11:59:59Z"),
    ]);
    let told = outcomes(send(&house, events).await);
    let charged = ["now charged 1", "late charged 2", "older charged 1", "ahead charged 1"];
    assert_eq!(told[..4], charged);
    assert_eq!(told[4], "too-much refused insufficient_credits");
    assert_eq!(house.available(), "12", "of the new month");
    let story = house.story().await;
    let told: Vec<_> = story.iter().map(String::as_str).collect();
    assert_eq!(
        told,
        [
            "lot_expired: lot 1 -15, expired 1 +15",
            "charged: lot 2 -1, used:text 2 +1",
            "reopened: expired 1 -15, lot 1 +15",
            "charged: lot 1 -2, used:text 1 +2",
            "lot_expired: lot 1 -13, expired 1 +13",
            "charged: lot 2 -1, used:text 2 +1",
            "charged: lot 2 -1, used:text 2 +1",
        ]
    );
}

#[tokio::test]
async fn a_commit_that_fails_charges_nothing_and_the_same_request_again_charges_once() {
    let house = House::idle().await;
    house.neighbour().await;
    let mut events: Vec<_> = (0..20).map(|number| event(&format!("e-{number}"), 50)).collect();
    events.iter_mut().step_by(2).for_each(|event| event["account"] = json!("bob"));
    let events = json!(events);
    house.faults.fail_next(10, Fault::AtCommit);
    send(&house, events.clone()).await.problem(503, "store_unavailable");
    house.faults.clear();
    assert_eq!(house.available(), "15");
    // The group fails twice, then the first account alone; the second one's events are charged.
    house.faults.fail_next(3, Fault::AtCommit);
    send(&house, events.clone()).await.problem(503, "store_unavailable");
    house.faults.clear();
    let body = send(&house, events.clone()).await.is(200).json();
    assert_eq!((&body["charged"], &body["duplicate"]), (&json!(10), &json!(10)), "{body}");
    let body = send(&house, events).await.is(200).json();
    assert_eq!(body["duplicate"], 20);
    assert_eq!(house.available(), "14");
}

#[tokio::test]
async fn however_events_are_split_and_repeated_the_account_is_the_same() {
    let plain = House::idle().await;
    let all: Vec<_> = (0..60)
        .map(|number| {
            let mut event = event(&format!("e-{number}"), 37 * number % 211);
            if number % 3 == 0 {
                event["happened_at"] = json!(format!("2026-11-22T11:{number:02}:00Z"));
            }
            event
        })
        .collect();
    outcomes(send(&plain, json!(all)).await);
    for seed in 0..12 {
        let (house, chance) = (House::idle().await, SeededIds::new(seed));
        let draw = |below: usize| usize::try_from((chance.next() & 0xffff_ffff) % below as u128).unwrap();
        let mut sent = 0;
        while sent < all.len() {
            // From somewhere before what was not sent yet to somewhere after it.
            let from = sent - draw(sent.min(9) + 1);
            let to = (sent + 1 + draw(20)).min(all.len());
            let lost = draw(4) == 0;
            if lost {
                house.faults.fail_next(10, Fault::AtCommit);
            }
            let answer = send(&house, json!(all[from..to])).await;
            house.faults.clear();
            if !lost {
                answer.is(200);
                sent = to;
            }
        }
        assert_eq!(house.available(), plain.available(), "seed {seed}");
        assert_eq!(house.story().await, plain.story().await, "seed {seed}");
    }
}
