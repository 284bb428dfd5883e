//! The pages, as plain forms and links: what they cost, what they say, what they keep to themselves.

use std::time::Duration;

use axum::http::Method;
use medici_studio::JobId;

use crate::house::{Answer, House};

/// A house, and the browser of its owner.
struct Visit {
    house: House,
    cookie: String,
}

impl Visit {
    async fn begin(house: House) -> Self {
        let printed = house.get("/?token=one-time-token").send().await.is(303);
        let cookie = printed.head("set-cookie").split(';').next().unwrap().to_owned();
        Self { house, cookie }
    }

    async fn get(&self, path: &str) -> Answer {
        self.house.get(path).header("cookie", &self.cookie).header("accept", "text/html").send().await
    }

    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let ask = self.house.ask(Method::POST, path).header("cookie", &self.cookie);
        let ask = ask.header("origin", "http://127.0.0.1:8080");
        ask.header("content-type", "application/x-www-form-urlencoded").bytes(encoded(fields)).send().await
    }

    /// Asks for one small picture, and returns the path of the job's page.
    async fn create(&self, prompt: &str, key: &str) -> String {
        let answer = self.post("/create", &fields(prompt, key)).await.is(303);
        answer.head("location").to_owned()
    }

    /// Waits until a job has ended, and returns its page.
    async fn ended(&self, path: &str) -> String {
        let id: JobId = path.strip_prefix("/jobs/").unwrap().parse().unwrap();
        self.house.studio().finished(id).await.unwrap().unwrap();
        self.get(path).await.is(200).text().to_owned()
    }
}

fn fields<'a>(prompt: &'a str, key: &'a str) -> [(&'a str, &'a str); 4] {
    [("prompt", prompt), ("key", key), ("size", "256x256"), ("count", "1")]
}

fn encoded(fields: &[(&str, &str)]) -> String {
    let escape = |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
    fields.iter().map(|(name, value)| format!("{name}={}", escape(value))).collect::<Vec<_>>().join("&")
}

/// Returns the values of the lines of an event stream that begin with `field`.
fn lines<'a>(stream: &'a str, field: &str) -> Vec<&'a str> {
    stream.lines().filter_map(|line| line.strip_prefix(field)?.strip_prefix(": ")).collect()
}

#[tokio::test]
async fn a_page_shows_what_people_write_and_does_not_run_it() {
    let visit = Visit::begin(House::idle().await).await;
    let job = visit.create("<script>alert(1)</script>\"'&", "a").await;
    for path in ["/", &job, &format!("/?again={}", job.strip_prefix("/jobs/").unwrap())] {
        let page = visit.get(path).await.is(200);
        assert!(!page.text().contains("<script>"), "{path}");
        assert!(page.text().contains("&#60;script&#62;alert(1)&#60;/script&#62;&#34;&#39;&#38;"), "{path}");
        assert!(page.head("content-security-policy").starts_with("default-src 'self'; script-src 'self'; img-src"));
        assert_eq!((page.head("cache-control"), page.head("x-content-type-options")), ("no-store", "nosniff"));
    }
}

#[tokio::test]
async fn a_form_sent_twice_costs_once_and_other_words_are_another_request() {
    let visit = Visit::begin(House::idle().await).await;
    let first = visit.create("a red fox", "one rendering").await;
    assert_eq!(visit.create("a red fox", "one rendering").await, first);
    assert_eq!(visit.house.available(), "14");
    // Somebody who went back has the form of before, key and all.
    assert_ne!(visit.create("a blue fox", "one rendering").await, first);
    assert_ne!(visit.create("a red fox", "another rendering").await, first);
    assert_eq!(visit.house.available(), "12");
}

#[tokio::test]
async fn a_request_that_is_refused_costs_nothing_and_keeps_its_words() {
    let visit = Visit::begin(House::idle().await).await;
    let limit = visit.house.studio().engine.capabilities().prompt_chars_max;
    let long = "x".repeat(limit + 1);
    for (name, value, words) in [
        ("prompt", " \r\n ", "Write what you would like to see."),
        ("prompt", &*long, "Nothing was cut"),
        ("size", "1x1", "is not a size"),
        ("count", "0", "Choose 1 to 4"),
        ("count", "5", "Choose 1 to 4"),
        ("count", "all", "Choose 1 to 4"),
        ("seed", "-1", "A seed is a whole number"),
        ("seed", "18446744073709551616", "A seed is a whole number"),
    ] {
        let mut fields = fields("three apples & a pear", "a").to_vec();
        fields.retain(|(field, _)| *field != name);
        fields.push((name, value));
        let page = visit.post("/create", &fields).await.is(422);
        assert!(page.text().contains(words), "{name} {value}");
        assert!(name == "prompt" || page.text().contains("three apples &#38; a pear"), "{name} {value}");
    }
    visit.house.spend_all().await;
    let page = visit.post("/create", &fields("three apples", "a")).await.is(402);
    assert!(page.text().contains("You have no credits left. 15 more on 22 Dec. Your words are kept."));
    assert!(page.text().contains(">three apples</textarea>"));
    assert!(page.text().contains(" disabled>Generate · 1 credit"));
    let unreadable = visit.house.ask(Method::POST, "/create").header("cookie", &visit.cookie);
    let unreadable = unreadable.header("origin", "http://127.0.0.1:8080").bytes("prompt").send().await.is(400);
    assert!(unreadable.text().contains("could not be read"));
    assert_eq!(visit.house.studio().store.queued(), 0);
}

