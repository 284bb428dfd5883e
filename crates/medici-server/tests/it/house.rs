//! A server to test: one account on the free plan, a key of each kind, and a worker that draws.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Method, Request, StatusCode},
};
use medici_engine::{PictureFiles, TestPattern};
use medici_ledger::{AccountId, Entry};
use medici_server::{AppState, ServerConfig, router};
use medici_store::{DiskBlobs, Embedded, Faults, KeptElsewhere, Options, verify};
use medici_studio::{
    Account, KeyOwner, Limits, Studio, Worker,
    engine::Engine,
    moderation::{Moderator, RuleList},
    prices,
    readings::Senses,
};
use medici_testkit::{ManualClock, SeededIds};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;

use crate::contract::{Contract, Sent};

pub(crate) const GENERATIONS: &str = "/v1/images/generations";

/// A server to test.
pub(crate) struct House {
    pub(crate) state: AppState,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) faults: Faults,
    /// The account `ada`, with fifteen free credits.
    pub(crate) account: AccountId,
    /// The API key of `ada`.
    pub(crate) key: String,
    /// The API key of a service.
    pub(crate) service: String,
    /// The API key of the operator.
    pub(crate) admin: String,
    router: Router,
    drawing: Option<tokio::task::JoinHandle<()>>,
    home: TempDir,
}

/// How a test's server differs.
pub(crate) struct Plan {
    pub(crate) worker: bool,
    pub(crate) config: ServerConfig,
    pub(crate) limits: Limits,
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) moderator: Arc<dyn Moderator>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            worker: true,
            config: ServerConfig::for_tests(),
            limits: Limits::for_tests(),
            engine: Arc::new(TestPattern::default()),
            moderator: Arc::new(RuleList::built_in()),
        }
    }
}

impl House {
    pub(crate) async fn open() -> Self {
        Self::with(Plan::default()).await
    }

    /// Opens a server that accepts jobs and draws none.
    pub(crate) async fn idle() -> Self {
        Self::with(Plan { worker: false, ..Plan::default() }).await
    }

