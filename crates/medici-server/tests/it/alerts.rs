//! Low balances.

use serde_json::{Value, json};

use crate::house::House;

async fn told(house: &House, query: &str, key: &str) -> Value {
    house.get(&format!("/api/alerts{query}")).key(key).send().await.is(200).json()
}

#[tokio::test]
async fn a_low_balance_is_told_once_to_the_customer_and_to_the_operator() {
    let house = House::idle().await;
    let set = house.put("/api/alerts", json!({"below": "5"})).key(&house.key).send().await.is(200).json();
    assert_eq!(set, json!({"account": house.account.to_string(), "below": "5"}));
    assert_eq!(told(&house, "", &house.key).await["alerts"], json!([]));
    for number in 0..12 {
        house.charge_pictures("ada", 4, &format!("c-{number}")).await;
    }
    let own = told(&house, "", &house.key).await;
    assert_eq!(own["below"], "5");
    assert_eq!(
        own["alerts"],
        json!([{"account": house.account.to_string(), "seq": 15, "at": "2026-11-22T12:00:00Z", "below": "5",
                "available": "4"}])
    );
    assert!(own["next_cursor"].is_null());
    let all = told(&house, "", &house.admin).await;
    assert_eq!((&all["alerts"], &all["account"]), (&own["alerts"], &Value::Null));
    assert_eq!(told(&house, "?account=ada", &house.service).await["alerts"], own["alerts"]);
}

#[tokio::test]
async fn the_operator_sets_and_removes_anybodys() {
    let house = House::idle().await;
    let (bob, their_key) = house.neighbour().await;
    let set = |who: &str, below: Value| {
        house.put(&format!("/api/accounts/{who}/alert"), json!({"below": below})).key(&house.admin).send()
    };
    set("bob", json!("20")).await.is(200);
    assert_eq!(told(&house, "", &their_key).await["alerts"][0]["available"], "15", "it is low already");
    // A repeat changes nothing, and does not tell it again.
    set(&bob.id.to_string(), json!("20")).await.is(200);
    assert_eq!(told(&house, "", &their_key).await["alerts"].as_array().unwrap().len(), 1);
    assert_eq!(set("bob", Value::Null).await.is(200).json()["below"], Value::Null);
    assert_eq!(told(&house, "", &their_key).await["below"], Value::Null);
    set("nobody", json!("5")).await.problem(404, "not_found");
    set("ada", json!("7")).await.is(200);
    assert_eq!(told(&house, "", &house.key).await["below"], "7");
    assert_eq!(told(&house, "", &house.key).await["alerts"], json!([]), "another's are not seen");
    let path = format!("/api/alerts?account={}", bob.id);
    house.get(&path).key(&house.key).send().await.problem(404, "not_found");
}

#[tokio::test]
async fn a_bound_is_said_in_full() {
    let house = House::idle().await;
    let set = |body: Value| house.put("/api/alerts", body).key(&house.key).send();
    set(json!({})).await.problem(400, "invalid_value");
    set(json!({"below": 5})).await.problem(400, "invalid_type");
    set(json!({"below": "0"})).await.problem(400, "invalid_value");
    set(json!({"below": "-1"})).await.problem(400, "invalid_value");
    set(json!({"below": "five"})).await.problem(400, "invalid_value");
    set(json!({"below": "5", "colour": "red"})).await.problem(400, "invalid_value");
    house.get("/api/alerts?limit=0").key(&house.key).send().await.problem(400, "invalid_value");
}

#[tokio::test]
async fn alerts_come_in_pages() {
    let house = House::idle().await;
    for (number, below) in (0..5).map(|number| (number, 20 + number)) {
        house.put("/api/alerts", json!({"below": below.to_string()})).key(&house.key).send().await.is(200);
        assert_eq!(told(&house, "?limit=200", &house.key).await["alerts"].as_array().unwrap().len(), number + 1);
    }
    let first = told(&house, "?limit=3", &house.key).await;
    let rest = told(&house, &format!("?limit=3&cursor={}", first["next_cursor"]), &house.key).await;
    let bounds = |page: &Value| -> Vec<String> {
        page["alerts"].as_array().unwrap().iter().map(|alert| alert["below"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(
        (bounds(&first), bounds(&rest)),
        (vec!["24".into(), "23".into(), "22".into()], vec!["21".into(), "20".into()])
    );
    assert!(rest["next_cursor"].is_null());
}
