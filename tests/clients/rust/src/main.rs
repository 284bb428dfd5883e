//! async-openai. The protocol is that of `../../drivers/lines.py`.

// The calls that OpenAI has retired are what is tested.
#![allow(deprecated)]

use std::time::Duration;

use async_openai::{
    Client,
    config::OpenAIConfig,
    error::OpenAIError,
    middleware::{ReqwestService, retry::OpenAIRetryLayer},
    types::images::{CreateImageRequest, ImageModel},
};
use futures::{Stream, StreamExt};
use serde_json::{Map, Value, from_value, json, to_value};

mod form;

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime starts");
    let clients = Clients::default();
    let mut answers = Vec::new();
    for line in std::io::stdin().lines() {
        let line = line.expect("commands are UTF-8");
        let command: Value = serde_json::from_str(&line).expect("a command is JSON");
        let id = command["id"].clone();
        let answer = runtime.spawn(answer(clients.clone(), command));
        answers.push(runtime.spawn(async move {
            let mut told = answer
                .await
                .unwrap_or_else(|panic| Map::from_iter([("broken".to_owned(), Value::from(panic.to_string()))]));
            told.insert("id".to_owned(), id);
            println!("{}", Value::Object(told));
        }));
    }
    runtime.block_on(futures::future::join_all(answers));
}

/// The connections of all commands without a timeout of their own.
#[derive(Clone, Default)]
struct Clients(reqwest::Client);

impl Clients {
    fn client(&self, command: &Value) -> Client<OpenAIConfig> {
        let mut config = OpenAIConfig::new().with_api_base(text(&command["base_url"]));
        config = match command["key"].as_str() {
            Some(key) => config.with_api_key(key),
            None => config.with_header(reqwest::header::AUTHORIZATION, "").expect("no text is a header"),
        };
        for (name, value) in command["headers"].as_object().expect("headers are an object") {
            let name = reqwest::header::HeaderName::try_from(name).expect("a name of a header");
            config = config.with_header(name, text(value)).expect("a value of a header");
        }
        let http = match command["timeout"].as_f64() {
            Some(seconds) => reqwest::Client::builder().timeout(Duration::from_secs_f64(seconds)).build(),
            None => Ok(self.0.clone()),
        };
        let http = http.expect("an HTTP client is made");
        let client = Client::build(http.clone(), config);
        match command["retries"].as_u64() {
            Some(retries) => {
                let layer = OpenAIRetryLayer::new(usize::try_from(retries).expect("few retries"));
                let service = tower::ServiceBuilder::new().layer(layer).service(ReqwestService::new(http));
                client.with_http_service(service)
            }
            None => client,
        }
    }
}

async fn answer(clients: Clients, command: Value) -> Map<String, Value> {
    let mut told = Map::new();
    if let Err(error) = call(&clients.client(&command), &command, &mut told).await {
        told.insert("error".to_owned(), of(&error));
    }
    told
}

async fn call(
    client: &Client<OpenAIConfig>,
    command: &Value,
    told: &mut Map<String, Value>,
) -> Result<(), OpenAIError> {
    let images = client.images();
    let stream = command["arguments"]["stream"] == true;
    let reply = match (text(&command["verb"]), stream) {
        ("models", _) => {
            let models = client.models().list().await?.data;
            told.insert("models".to_owned(), models.into_iter().map(|model| Value::from(model.id)).collect());
            return Ok(());
        }
        ("generate", false) => images.generate(generation(command)).await?,
        ("generate", true) => return events(images.generate_stream(generation(command)).await?, told).await,
        ("edit", false) => images.edit(form::edit(command)).await?,
        ("edit", true) => return events(images.edit_stream(form::edit(command)).await?, told).await,
        ("vary", _) => images.create_variation(form::variation(command)).await?,
        (verb, _) => panic!("there is no verb {verb}"),
    };
    told.insert("reply".to_owned(), to_value(reply).expect("a reply makes JSON"));
    Ok(())
}

/// Reads a request as this client's own type has it: a model is always there.
fn generation(command: &Value) -> CreateImageRequest {
    let mut arguments = command["arguments"].clone();
    if arguments["model"].is_null() {
        arguments["model"] = to_value(ImageModel::default()).expect("a model makes JSON");
    }
    from_value(arguments).expect("arguments that this client has")
}

async fn events<E: serde::Serialize>(
    mut stream: impl Stream<Item = Result<E, OpenAIError>> + Unpin,
    told: &mut Map<String, Value>,
) -> Result<(), OpenAIError> {
    let mut events = Vec::new();
    let mut failure = None;
    while let Some(event) = stream.next().await {
        match event {
            Ok(event) => events.push(to_value(event).expect("an event makes JSON")),
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    told.insert("events".to_owned(), events.into());
    failure.map_or(Ok(()), Err)
}

fn of(error: &OpenAIError) -> Value {
    match error {
        OpenAIError::ApiError(answer) => {
            let told = &answer.api_error;
            json!({
                "class": "ApiError", "status": answer.status_code.as_u16(), "message": told.message,
                "type": told.r#type, "code": told.code, "param": told.param,
            })
        }
        OpenAIError::JSONDeserialize(_, content) => {
            json!({ "class": "JSONDeserialize", "status": null, "message": content })
        }
        OpenAIError::Reqwest(error) if error.is_timeout() => {
            json!({ "class": "Reqwest(timeout)", "status": null, "message": error.to_string() })
        }
        OpenAIError::Reqwest(error) => json!({ "class": "Reqwest", "status": null, "message": error.to_string() }),
        other => json!({ "class": "other", "status": null, "message": other.to_string() }),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}