#[tokio::test]
async fn a_failed_job_says_why_and_that_it_cost_nothing() {
    let visit = Visit::begin(House::open().await).await;
    let page = visit.ended(&visit.create("a fox [fail]", "a").await).await;
    assert!(page.contains("The model broke off while it drew this."), "{page}");
    assert!(page.contains("No credit was used") && page.contains("Try again · 1 credit"));
    assert_eq!(visit.house.available(), "15");
}

#[tokio::test]
async fn cancelling_gives_the_credit_back_once_and_only_to_the_owner() {
    let visit = Visit::begin(House::idle().await).await;
    let job = visit.create("a red fox", "a").await;
    assert!(visit.get(&job).await.text().contains("Next in line"));
    for _ in 0..2 {
        let answer = visit.post(&format!("{job}/cancel"), &[]).await.is(303);
        assert_eq!(answer.head("location"), job);
        assert_eq!(visit.house.available(), "15");
    }
    assert!(visit.get("/").await.text().contains("Credit returned"));

    let (_, key) = visit.house.neighbour().await;
    let body = serde_json::json!({"prompt": "a secret fox", "size": "256x256", "n": 1});
    let theirs = async {
        let ask = visit.house.post(crate::house::GENERATIONS, body).key(&key);
        tokio::time::timeout(Duration::from_millis(300), ask.send()).await.unwrap_err();
    };
    theirs.await;
    let job = visit.house.studio().store.candidate().unwrap().job;
    for path in [format!("/jobs/{job}"), format!("/jobs/{job}/events"), format!("/jobs/{job}/card"), "/jobs/x".into()] {
        assert!(!visit.get(&path).await.is(404).text().contains("secret"), "{path}");
    }
    visit.post(&format!("/jobs/{job}/cancel"), &[]).await.is(404);
    assert!(!visit.get(&format!("/?again={job}")).await.is(200).text().contains("secret"));
}

#[tokio::test]
async fn a_picture_is_its_owners_and_can_be_saved_under_a_name() {
    let visit = Visit::begin(House::open().await).await;
    let job = visit.create("A Red Fox!", "a").await;
    let page = visit.ended(&job).await;
    assert!(page.contains("1 credit charged") && page.contains("alt=\"A Red Fox!, image 1 of 1\""), "{page}");
    let image = visit.get(&format!("{job}/images/1")).await.is(200);
    assert_eq!(image.head("content-type"), "image/png");
    assert!(image.body.starts_with(b"\x89PNG") && image.head("content-disposition").starts_with("inline"));
    let saved = visit.get(&format!("{job}/images/1?download")).await.is(200);
    assert!(saved.head("content-disposition").starts_with("attachment; filename=\"a-red-fox-"));
    for number in ["0", "2", "4294967295"] {
        visit.get(&format!("{job}/images/{number}")).await.is(404);
    }
    visit.house.get(&format!("{job}/images/1")).send().await.is(401);
}

