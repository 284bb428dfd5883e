//! What a picture request costs besides drawing: authentication, price, hold, claim, capture.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use medici_studio::{
    Output,
    engine::{Background, Given, Size, Spec, Uncontrolled},
};

use super::{
    HttpBench,
    http::bearer,
    load,
    machine::sync_p50,
    measure::{Report, median, median_of, micros},
    server::Server,
    setup::{self, Place},
};
use crate::{
    admin::block_on,
    config::{Config, EngineKind},
    draw,
    http::request,
    machine::{random, stopwatch},
    wiring,
};

/// The size of the measured picture: the smallest there is, so that little is drawn.
const SIDE: u32 = 256;
/// Pictures drawn and stored by hand to know what that takes.
const BY_HAND: usize = 200;

/// Measures one client that asks for one test pattern after the other.
pub(crate) fn run(config: &Config, args: &HttpBench, report: &mut Report) -> Result<()> {
    let place = Place::new(config)?;
    let key = block_on(async {
        let studio = place.studio().await?;
        let account = setup::accounts(&studio, "bench", 1).await?[0];
        setup::account_key(&studio, account).await
    })?;
    let server = Server::start(place.path(), &["--engine", "test-pattern"])?;
    let (mut whole, mut drawn, mut sync, mut overhead) = (vec![], vec![], vec![], vec![]);
    for _ in 0..args.repeat {
        let disk = micros(sync_p50(place.path(), 200)?);
        let hand = micros(by_hand(&place)?);
        let key = bearer(&key);
        let body = serde_json::json!({ "prompt": "a red fox", "n": 1, "size": format!("{SIDE}x{SIDE}") }).to_string();
        let measured = Duration::from_secs_f64(args.seconds);
        let asked = load::run(server.address, 1, measured / 4, measured, move |_| {
            request("POST", "/v1/images/generations", &[("authorization", &key)], Some(body.as_bytes()))
        })?;
        let asked = micros(asked.p50);
        overhead.push(asked - hand - 3.0 * disk);
        whole.push(asked);
        drawn.push(hand);
        sync.push(disk);
    }
    report.figure("picture request p50, 1 client, test pattern", median_of(whole), "us");
    report.figure("of which drawing, encoding and the blob, done by hand", median_of(drawn), "us");
    report.figure("sync p50 beside it", median_of(sync), "us");
    report.at_most("picture request without drawing and 3 syncs, p50", median_of(overhead) / 1000.0, 2.0, "ms");
    Ok(())
}

/// Returns the median time of drawing, encoding and storing one such picture without a server.
fn by_hand(place: &Place) -> Result<Duration> {
    let engine = wiring::engine(EngineKind::TestPattern)?;
    let encoder = wiring::encoder();
    let blobs = Arc::new(wiring::blobs(&place.path().join("by-hand"))?);
    let previews = medici_studio::Limits::default().previews;
    block_on(async move {
        let mut samples = Vec::with_capacity(BY_HAND);
        for _ in 0..BY_HAND {
            let spec = Spec {
                prompt: "a red fox".to_owned(),
                count: 1,
                size: Size::square(SIDE),
                seed: u64::from_le_bytes(random()),
                background: Background::Auto,
                steps: None,
                previews,
                readings: Vec::new(),
            };
            let begun = stopwatch();
            let pictures = engine.run(&spec, &Given::Words, &Uncontrolled)?;
            for picture in pictures {
                let provenance = draw::provenance(&*engine, &spec, &picture);
                let file = encoder.encode(&picture.pixels, Output::default(), &provenance);
                medici_studio::BlobStore::put(&*blobs, file).await?;
            }
            samples.push(begun.elapsed());
        }
        Ok(median(&mut samples))
    })
}
