//! What a month would cost.

use serde_json::json;

use crate::house::House;

#[tokio::test]
async fn anybody_may_ask_what_a_month_would_cost() {
    let house = House::idle().await;
    let answer = house.get("/api/estimate?prompts=9&edits=4&variations=2").send().await.is(200);
    assert_eq!(
        answer.json(),
        json!({
            "credits": "15",
            "ways": [
                {"plan": "free", "covered": "15", "packs": null, "price": "0.00 USD", "text": "free"},
                {"plan": "studio", "covered": "15", "packs": null, "price": "12.00 USD",
                 "text": "plan studio: 12.00 USD a month"},
            ],
            "cheaper_from": [
                {"plan": "studio", "prompts": 102, "text": "plan studio is cheaper from 102 prompts a month on"},
            ],
        })
    );
    let nothing = house.get("/api/estimate").send().await.is(200).json();
    assert_eq!(nothing["credits"], "0");
    // One more than the free month gives: a pack now and then is the cheapest way.
    let more = house.get("/api/estimate?prompts=16&plan=free&size=256x256&model=dall-e-2").send().await.is(200).json();
    assert_eq!((&more["credits"], &more["ways"][0]["plan"]), (&json!("16"), &json!("free")));
    assert!(more["ways"][0]["packs"].is_object(), "{more}");
}

#[tokio::test]
async fn what_cannot_be_estimated_is_refused_by_its_parameter() {
    let house = House::idle().await;
    for (query, code, param) in [
        ("prompts=1000001", "integer_above_max_value", "prompts"),
        ("edits=4294967295", "integer_above_max_value", "edits"),
        ("plan=gold", "invalid_value", "plan"),
        ("plan=GOLD", "invalid_value", "plan"),
        ("size=large", "invalid_size", "size"),
    ] {
        let answer = house.get(&format!("/api/estimate?{query}")).send().await.is(400).json();
        assert_eq!((&answer["code"], &answer["param"]), (&json!(code), &json!(param)), "{query}");
    }
    for query in ["prompts=-1", "prompts=1.5", "pictures=3"] {
        house.get(&format!("/api/estimate?{query}")).send().await.is(400);
    }
}