    pub(crate) async fn with(plan: Plan) -> Self {
        let home = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at("2026-11-22T12:00:00Z".parse().unwrap()));
        let prices = Arc::new(prices::parse(&format!("{}{UPSCALE}", prices::DEFAULT)).unwrap());
        let store = Embedded::open(home.path(), clock.clone(), prices.clone(), &Options::for_tests()).unwrap();
        let faults = store.faults();
        let studio = Arc::new(Studio {
            store: Arc::new(store),
            blobs: Arc::new(DiskBlobs::open(home.path()).unwrap()),
            engine: plan.engine,
            encoder: Arc::new(PictureFiles),
            decoder: Arc::new(PictureFiles),
            moderator: plan.moderator,
            planner: Arc::new(Senses::built_in()),
            clock: clock.clone(),
            ids: Arc::new(SeededIds::new(1)),
            limits: plan.limits,
            progress: Default::default(),
            running: Default::default(),
            naming: Default::default(),
        });
        let account = studio.open_account("ada", "free".parse().unwrap()).await.unwrap().id;
        let mut keys = Vec::new();
        for owner in [KeyOwner::Account(account), KeyOwner::Service, KeyOwner::Admin] {
            let (_, secret) = studio.create_api_key(owner, "test").await.unwrap();
            keys.push(secret.expose().to_owned());
        }
        let [key, service, admin] = keys.try_into().unwrap();
        let drawing = plan.worker.then(|| {
            let worker = Worker::new(studio.clone(), "test");
            tokio::spawn(async move { worker.run().await })
        });
        let state = AppState::new(studio, ServerConfig { owner: account, ..plan.config });
        let router = router(state.clone());
        let house = Self { state, clock, faults, account, key, service, admin, router, drawing, home };
        if Contract::told().is_none() {
            Contract::tell(house.get("/openapi.json").send().await.json());
        }
        house
    }

    pub(crate) fn studio(&self) -> &Studio {
        &self.state.studio
    }

    /// Proves that what is stored is what was decided, and that every image has its file.
    #[track_caller]
    pub(crate) fn verify(&self) {
        assert_eq!(verify(self.home.path(), &KeptElsewhere::default()).unwrap().findings, []);
    }

    /// Returns how many files of images there are.
    pub(crate) async fn files(&self) -> usize {
        let mut files = 0;
        for first in 0..=u8::MAX {
            files += self.studio().blobs.shelf(first).await.unwrap().len();
        }
        files
    }

    /// Opens a second account with a key of its own.
    pub(crate) async fn neighbour(&self) -> (Account, String) {
        let account = self.studio().open_account("bob", "free".parse().unwrap()).await.unwrap();
        let (_, secret) = self.studio().create_api_key(KeyOwner::Account(account.id), "test").await.unwrap();
        (account, secret.expose().to_owned())
    }

    /// Begins a request with a good Host header.
    pub(crate) fn ask(&self, method: Method, path: &str) -> Ask<'_> {
        let request = Request::builder().method(method).uri(path).header("host", "127.0.0.1:8080");
        Ask { house: self, request, body: Vec::new() }
    }

    pub(crate) fn get(&self, path: &str) -> Ask<'_> {
        self.ask(Method::GET, path)
    }

    pub(crate) fn put(&self, path: &str, body: Value) -> Ask<'_> {
        self.ask(Method::PUT, path).json(body)
    }

    pub(crate) fn post(&self, path: &str, body: Value) -> Ask<'_> {
        self.ask(Method::POST, path).json(body)
    }

    /// Asks for a change of the account as its operator; `path` goes on after the account.
    pub(crate) async fn change(&self, method: Method, path: &str, key: &str, body: Value) -> Answer {
        let path = format!("/api/accounts/{}/{path}", self.account);
        self.ask(method, &path).json(body).key(&self.admin).idempotency_key(key).send().await
    }

    /// Charges the account for this many batches of four pictures with the service's key.
    pub(crate) async fn charge(&self, key: &str, batches: u32) -> Answer {
        let body = json!({"account": self.account.to_string(), "operation": "generate", "count": 4 * batches});
        self.post("/api/charges", body).key(&self.service).idempotency_key(key).send().await
    }

    /// Asks for pictures with the account's key.
    pub(crate) async fn generate(&self, body: Value) -> Answer {
        self.post(GENERATIONS, body).key(&self.key).send().await
    }

    /// Returns what the account has.
    pub(crate) fn available(&self) -> String {
        self.studio().balances(self.account).unwrap().available.to_string()
    }

    /// Returns the account's entries as a story, oldest first, without the monthly grant and its opening.
    pub(crate) async fn story(&self) -> Vec<String> {
        let page = self.studio().entries(self.account, None, 100).await.unwrap();
        let told = |entry: &Entry| {
            let postings: Vec<String> = entry.postings.iter().map(ToString::to_string).collect();
            format!("{}: {}", entry.fact.name(), postings.join(", "))
        };
        let mut story: Vec<String> = page.entries.iter().map(told).collect();
        story.reverse();
        story.retain(|line| !line.starts_with("opened") && !line.starts_with("granted: issuance:free"));
        story
    }

    /// Spends all credits of the account.
    pub(crate) async fn spend_all(&self) {
        let body = json!({"account": self.account.to_string(), "operation": "generate", "count": 60});
        let answer = self.post("/api/charges", body).key(&self.service).idempotency_key("all").send().await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
        assert_eq!(self.available(), "0");
    }

    /// Charges an account, by its name, for so many pictures.
    pub(crate) async fn charge_pictures(&self, account: &str, count: u32, key: &str) {
        let body = json!({"account": account, "operation": "generate", "count": count});
        self.post("/api/charges", body).key(&self.service).idempotency_key(key).send().await.is(201);
    }

    /// Gives an account a pack of 115 credits for 15.00 USD that ends a year later.
    pub(crate) async fn pack(&self, account: AccountId, key: &str) {
        let body =
            json!({"credits": "115", "class": "paid", "cost": "15.00 USD", "expires_at": "2027-11-22T12:00:00Z"});
        let path = format!("/api/accounts/{account}/grants");
        self.post(&path, body).key(&self.admin).idempotency_key(key).send().await.is(201);
    }

    /// Waits until something that happens in the background is true.
    pub(crate) async fn until(&self, what: &str, mut is_true: impl AsyncFnMut() -> bool) {
        for _ in 0..1_000 {
            if is_true().await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("it never came true that {what}");
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if let Some(drawing) = &self.drawing {
            drawing.abort();
        }
    }
}

/// An operation of another service that is cheap, and more to sell than by default.
const UPSCALE: &str = r#"
[[version]]
effective = 2026-01-01T00:00:00Z

