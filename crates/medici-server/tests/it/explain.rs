//! What one entry did.

use serde_json::json;

use crate::house::House;

#[tokio::test]
async fn a_charge_is_explained_to_the_cent() {
    let house = House::idle().await;
    house.pack(house.account, "p-1").await;
    house.charge_pictures("ada", 68, "c-1").await;
    let explained = house.get("/api/credits/entries/4").key(&house.key).send().await.is(200).json();
    assert_eq!(explained["fact"], "charged");
    assert_eq!(explained["price"]["version"], "2026-01-01T00:00:00Z");
    assert_eq!((&explained["price"]["amount"], &explained["price"]["rule"]), (&"17".into(), &0.into()));
    assert_eq!(explained["slices"], json!({"captured": [{"lot": 1, "amount": "15"}, {"lot": 2, "amount": "2"}]}));
    let lot = &explained["lots"][1];
    assert_eq!((&lot["granted"], &lot["cost"]), (&"115".into(), &"15.00 USD".into()));
    assert_eq!(lot["parts"]["captured"], json!({"before": "0", "after": "2"}));
    assert_eq!(lot["shares"]["recognised"], json!({"before": "0.00 USD", "after": "0.26 USD", "change": "0.26 USD"}));
    assert_eq!(lot["shares"]["deferred"], json!({"before": "15.00 USD", "after": "14.74 USD", "change": "-0.26 USD"}));
    let text = explained["text"].as_str().unwrap();
    assert!(text.contains("earned floor(15.00 USD x 2 / 115) = 0.26 USD"), "{text}");
    assert_eq!(
        explained["postings"][5],
        json!({"account": "revenue:generate", "lot": 2, "unit": "USD", "amount": "-0.26"})
    );
}

#[tokio::test]
async fn a_hold_is_explained_from_its_beginning_to_its_end() {
    let house = House::open().await;
    house.generate(json!({"prompt": "a red fox", "size": "256x256"})).await.is(200);
    let entries = house.get("/api/credits/entries").key(&house.key).send().await.json();
    let hold = entries["entries"][0]["hold"].as_str().unwrap().to_owned();
    let ask = |query: String, key: &str| house.get(&format!("/api/credits/entries?{query}")).key(key).send();
    let explained = ask(format!("hold={hold}"), &house.key).await.is(200).json();
    let facts: Vec<&str> =
        explained["entries"].as_array().unwrap().iter().map(|entry| entry["fact"].as_str().unwrap()).collect();
    assert_eq!(facts, ["held", "captured"]);
    assert_eq!(explained["entries"][1]["price"]["amount"], "1", "the price that was pinned with the hold");
    ask("hold=hold_1".into(), &house.key).await.problem(400, "invalid_value");
    ask(format!("hold=hold_{:032x}", 1), &house.key).await.problem(404, "not_found");
    ask(format!("hold={hold}&limit=1"), &house.key).await.problem(400, "invalid_value");
    let (_, their_key) = house.neighbour().await;
    ask(format!("hold={hold}"), &their_key).await.problem(404, "not_found");
}

#[tokio::test]
async fn anothers_entry_is_as_good_as_none() {
    let house = House::idle().await;
    let (bob, their_key) = house.neighbour().await;
    let ask = |path: &str, key: &str| house.get(&format!("/api/credits/entries/{path}")).key(key).send();
    ask("1", &their_key).await.is(200);
    ask(&format!("1?account={}", bob.id), &house.service).await.is(200);
    ask(&format!("1?account={}", bob.id), &house.key).await.problem(404, "not_found");
    for missing in ["0", "99", "x", "-1"] {
        ask(missing, &house.key).await.problem(404, "not_found");
    }
    ask("1", &house.service).await.problem(400, "missing_required_parameter");
    ask("1?colour=red", &house.key).await.problem(400, "invalid_value");
}