#[tokio::test]
async fn the_news_of_a_job_is_its_previews_and_its_end() {
    let visit = Visit::begin(House::open().await).await;
    let fields = [("prompt", "a fox [slow 20ms]"), ("key", "a"), ("size", "256x256"), ("count", "4")];
    let job = visit.post("/create", &fields).await.is(303).head("location").to_owned();
    let news = visit.get(&format!("{job}/events")).await.is(200);
    assert_eq!(news.head("content-type"), "text/event-stream");
    assert!(news.head("cache-control").contains("no-transform"));
    let stream = news.text();
    assert_eq!(lines(stream, "retry"), ["2000"]);
    assert_eq!((lines(stream, "event").last(), lines(stream, "id").last()), (Some(&"ended"), Some(&"end")));
    for image in 1..=4 {
        let begins = format!(r#"{{"image":{image},"number":"#);
        let numbers = lines(stream, "data").into_iter().filter_map(|data| data.strip_prefix(&*begins)?.get(..1));
        assert_eq!(numbers.collect::<String>(), "1234", "every preview of image {image}, in order");
    }
    // A browser that has heard of the end is told not to come back; one that has not is told of it.
    let again = visit.house.get(&format!("{job}/events")).header("cookie", &visit.cookie);
    again.header("last-event-id", "end").send().await.is(204);
    let late = visit.get(&format!("{job}/events")).await.is(200);
    assert_eq!(lines(late.text(), "event"), ["ended"]);
}

#[tokio::test]
async fn a_browser_that_comes_back_gets_only_the_previews_it_has_missed() {
    let visit = Visit::begin(House::open().await).await;
    let job = visit.create("a fox [stall]", "a").await;
    let card = format!("{job}/card");
    // The engine stops after one preview and waits to be cancelled.
    let seen = async || visit.get(&card).await.text().contains("data-number=\"1\"");
    visit.house.until("a preview is there", seen).await;
    let events = format!("{job}/events");
    let news = |last: &str| {
        let ask = visit.house.get(&events).header("cookie", &visit.cookie);
        ask.header("last-event-id", last).send()
    };
    let cancel = format!("{job}/cancel");
    let (knows_it, missed_it, _) = tokio::join!(news("1"), news("0"), visit.post(&cancel, &[]));
    // Whether the state is told once more depends on which of the two is quicker: the news or the end.
    let told = |answer: &Answer| -> Vec<(String, String)> {
        let named = lines(answer.text(), "event").into_iter().zip(lines(answer.text(), "id"));
        named.filter(|(event, _)| *event != "state").map(|(event, id)| (event.to_owned(), id.to_owned())).collect()
    };
    let (knows_it, missed_it) = (knows_it.is(200), missed_it.is(200));
    let pair = |event: &str, id: &str| (event.to_owned(), id.to_owned());
    assert_eq!(told(&knows_it), [pair("ended", "end")]);
    assert_eq!(told(&missed_it), [pair("preview", "1"), pair("ended", "end")]);
    assert_eq!(lines(missed_it.text(), "data").last(), Some(&r#"{"state":"cancelled"}"#));
}

#[tokio::test]
async fn history_goes_back_page_by_page() {
    let visit = Visit::begin(House::idle().await).await;
    for number in 0..21 {
        let job = visit.create(&format!("fox number {number}."), &number.to_string()).await;
        visit.post(&format!("{job}/cancel"), &[]).await.is(303);
        visit.house.clock.advance(Duration::from_secs(3 * 3600));
    }
    let first = visit.get("/").await.is(200);
    assert_eq!(first.text().matches("<article").count(), 20);
    assert!(first.text().contains("fox number 20.") && !first.text().contains("fox number 0."));
    assert!(first.text().contains(">Today<") && first.text().contains(">Yesterday<"));
    let older = first.text().split("href=\"/?before=").nth(1).unwrap().split(['"', '#']).next().unwrap();
    let second = visit.get(&format!("/?before={older}")).await.is(200);
    assert_eq!(second.text().matches("<article").count(), 1);
    assert!(second.text().contains("fox number 0.") && second.text().contains("Sunday 22 November 2026"));
    assert!(!second.text().contains("/?before="));
}

#[tokio::test]
async fn who_is_lost_gets_a_page_and_a_program_gets_its_dialect() {
    let house = House::idle().await;
    let page = house.get("/no/such/page").header("accept", "text/html").send().await.is(404);
    assert!(page.text().contains("There is nothing here") && page.head("content-type").starts_with("text/html"));
    house.get("/no/such/page").send().await.problem(404, "unknown_url");
    house.get("/v1/no/such").header("accept", "text/html").send().await.is(404).json();
    let closed = house.get("/").header("accept", "text/html").send().await.is(401);
    assert!(closed.text().contains("open the URL that the server printed"));
}

#[tokio::test]
async fn the_prices_page_says_what_is_was_and_comes_and_what_changed() {
    let visit = Visit::begin(House::idle().await).await;
    let body = serde_json::json!({ "book": crate::prices::DECEMBER, "reason": "<b>edits</b> are dearer to draw" });
    visit.house.post("/api/prices", body).key(&visit.house.admin).send().await.is(201);

    let page = visit.get("/prices").await.is(200).text().to_owned();
    let places: Vec<usize> = ["From 1 Dec", "In force", " until "].map(|words| page.find(words).expect(words)).into();
    assert!(places.is_sorted(), "what comes stands above what is, and that above what was");
    assert!(page.contains("2 credits for up to 3 pictures <small>before: 1 credit for up to 3 pictures</small>"));
    assert!(page.contains("&#60;b&#62;edits&#60;/b&#62; are dearer to draw"));
    assert!(visit.get("/").await.is(200).text().contains("href=\"/prices\""));
}