[version.operations]
generate = { credits = "1", included = 4 }
edit     = { credits = "1", included = 3 }
vary     = { credits = "1", included = 3 }
upscale  = { credits = "0.25", included = 1 }
text     = { per_1k = { input = "2", output = "6" } }

[version.plans.free]
monthly = "15"
expires_months = 1

[version.plans.none]
monthly = "0"

[version.plans.large]
monthly = "20"

[version.plans.small]
monthly = "15"
limits = { images_max = 2, jobs_open_max = 1, models = ["dall-e-2"] }

[version.plans.studio]
monthly = "150"
price = "12.00 USD"
rollover = { max = "50", months = 1 }

[[version.packs]]
name = "pack-115"
credits = "115"
price = "15.00 USD"
expires_months = 12

[[version.packs]]
name = "pack-many"
credits = "100"
price = "15.00 USD"
expires_months = 12
tiers = [{ from = 5, price = "14.00 USD" }, { from = 10, price = "12.50 USD" }]
tier_mode = "graduated"

[version.cohorts.beta]
bonus = "50"

[version.cohorts.spring]
bonus = "20"
code = "SPRING-27"

[version.policy]
invoice = true
"#;

/// A request that is being put together.
pub(crate) struct Ask<'a> {
    house: &'a House,
    request: axum::http::request::Builder,
    body: Vec<u8>,
}

impl Ask<'_> {
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    pub(crate) fn key(self, key: &str) -> Self {
        self.header("authorization", &format!("Bearer {key}"))
    }

    pub(crate) fn idempotency_key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    pub(crate) fn json(self, body: Value) -> Self {
        self.header("content-type", "application/json").bytes(body.to_string())
    }

    /// Says another type of the body.
    pub(crate) fn media_type(mut self, media_type: &str) -> Self {
        let headers = self.request.headers_mut().expect("a good request so far");
        headers.insert("content-type", media_type.parse().unwrap());
        self
    }

    pub(crate) fn bytes(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends it. Whatever comes back is held against the server's own description of itself.
    pub(crate) async fn send(self) -> Answer {
        let request = self.request.body(Body::from(self.body.clone())).unwrap();
        let (method, address, headers) =
            (request.method().clone(), request.uri().to_string(), request.headers().clone());
        let response = self.house.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        let answer = Answer { status: parts.status, headers: parts.headers, body: body.into() };
        if let Some(contract) = Contract::told() {
            contract.check(&Sent { method: &method, address: &address, headers: &headers, body: &self.body }, &answer);
        }
        answer
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {:?}", self.text()))
    }

    /// Returns a header, which must be there.
    #[track_caller]
    pub(crate) fn head(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no header {name}: {:?}", self.headers)).to_str().unwrap()
    }

    /// Asserts a status, and says the body where it is another.
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", String::from_utf8_lossy(&self.body));
        self
    }

    /// Asserts an error in OpenAI's shape: all four keys, and these values.
    #[track_caller]
    pub(crate) fn openai_error(self, status: u16, kind: &str, code: Option<&str>, param: Option<&str>) -> String {
        let answer = self.is(status);
        let body = answer.json();
        let error = body["error"].as_object().unwrap_or_else(|| panic!("no error: {body}"));
        let mut keys: Vec<&str> = error.keys().map(String::as_str).collect();
        keys.sort_unstable();
        assert_eq!(keys, ["code", "message", "param", "type"], "{body}");
        assert_eq!(body.as_object().unwrap().len(), 1, "{body}");
        assert_eq!(
            (error["type"].as_str(), error["code"].as_str(), error["param"].as_str()),
            (Some(kind), code, param)
        );
        assert_eq!(answer.head("content-type"), "application/json");
        assert!(answer.head("x-request-id").starts_with("req_"));
        error["message"].as_str().unwrap().to_owned()
    }

    /// Asserts an RFC 9457 problem with this code, and returns its words.
    #[track_caller]
    pub(crate) fn problem(self, status: u16, code: &str) -> String {
        let answer = self.is(status);
        assert_eq!(answer.head("content-type"), "application/problem+json");
        let body = answer.json();
        assert_eq!((body["code"].as_str(), body["status"].as_u64()), (Some(code), Some(u64::from(status))), "{body}");
        assert!(body["type"].is_string() && body["title"].is_string(), "{body}");
        assert!(answer.head("x-request-id").starts_with("req_"));
        body["detail"].as_str().unwrap().to_owned()
    }
}
