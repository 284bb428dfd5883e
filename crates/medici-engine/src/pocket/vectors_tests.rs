//! Stage by stage against the vectors that the reference inference wrote.

use safetensors::SafeTensors;
use tokenizers::Tokenizer;

use super::basis::{Basis, CANVAS, SIDE, regressed_background};
use super::prior::{BATCH, CONDITION, Prior, TOKENS, Walk};
use super::upscale::{LARGE, Upscaler};
use super::weights::Weights;
use super::{LATENT, MODEL, TOKENIZER};

const VECTORS: &[u8] = include_bytes!("../../tests/data/vectors.safetensors");
const PROMPTS: [&str; 4] = ["red apple", "a purple cactus", "rocket, 3d", ""];

fn vector(name: &str) -> Vec<f32> {
    let file = SafeTensors::deserialize(VECTORS).unwrap();
    let tensor = file.tensor(name).unwrap();
    let words = tensor.data().chunks_exact(4).map(|b| [b[0], b[1], b[2], b[3]]);
    match tensor.dtype() {
        safetensors::Dtype::F32 => words.map(f32::from_le_bytes).collect(),
        #[expect(clippy::cast_precision_loss, reason = "ids are small")]
        safetensors::Dtype::I32 => words.map(|b| i32::from_le_bytes(b) as f32).collect(),
        other => panic!("no vector is {other:?}"),
    }
}

#[track_caller]
fn assert_near(found: &[f32], expected: &[f32], within: f32) {
    assert_eq!(found.len(), expected.len());
    let worst = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst <= within, "off by {worst}, at most {within} allowed");
}

fn weights() -> Weights<'static> {
    Weights::new(MODEL).unwrap()
}

fn pieces() -> Vec<Vec<u32>> {
    let mut tokenizer = Tokenizer::from_bytes(TOKENIZER).unwrap();
    tokenizer.with_padding(None);
    tokenizer.with_truncation(None).unwrap();
    PROMPTS.iter().map(|prompt| tokenizer.encode(*prompt, false).unwrap().get_ids().to_vec()).collect()
}

fn sample(prior: &Prior, guidance: f32, start: Option<(&[f32], f32)>) -> Vec<f32> {
    let conditions: Vec<Vec<f32>> = pieces().iter().map(|p| prior.condition(p)).collect();
    let conditions: [&[f32]; BATCH] = std::array::from_fn(|i| conditions[i].as_slice());
    let null = prior.condition(&[]);
    let mut z = vector("noise");
    let from = start.map_or(0.0, |(_, from)| from);
    if let Some((start, from)) = start {
        z.iter_mut().zip(start).for_each(|(z, start)| *z = from * start + (1.0 - from) * *z);
    }
    let walk = Walk { steps: 12, guidance, early_guidance: guidance };
    for at in 0..walk.steps {
        let clean = prior.predict(&z, [from; BATCH], &conditions, &null, walk, at);
        walk.advance(&mut z, &clean, [from; BATCH], at);
    }
    z
}

#[test]
fn words_become_the_reference_ids_and_mask() {
    let (mut ids, mut mask) = (Vec::new(), Vec::new());
    for pieces in pieces() {
        for at in 0..TOKENS {
            #[expect(clippy::cast_precision_loss, reason = "ids are small")]
            ids.push(pieces.get(at).copied().unwrap_or(0) as f32);
            mask.push(if at < pieces.len() { 1.0 } else { 0.0 });
        }
    }
    assert_near(&ids, &vector("ids"), 0.0);
    assert_near(&mask, &vector("mask"), 0.0);
}

#[test]
fn conditions_agree_with_the_reference() {
    let prior = Prior::new(&weights()).unwrap();
    let found: Vec<f32> = pieces().iter().flat_map(|p| prior.condition(p)).collect();
    assert_eq!(found.len(), 4 * CONDITION);
    assert_near(&found, &vector("text"), 1e-3);
}

#[test]
fn the_first_step_agrees_with_the_reference() {
    let prior = Prior::new(&weights()).unwrap();
    let text = vector("text");
    let conditions: Vec<&[f32]> = text.chunks(CONDITION).collect();
    assert_near(&prior.denoise(&vector("noise"), &[0.0; BATCH], &conditions), &vector("first_step"), 1e-3);
}

#[test]
fn the_walk_from_noise_to_latent_agrees_with_the_reference() {
    let prior = Prior::new(&weights()).unwrap();
    assert_near(&sample(&prior, 2.0, None), &vector("z"), 1e-3);
}

#[test]
fn a_variation_agrees_with_the_reference() {
    let prior = Prior::new(&weights()).unwrap();
    let z = vector("z");
    assert_near(&sample(&prior, 1.5, Some((&z, 0.3))), &vector("varied"), 1e-3);
}

#[test]
fn decoded_latents_agree_with_the_reference() {
    let basis = Basis::new(&weights()).unwrap();
    let z = vector("z");
    let latents: Vec<&[f32]> = z.chunks(LATENT).collect();
    assert_near(&basis.decode(&latents).concat(), &vector("rgba"), 1.0 / 255.0);
    let backgrounds: Vec<f32> = latents.iter().flat_map(|z| regressed_background(z)).collect();
    assert_near(&backgrounds, &vector("background"), 1.0 / 255.0);
}

#[test]
fn encoded_pictures_agree_with_the_reference() {
    let basis = Basis::new(&weights()).unwrap();
    let rgba = vector("rgba");
    let canvases: Vec<&[f32]> = rgba.chunks(CANVAS).collect();
    let found = basis.encode(&canvases).concat();
    assert_near(&found, &vector("encoded"), 1e-3);
}

#[test]
fn enlarged_pictures_agree_with_the_reference() {
    let upscaler = Upscaler::new(&weights()).unwrap();
    let (rgba, background, expected) = (vector("rgba"), vector("background"), vector("rgb"));
    for (i, canvas) in rgba.chunks(CANVAS).enumerate() {
        let behind = &background[3 * i..3 * i + 3];
        let small: Vec<f32> =
            canvas.chunks(4).flat_map(|p| [0, 1, 2].map(|c| (p[c] + (1.0 - p[3]) * behind[c]) * 2.0 - 1.0)).collect();
        assert_eq!(small.len(), SIDE * SIDE * 3);
        let large = upscaler.enlarge(&small);
        // The reference keeps its channels apart.
        let planes: Vec<f32> = (0..3).flat_map(|c| large.iter().skip(c).step_by(3).copied()).collect();
        // In [-1, 1], one step of 255 is 2/255.
        assert_near(&planes, &expected[i * 3 * LARGE * LARGE..(i + 1) * 3 * LARGE * LARGE], 2.0 / 255.0);
    }
}
