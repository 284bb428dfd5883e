//! Pictures from words, and from what a variation starts from: plans to latents to scenes to pixels.

use std::collections::HashMap;

use medici_studio::engine::{Background, Control, EngineError, Picture, Pixels, Size, Spec};

use super::noise::{Chance, Stream};
use super::paint::{self, PREVIEW_SIDE, Sheet};
use super::prompt::{self, Wish};
use super::reading::{self, Reading};
use super::resize::resized;
use super::scene::{self, Scene};
use super::walk::{Look, Start};
use super::{LATENT, Pocket, spread};

/// One picture to draw.
pub(super) struct Plan {
    pub(super) reading: Reading,
    /// What it is to be like; a picture from words alone has none.
    pub(super) origin: Option<Origin>,
}

/// The latents that a picture's layers start from.
pub(super) struct Origin {
    /// A layer beyond them starts from noise.
    pub(super) layers: Vec<Vec<f32>>,
    /// How much of them is kept, from 0 to 1; the rest is noise.
    pub(super) kept: f32,
}

impl Pocket {
    pub(super) fn generate(&self, spec: &Spec, control: &dyn Control) -> Result<Vec<Picture>, EngineError> {
        let plans = (0..).zip(self.wishes(spec)).map(|(index, wish)| {
            let transparent = match spec.background {
                Background::Transparent => true,
                Background::Opaque => false,
                Background::Auto => wish.transparent,
            };
            Plan { reading: reading::take(&wish, &self.names, spec.seed, index, transparent), origin: None }
        });
        self.draw(spec, plans.collect(), control)
    }

    /// Returns what each picture is asked to show: its own reading, or else the prompt.
    pub(super) fn wishes(&self, spec: &Spec) -> Vec<Wish> {
        let read = |words: &str| prompt::read(words, &self.names, &self.prior);
        if spec.readings.is_empty() {
            let wish = read(&spec.prompt);
            (0..spec.count).map(|_| wish.clone()).collect()
        } else {
            spec.readings.iter().map(|words| read(words)).collect()
        }
    }

    /// Draws what was planned, a picture a plan.
    pub(super) fn draw(
        &self,
        spec: &Spec,
        plans: Vec<Plan>,
        control: &dyn Control,
    ) -> Result<Vec<Picture>, EngineError> {
        let conditions = self.conditions(plans.iter().flat_map(|plan| &plan.reading.captions));
        let mut starts = Vec::new();
        for (picture, plan) in (0..).zip(&plans) {
            let kept = plan.origin.as_ref().map_or(0.0, |origin| origin.kept);
            let mut layers = plan.origin.iter().flat_map(|origin| &origin.layers);
            for (layer, caption) in (0..).zip(&plan.reading.captions) {
                let noise = Chance::new(spec.seed, Stream::Noise { picture, layer }).normal(LATENT);
                let condition = &conditions[caption];
                starts.push(match layers.next() {
                    Some(like) => Start::near(like, kept, &noise, condition),
                    None => Start { z: noise, from: 0.0, condition, held: None },
                });
            }
        }
        let readings: Vec<&Reading> = plans.iter().map(|plan| &plan.reading).collect();
        let backdrops: Vec<_> =
            readings.iter().map(|reading| (!reading.transparent).then_some(reading.backdrop)).collect();
        let latents = self.walk(spec, &starts, control, |look, clean| {
            let sheets = self.sheets(&self.scenes(&readings, clean), Some(look));
            let side = look.side().unwrap_or(PREVIEW_SIDE);
            for (index, pixels) in (0..).zip(on_backdrops(&sheets, &backdrops, Size::square(side))) {
                control.preview(index, resized(&pixels, Size::square(PREVIEW_SIDE)));
            }
        })?;
        let scenes = self.scenes(&readings, &latents.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let pixels = on_backdrops(&self.sheets(&scenes, None), &backdrops, spec.size);
        let pictures = (0..).zip(pixels).zip(scenes).zip(plans).map(|(((index, pixels), scene), plan)| Picture {
            index,
            pixels,
            latent: scene.to_bytes(),
            reading: said(spec, index, plan.reading.said),
        });
        Ok(pictures.collect())
    }

    /// Returns the conditions of captions, each made once.
    pub(super) fn conditions<'a>(&self, captions: impl Iterator<Item = &'a String>) -> HashMap<String, Vec<f32>> {
        let mut conditions = HashMap::new();
        for caption in captions {
            if !conditions.contains_key(caption) {
                conditions.insert(caption.clone(), self.prior.condition(&self.names.pieces(caption)));
            }
        }
        conditions
    }

    /// Builds the scenes of readings from one latent a layer.
    pub(super) fn scenes(&self, readings: &[&Reading], latents: &[&[f32]]) -> Vec<Scene> {
        let mut rest = latents;
        let mut scenes = Vec::with_capacity(readings.len());
        for reading in readings {
            let (own, after) = rest.split_at(reading.captions.len());
            rest = after;
            let layers = own.iter().zip(&reading.colours).map(|(z, colour)| {
                let tinted = colour.as_ref().and_then(|colour| colour.tint(&self.basis.decode(&[z])[0]));
                // The tint is part of the latent from here on, so the stored one shows it too.
                tinted.map_or_else(|| scene::rounded(z), |canvas| scene::rounded(&self.basis.encode(&[&canvas])[0]))
            });
            scenes.push(Scene {
                layers: layers.collect(),
                arrangement: reading.arrangement,
                mirrored: reading.mirrored,
                backdrop: reading.backdrop,
            });
        }
        scenes
    }

    /// Paints scenes on a few threads: for an early look as sketches where that will do, else at full size.
    pub(super) fn sheets(&self, scenes: &[Scene], look: Option<Look>) -> Vec<Sheet> {
        let sketched = look.is_some_and(|look| look.side().is_some());
        let canvases = paint::decoded(&self.basis, scenes);
        let mut painted: Vec<_> = scenes.iter().zip(&canvases).map(|(scene, own)| (scene, own, None)).collect();
        spread(&mut painted, |(scene, canvases, sheet)| {
            *sheet = Some(if sketched {
                paint::sketch(scene, canvases)
            } else {
                paint::paint(&self.upscaler, scene, canvases)
            });
        });
        painted.into_iter().map(|(_, _, sheet)| sheet.expect("every scene was painted")).collect()
    }
}

/// Puts sheets on their backdrops, or on none, at a size.
pub(super) fn on_backdrops(sheets: &[Sheet], backdrops: &[Option<[u8; 3]>], size: Size) -> Vec<Pixels> {
    let mut drawn: Vec<_> = sheets.iter().zip(backdrops).map(|(sheet, backdrop)| (sheet, *backdrop, None)).collect();
    spread(&mut drawn, |(sheet, backdrop, pixels)| *pixels = Some(sheet.pixels(*backdrop, size)));
    drawn.into_iter().map(|(_, _, pixels)| pixels.expect("every sheet was put")).collect()
}

/// Returns what a picture's reading says: the one that was asked for, and what it left to the engine.
pub(super) fn said(spec: &Spec, index: u32, chosen: Option<String>) -> Option<String> {
    let index = usize::try_from(index).expect("32 bits fit a usize");
    match (spec.readings.get(index), chosen) {
        (Some(asked), Some(chosen)) => Some(format!("{}, {chosen}", asked.trim())),
        (Some(asked), None) => Some(asked.trim().to_owned()),
        (None, chosen) => chosen,
    }
}
