//! Variations: pictures like a given one.
//!
//! The picture's latents are mixed with noise and denoised again under its words. Pictures take turns: the first
//! is close: 45 % of the latent is kept, and no look is asked for, which is a look between 3d and flat; the second
//! goes half way and takes the look that the picture does not have; the third is free: it also gets another backdrop
//! and, where nothing on it would read backwards, is mirrored. The model knows few ways to draw one thing: with the
//! look unchanged, noise alone makes three that nobody can tell from the picture.
//!
//! A picture that this engine drew brings its latents along. Any other is cut out of its backdrop, named
//! ([`super::nearest`]) and encoded; its own words win over the name.

use medici_studio::engine::{Background, Control, EngineError, Picture, Pixels, Spec};

use super::cutout::{self, Behind, Cutout};
use super::generate::{Origin, Plan};
use super::names::ConceptId;
use super::prompt::{Style, Subject, Thing, Wish};
use super::reading::{self, Choices, Reading, Said};
use super::scene::{Arrangement, Scene};
use super::{BACKGROUND, Pocket};

/// How much of the latent the close, the middle and the free picture keep.
const KEPT: [f32; 3] = [0.45, 0.35, 0.25];
/// The backdrop of what was cut out of nothing or of a mixed picture.
const WHITE: [u8; 3] = [255; 3];

/// What a variation is to be like.
struct Like {
    scene: Scene,
    /// Whether nothing is behind the picture.
    transparent: bool,
    /// What its layers show, where no words say it; else empty.
    named: Vec<ConceptId>,
}

/// What the layers of a picture show, and in which look.
type Seen = (Vec<Option<ConceptId>>, Style);

impl Pocket {
    pub(super) fn vary(
        &self,
        spec: &Spec,
        source: &Pixels,
        latent: Option<&[u8]>,
        control: &dyn Control,
    ) -> Result<Vec<Picture>, EngineError> {
        let mut wishes = self.wishes(spec);
        let like = self.like(&wishes[0], source, latent, control)?;
        let named = like.named.iter().map(|name| Subject { thing: Thing::Known(vec![*name]), colour: None });
        for wish in wishes.iter_mut().filter(|wish| wish.is_empty()) {
            wish.subjects = named.clone().collect();
        }
        let mut plans: Vec<Plan> = Vec::with_capacity(wishes.len());
        // Most often all pictures have one wish, and looking is a good part of the work.
        let mut before: Option<(&Wish, Seen)> = None;
        for (index, wish) in (0..).zip(&wishes) {
            let seen = match before.take() {
                Some((same, seen)) if same == wish => seen,
                _ => self.seen(wish, &like.scene),
            };
            plans.push(self.variation(spec, wish, &like, &seen, index));
            before = Some((wish, seen));
        }
        self.draw(spec, plans, control)
    }

    /// Finds out what the pictures are to be like.
    fn like(
        &self,
        wish: &Wish,
        source: &Pixels,
        latent: Option<&[u8]>,
        control: &dyn Control,
    ) -> Result<Like, EngineError> {
        let clear = source.alpha && source.bytes.chunks(4).any(|pixel| pixel[3] < 128);
        if let Some(scene) = latent.and_then(|bytes| Scene::from_bytes(bytes).ok()) {
            let mut named = Vec::new();
            if wish.is_empty() {
                for layer in &scene.layers {
                    named.push(self.nearest_to_latent(layer, control)?);
                }
            }
            return Ok(Like { scene, transparent: clear, named });
        }
        let cutout = Cutout::of(cutout::copy(source), |_, _| true);
        let known = wish.subjects.iter().find_map(|subject| match &subject.thing {
            Thing::Known(ids) => Some(ids.as_slice()),
            Thing::Words(_) => None,
        });
        let nearest = self.nearest(&cutout, known.filter(|_| !wish.is_empty()), control)?;
        let (backdrop, transparent) = match cutout.behind {
            Behind::Plain(backdrop) => (backdrop.middle(), false),
            Behind::Nothing => (WHITE, true),
            Behind::Mixed => (WHITE, false),
        };
        let scene = Scene {
            layers: vec![nearest.latent],
            arrangement: Arrangement::Rows,
            mirrored: nearest.mirrored,
            backdrop,
        };
        Ok(Like { scene, transparent, named: if wish.is_empty() { vec![nearest.name] } else { Vec::new() } })
    }

