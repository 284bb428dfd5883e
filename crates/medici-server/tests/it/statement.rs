//! Statements over HTTP.

use std::time::Duration;

use medici_ledger::Command;
use medici_studio::{Account, Touches, decide};
use medici_testkit::store_contract::world::act;
use serde_json::json;

use crate::house::House;

async fn busy() -> House {
    let house = House::idle().await;
    house.pack(house.account, "p-1").await;
    house.charge_pictures("ada", 68, "c-1").await;
    house.clock.advance(Duration::from_secs(40 * 24 * 3600));
    house.charge_pictures("ada", 4, "c-2").await;
    house
}

#[tokio::test]
async fn opening_and_entries_make_the_closing() {
    let house = busy().await;
    let ask = async |query: &str| {
        house.get(&format!("/api/credits/statement?{query}")).key(&house.key).send().await.is(200).json()
    };
    let november = ask("month=2026-11").await;
    assert_eq!((&november["opening"], &november["closing"]), (&"0".into(), &"113".into()));
    assert_eq!((&november["from"], &november["to"]), (&"2026-11-01T00:00:00Z".into(), &"2026-12-01T00:00:00Z".into()));
    assert_eq!(
        november["classes"][1],
        json!({"class": "paid", "opening": "0", "granted": "115", "captured": "2", "expired": "0", "withdrawn": "0",
               "closing": "113", "closing_held": "0"})
    );
    assert_eq!(
        november["money"],
        json!([{"currency": "USD", "opening_deferred": "0.00 USD", "received": "15.00 USD", "tax": "0.00 USD",
                "recognised": "0.26 USD", "breakage": "0.00 USD", "owed": "0.00 USD", "lost": "0.00 USD",
                "closing_deferred": "14.74 USD"}])
    );
    let line = &november["entries"][3];
    assert_eq!(
        (&line["change"], &line["balance"], &line["deferred"]),
        (&"-17".into(), &"113".into(), &json!(["-0.26 USD"]))
    );
    let later = ask("from=2026-12-01&to=2027-02-01").await;
    assert_eq!((&later["opening"], &later["closing"]), (&"113".into(), &"127".into()));
    assert_eq!(ask("").await["closing"], "127");
    assert_eq!(november["sandbox"], false);
    assert_eq!(november["orders"], json!([]));
}

#[tokio::test]
async fn a_statement_comes_as_csv() {
    let house = busy().await;
    let answer = house.get("/api/credits/statement?month=2026-11&format=csv").key(&house.key).send().await.is(200);
    assert_eq!(answer.head("content-type"), "text/csv; charset=utf-8; header=present");
    assert_eq!(answer.head("content-disposition"), "attachment; filename=\"statement-ada.csv\"");
    let lines: Vec<&str> = answer.text().split("\r\n").collect();
    assert_eq!(lines[0], "kind,name,seq,effective_at,recorded_at,id,unit,amount,balance,text");
    assert!(lines.contains(&"sum,paid:closing,,,,,credits,113,,"), "{lines:?}");
    assert!(lines.contains(&"sum,closing_deferred,,,,,USD,14.74,,"), "{lines:?}");
    let charged = lines.iter().find(|line| line.starts_with("entry,charged,4,")).unwrap();
    assert!(charged.contains(",credits,-17,113,\"charged 17 for generate"), "{charged}");
    assert_eq!(lines.last(), Some(&""));
}

#[tokio::test]
async fn a_statement_comes_as_a_page_that_loads_and_runs_nothing() {
    let house = busy().await;
    let answer = house.get("/api/credits/statement?month=2026-11&format=html").key(&house.key).send().await.is(200);
    assert_eq!(answer.head("content-type"), "text/html; charset=utf-8");
    assert!(answer.head("content-security-policy").starts_with("default-src 'none'"));
    let page = answer.text();
    for told in ["November 2026", "ada", "113", "\u{2212}0.26 USD", "charged 17 for generate", "<h1>"] {
        assert!(page.contains(told), "{told} is missing: {page}");
    }
    for never in ["<script", "href=", "src=", "url(", "Sandbox"] {
        assert!(!page.contains(never), "{never}: {page}");
    }
}

#[tokio::test]
async fn a_sandbox_says_so() {
    let house = House::idle().await;
    let (id, now) = (medici_ledger::AccountId::from_u128(99), "2026-11-01T00:00:00Z".parse().unwrap());
    let open = act(Touches::wallet(id), move |work| {
        work.ledger(id, &Command::Open { plan: "free".parse().unwrap(), sandbox: Some(now) })?;
        work.put_account(Account { id, name: "play".into(), created_at: work.now() });
        Ok::<_, medici_ledger::Refusal>(())
    });
    decide(&*house.studio().store, open).await.unwrap().unwrap();
    let ask = |format: &str| {
        house.get(&format!("/api/credits/statement?account=play&format={format}")).key(&house.service).send()
    };
    assert_eq!(ask("json").await.is(200).json()["sandbox"], true);
    assert!(ask("html").await.is(200).text().contains("nothing here was bought or sold"));
}

#[tokio::test]
async fn a_statement_is_of_whom_one_may_see_and_of_a_period() {
    let house = House::idle().await;
    let (bob, _) = house.neighbour().await;
    let ask = |query: &str, key: &str| house.get(&format!("/api/credits/statement?{query}")).key(key).send();
    ask("", &house.service).await.problem(400, "missing_required_parameter");
    ask(&format!("account={}", bob.id), &house.key).await.problem(404, "not_found");
    ask(&format!("account={}", bob.id), &house.service).await.is(200);
    ask("account=bob", &house.admin).await.is(200);
    for wrong in [
        "month=2026-13",
        "month=2026-1",
        "month=november",
        "month=2026-11-01",
        "month=2026-11&from=2026-11-01",
        "from=2026-12-01&to=2026-11-01",
        "from=2026-11-01&to=2026-11-01",
        "from=x",
        "format=pdf",
        "colour=red",
    ] {
        ask(wrong, &house.key).await.problem(400, "invalid_value");
    }
}
