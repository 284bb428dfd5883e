//! Image files, probes, and the document itself.

use super::{
    operation::{Operation, Tag},
    schema::{any, count, file, object, pattern, text, words},
};

pub(super) fn operations() -> Vec<Operation> {
    vec![image(), lives(), ready(), document()]
}

fn image() -> Operation {
    let name = pattern("^img_[0-9a-f]{32}\\.(png|jpg|webp)$", "img_01943f7aa2317b5e9c8d7f6e5a4b3c21.png");
    let signature = pattern("^[A-Za-z0-9_-]{43}$", "Zm9yIHRoaXMgZG9jdW1lbnQgbm8gc2lnbmF0dXJlIGlz")
        .about("Proves that the link was made here.");
    Operation::get("/images/{file}", Tag::Server, "getImage", "An image's file")
        .about("Replies carry such links ready-made: the signature is the key, and each works for 60 minutes.")
        .segment("file", name.about("The image's id and its kind of file."))
        .needed_query("expires", count(1_795_719_600).about("When the link ends, in seconds since 1970."))
        .needed_query("signature", signature)
        .header(
            "If-None-Match",
            text("\"5f1c4a9be0d37c21aa4e90b3ce8813d64c0cf7a6f1b8b2f0d9e1c7a35b2604e8\"")
                .about("The `etag` of the file that is there already."),
        )
        .replies_as(200, "The file.", "image/png", file())
        .replies_as(200, "The file.", "image/jpeg", file())
        .replies_as(200, "The file.", "image/webp", file())
        .with_headers(&["etag", "content-disposition"])
        .replies_empty(304, "The file that is there already is it.")
        .with_headers(&["etag"])
        .refuses(403, &["bad_link"])
        .refuses(404, &["not_found"])
        .refuses(410, &["expired_link"])
}

fn lives() -> Operation {
    Operation::get("/healthz", Tag::Server, "lives", "Does the process live")
        .about("Answered under any `Host`.")
        .replies(200, "It does.", object().has("status", words(&["alive"])))
        .without_store()
}

fn ready() -> Operation {
    let unavailable = object().has("status", words(&["unavailable"])).has("reason", text("the server is stopping"));
    Operation::get("/readyz", Tag::Server, "ready", "Does it take work")
        .about("Answered under any `Host`. What is sent here while it does not may be refused.")
        .replies(200, "It does.", object().has("status", words(&["ready"])))
        .replies(503, "It does not.", unavailable)
        .without_store()
}

fn document() -> Operation {
    Operation::get("/openapi.json", Tag::Server, "getOpenApi", "This document")
        .about("OpenAPI 3.1. `GET /docs/api` is the same for people.")
        .replies(200, "The document.", any())
        .without_store()
}
