//! The OpenAPI document: it is the one that is committed, and the example of every operation works.
//!
//! `MEDICI_WRITE_REFERENCE=1 cargo nextest run -p medici-server -E 'test(document)'` writes it anew.

use std::{fs, path::Path};

use axum::http::Method;
use serde_json::{Value, json};

use crate::{
    contract::Contract,
    form::{self, Part, field, file, plain, png},
    house::{Answer, Ask, House},
};

#[tokio::test]
async fn the_document_is_the_one_that_is_committed_and_anybody_may_read_it() {
    let house = House::idle().await;
    let answer = house.get("/openapi.json").send().await.is(200);
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/openapi.json");
    if std::env::var_os("MEDICI_WRITE_REFERENCE").is_some() {
        fs::write(&committed, answer.text()).unwrap();
    }
    let written = fs::read_to_string(&committed).unwrap();
    let words = "docs/reference/openapi.json is out of date: write it anew with MEDICI_WRITE_REFERENCE=1";
    assert!(written == answer.text(), "{words}");
}

#[tokio::test]
async fn every_operation_is_carried_out_as_its_example_says() {
    let mut carried_out = 0;
    House::idle().await;
    let document = Contract::told().unwrap().document();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let house = House::open().await;
            let call = Call { house: &house, path, method, operation };
            let answer = call.carry_out().await;
            let name = operation["operationId"].as_str().unwrap();
            // That the answer is as described was seen when it was sent.
            assert!(answer.status.is_success(), "{name}: {} {}", answer.status, answer.text());
            carried_out += 1;
        }
    }
    assert!(carried_out > 50, "{carried_out} operations are few");
}

#[tokio::test]
async fn the_page_tells_every_operation_and_every_shape_without_a_script_or_a_file_from_elsewhere() {
    let house = House::idle().await;
    let answer = house.get("/docs/api").send().await.is(200);
    let (page, document) = (answer.text(), Contract::told().unwrap().document());
    assert_eq!(page.matches("<script").count(), 1, "only the script of all pages");
    assert!(!page.contains("src=\"http") && !page.contains("href=\"http"), "nothing is loaded from elsewhere");
    for (path, methods) in document["paths"].as_object().unwrap() {
        assert!(page.contains(&format!("<code>{path}</code>")), "{path} is not there");
        for operation in methods.as_object().unwrap().values() {
            let anchor = format!("id=\"{}\"", operation["operationId"].as_str().unwrap());
            assert_eq!(page.matches(&anchor).count(), 1, "{anchor}");
        }
    }
    let shapes = document["components"]["schemas"].as_object().unwrap().keys();
    for anchor in shapes.map(|name| format!("id=\"{name}\"")) {
        assert_eq!(page.matches(&anchor).count(), 1, "{anchor}");
    }
    for target in page.split("href=\"#").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        assert!(page.contains(&format!("id=\"{target}\"")), "a link leads to #{target}, which is not there");
    }
}

/// An operation, and a server to carry it out on.
struct Call<'a> {
    house: &'a House,
    path: &'a str,
    method: &'a str,
    operation: &'a Value,
}

