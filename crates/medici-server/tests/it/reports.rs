//! Reports over all accounts.

use std::time::Duration;

use serde_json::json;

use crate::house::House;

#[tokio::test]
async fn revenue_is_told_by_month_and_ties_out() {
    let house = House::idle().await;
    let (bob, _) = house.neighbour().await;
    house.pack(house.account, "p-1").await;
    house.pack(bob.id, "p-2").await;
    house.charge_pictures("ada", 68, "c-1").await;
    house.clock.advance(Duration::from_secs(40 * 24 * 3600));
    house.charge_pictures("bob", 80, "c-2").await;
    let ask = async |query: &str| {
        house.get(&format!("/api/reports/revenue{query}")).key(&house.admin).send().await.is(200).json()
    };
    let report = ask("?from=2026-11-01&to=2027-02-01&by=month").await;
    assert_eq!(report["ties_out"], true);
    let periods = report["periods"].as_array().unwrap();
    assert_eq!(periods.len(), 3);
    assert_eq!(
        periods[0],
        json!({
            "from": "2026-11-01T00:00:00Z", "to": "2026-12-01T00:00:00Z", "currency": "USD",
            "deferred_opening": "0.00", "received": "30.00", "returned": "0.00", "receivable": "0.00", "tax": "0.00",
            "recognised": "0.26", "recognised_by_operation": {"generate": "0.26"}, "breakage": "0.00",
            "customer_debt": "0.00", "refunds": "0.00", "deferred_closing": "29.74", "deferred_of_lots": "29.74",
            "receivable_closing": "0.00", "customer_debt_closing": "0.00",
        })
    );
    assert_eq!(periods[1]["recognised"], "0.00");
    assert_eq!((&periods[2]["deferred_opening"], &periods[2]["recognised"]), (&"29.74".into(), &"0.65".into()));
    assert_eq!(ask("").await["periods"].as_array().unwrap().len(), 1);
    assert_eq!(ask("?basis=recorded").await["basis"], "recorded");
}

#[tokio::test]
async fn a_trial_balance_is_zero_in_every_unit_at_every_instant() {
    let house = House::idle().await;
    house.pack(house.account, "p-1").await;
    house.clock.advance(Duration::from_secs(60));
    house.charge_pictures("ada", 4, "c-1").await;
    let ask = async |query: &str| {
        house.get(&format!("/api/reports/trial-balance{query}")).key(&house.admin).send().await.is(200).json()
    };
    let now = ask("").await;
    assert_eq!(now["at"], "2026-11-22T12:01:00Z");
    assert_eq!(
        now["lines"],
        json!([
            {"account": "issuance:free", "unit": "credits", "amount": "-15"},
            {"account": "issuance:paid", "unit": "credits", "amount": "-115"},
            {"account": "lot", "unit": "credits", "amount": "129"},
            {"account": "used:generate", "unit": "credits", "amount": "1"},
            {"account": "cash", "unit": "USD", "amount": "15.00"},
            {"account": "deferred", "unit": "USD", "amount": "-15.00"},
        ])
    );
    let before = ask("?at=2026-11-22T12:00:30Z&basis=recorded").await;
    assert_eq!(before["lines"][2]["amount"], "130");
    assert_eq!(ask("?at=2026-11-22T11:59:59Z").await["lines"], json!([]));
}

#[tokio::test]
async fn a_report_is_the_operators_and_has_bounds() {
    let house = House::idle().await;
    let ask = |path: &str| house.get(&format!("/api/reports/{path}")).key(&house.admin).send();
    for wrong in [
        "revenue?from=1000-01-01&to=2026-01-01&by=month",
        "revenue?by=week",
        "revenue?from=x",
        "revenue?basis=known",
        "revenue?from=2026-12-01&to=2026-11-01",
        "revenue?account=ada",
        "trial-balance?at=x",
        "trial-balance?from=x",
    ] {
        ask(wrong).await.problem(400, "invalid_value");
    }
    assert_eq!(ask("revenue?by=month").await.is(200).json()["periods"], json!([]), "no money yet");
}