    /// Plans picture `index`: close, middle or free in turn.
    fn variation(&self, spec: &Spec, wish: &Wish, like: &Like, (ids, style): &Seen, index: u32) -> Plan {
        let at = usize::try_from(index).expect("32 bits fit a usize");
        let turn = at % KEPT.len();
        let choices = Choices::of(spec.seed);
        let word = match (wish.style, turn) {
            (Some(style), _) => choices.word(style, at),
            (None, 0) => "",
            (None, _) => choices.word(style.other(), at),
        };
        let label = |id: &Option<ConceptId>| id.map(|id| self.names.concept(id).label.as_str());
        let free = turn == 2;
        let flips = free && wish.mirrored.is_none() && ids.iter().filter_map(label).all(reading::may_mirror);
        let transparent = match spec.background {
            Background::Transparent => true,
            Background::Opaque => false,
            Background::Auto => wish.transparent || like.transparent,
        };
        // Of two offers in a row one is another than the picture's own.
        let own = like.scene.backdrop;
        let offer = [at, at + 1].map(|at| choices.backdrop(at)).into_iter().find(|(_, colour)| *colour != own);
        let (offered, colour) = offer.expect("no colour is offered twice");
        let new_backdrop = free && wish.backdrop.is_none() && !transparent;
        let mut labels: Vec<&str> = like.named.iter().map(|id| self.names.concept(*id).label.as_str()).collect();
        labels.dedup();
        let name = labels.join(" and ");
        let same_layers = like.scene.layers.len() == wish.subjects.len();
        let mirrored = wish.mirrored.unwrap_or(like.scene.mirrored != flips);
        let said = Said {
            name: &name,
            style: if wish.style.is_none() { word } else { "" },
            backdrop: if new_backdrop { offered } else { "" },
            mirrored: mirrored && wish.mirrored.is_none(),
        };
        let layers = || wish.subjects.iter().zip(ids);
        let reading = Reading {
            captions: layers().map(|(subject, id)| reading::caption(subject, *id, &self.names, word)).collect(),
            colours: layers().map(|(subject, id)| reading::wanted_colour(subject, *id, &self.names)).collect(),
            arrangement: if same_layers { like.scene.arrangement } else { wish.arrangement },
            backdrop: match &wish.backdrop {
                Some(colour) => colour.rgb,
                None if new_backdrop => colour,
                None => like.scene.backdrop,
            },
            mirrored,
            transparent,
            said: said.text(),
        };
        Plan { reading, origin: Some(Origin { layers: like.scene.layers.clone(), kept: KEPT[turn] }) }
    }

    /// Returns which sense of each subject, and which look, the layers of a scene are nearest to.
    fn seen(&self, wish: &Wish, scene: &Scene) -> Seen {
        let mut votes = [0_usize; 2];
        let mut ids = Vec::with_capacity(wish.subjects.len());
        for (at, subject) in wish.subjects.iter().enumerate() {
            let senses: Vec<Option<ConceptId>> = match &subject.thing {
                Thing::Known(ids) => ids.iter().copied().map(Some).collect(),
                Thing::Words(_) => vec![None],
            };
            let Some(layer) = scene.layers.get(at) else {
                ids.push(senses[0]);
                continue;
            };
            let looks = [Style::Solid, Style::Flat].map(|style| (style, Choices::of(0).word(style, 0)));
            let captions: Vec<String> = senses
                .iter()
                .flat_map(|id| looks.map(|(_, word)| reading::caption(subject, *id, &self.names, word)))
                .collect();
            let predicted = self.predicted(&captions.iter().map(String::as_str).collect::<Vec<_>>());
            let apart = |latent: &[f32]| -> f32 {
                latent[..BACKGROUND].iter().zip(layer).map(|(a, b)| (a - b) * (a - b)).sum()
            };
            let best = (0..predicted.len()).min_by(|a, b| apart(&predicted[*a]).total_cmp(&apart(&predicted[*b])));
            let best = best.expect("a subject has a sense");
            ids.push(senses[best / 2]);
            votes[best % 2] += 1;
        }
        (ids, if votes[1] > votes[0] { Style::Flat } else { Style::Solid })
    }
}