impl Call<'_> {
    /// Sends what the document shows, with names of things that there are.
    async fn carry_out(&self) -> Answer {
        let name = self.operation["operationId"].as_str().unwrap();
        let mut body = self.example();
        let mut address = self.path.replace("{subject}", "account").replace("{period}", "month").replace("{seq}", "1");
        address = address.replace("{reversal}", "dp_1");
        match name {
            "getModel" => address = address.replace("{id}", "dall-e-2"),
            "getJob" | "followJob" | "deleteJob" => address = address.replace("{id}", &self.job("a fox", "done").await),
            "cancelJob" => address = address.replace("{id}", &self.job("[stall]", "running").await),
            "getOwnImage" | "deleteImage" => address = address.replace("{id}", &self.image().await),
            "revokeKey" => address = address.replace("{id}", &self.key().await),
            "moveClock" => address = address.replace("{id}", &self.sandbox().await),
            "getImage" => address = self.link().await,
            "giveBack" => body["capture"] = self.charged().await.into(),
            "getOrder" | "invoiceOrder" | "cancelOrder" | "payOrder" => {
                address = address.replace("{order}", &self.order(name, false).await);
            }
            "refundOrder" | "reportReversal" => address = address.replace("{order}", &self.order(name, true).await),
            "listEntries" => address.push_str("?limit=200"),
            "estimate" => address.push_str("?prompts=200&edits=20&plan=free&size=1024x1024"),
            _ => {}
        }
        address = address.replace("{id}", &self.house.account.to_string());
        self.sent(name, &address, body).send().await
    }

    fn sent(&self, name: &str, address: &str, body: Value) -> Ask<'_> {
        let method: Method = self.method.to_ascii_uppercase().parse().unwrap();
        let ask = self.house.ask(method, address);
        let ask = match self.operation["security"][0]["key"][0].as_str() {
            Some("account") => ask.key(&self.house.key),
            Some("service") => ask.key(&self.house.service),
            Some("operator") => ask.key(&self.house.admin),
            _ => ask,
        };
        let parameters = self.operation["parameters"].as_array();
        let keyed = parameters.is_some_and(|all| all.iter().any(|one| one["name"] == "Idempotency-Key"));
        let ask = if keyed { ask.idempotency_key(&format!("example-{name}")) } else { ask };
        match self.operation["requestBody"]["content"].as_object() {
            None => ask,
            Some(contents) if contents.contains_key("application/json") => ask.json(body),
            Some(_) => ask.header("content-type", &form::media_type()).bytes(form::body(&self.form())),
        }
    }

    /// Returns the JSON that the document shows.
    fn example(&self) -> Value {
        self.operation["requestBody"]["content"]["application/json"]["example"].clone()
    }

    /// Returns a form with what it must have.
    fn form(&self) -> Vec<Part<'static>> {
        vec![file("image", &png(&plain(64, 64, &[200, 30, 30]))), field("n", "2")]
    }

    async fn job(&self, prompt: &str, state: &str) -> String {
        let body = json!({"prompt": prompt, "previews": 1, "size": "64x64"});
        let house = self.house;
        let answer = house.post("/api/jobs", body).key(&house.key).idempotency_key(state).send().await;
        assert!(answer.status.is_success(), "{}", answer.text());
        let id = answer.json()["id"].as_str().unwrap().to_owned();
        let path = format!("/api/jobs/{id}");
        house.until(state, async || house.get(&path).key(&house.key).send().await.json()["state"] == state).await;
        id
    }

    async fn image(&self) -> String {
        let answer = self.house.generate(json!({"prompt": "a fox", "size": "256x256"})).await.is(200);
        answer.json()["data"][0]["id"].as_str().unwrap().to_owned()
    }

    async fn key(&self) -> String {
        let ask = self.house.post("/api/keys", json!({"owner": "service"})).key(&self.house.admin);
        ask.send().await.is(201).json()["id"].as_str().unwrap().to_owned()
    }

    async fn sandbox(&self) -> String {
        let body = json!({"name": "sandbox", "sandbox": true});
        self.house.post("/api/accounts", body).key(&self.house.admin).send().await.is(201);
        "sandbox".to_owned()
    }

    /// Returns a link to a picture, without the server's address.
    async fn link(&self) -> String {
        let answer = self.house.generate(json!({"prompt": "a fox", "size": "256x256"})).await.is(200);
        let url = answer.json()["data"][0]["url"].as_str().unwrap().to_owned();
        url.trim_start_matches("http://127.0.0.1:8080").to_owned()
    }

    async fn charged(&self) -> String {
        self.house.charge("example", 1).await.is(201).json()["id"].as_str().unwrap().to_owned()
    }

    /// Places an order as the document shows it, and pays it.
    async fn order(&self, key: &str, paid: bool) -> String {
        let body = json!({"pack": "pack-115", "tax": "3.00 USD"});
        let placed = self.house.change(Method::POST, "orders", &format!("place-{key}"), body).await.is(201);
        let id = placed.json()["order"]["id"].as_str().unwrap().to_owned();
        if paid {
            let path = format!("orders/{id}/pay");
            self.house.change(Method::POST, &path, &format!("pay-{key}"), json!({})).await.is(200);
        }
        id
    }
}
