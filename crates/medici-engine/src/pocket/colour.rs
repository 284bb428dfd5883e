//! Colours by name, and a tint for subjects the model will not colour by itself.

use super::basis::SIDE;

/// A colour of a prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Colour {
    /// As a person would say it.
    pub(super) name: String,
    pub(super) rgb: [u8; 3],
}

/// Names and backdrop colours. The first thirteen are those of the model's training.
const NAMED: [(&str, [u8; 3]); 38] = [
    ("red", [225, 60, 55]),
    ("orange", [250, 150, 60]),
    ("yellow", [253, 220, 90]),
    ("green", [100, 190, 100]),
    ("blue", [90, 150, 235]),
    ("light blue", [175, 215, 250]),
    ("purple", [150, 100, 210]),
    ("pink", [250, 170, 200]),
    ("black", [20, 20, 24]),
    ("gray", [160, 160, 165]),
    ("beige", [240, 225, 200]),
    ("teal", [70, 180, 180]),
    ("white", [255, 255, 255]),
    ("grey", [160, 160, 165]),
    ("brown", [140, 95, 60]),
    ("gold", [232, 185, 60]),
    ("golden", [232, 185, 60]),
    ("silver", [200, 203, 210]),
    ("navy", [30, 45, 95]),
    ("sky blue", [150, 205, 245]),
    ("turquoise", [80, 205, 200]),
    ("cyan", [95, 215, 235]),
    ("mint", [190, 235, 210]),
    ("lavender", [215, 200, 245]),
    ("lilac", [215, 190, 235]),
    ("violet", [140, 90, 215]),
    ("indigo", [75, 70, 170]),
    ("magenta", [220, 70, 170]),
    ("crimson", [190, 30, 55]),
    ("scarlet", [230, 45, 40]),
    ("maroon", [125, 35, 45]),
    ("lime", [165, 220, 70]),
    ("olive green", [125, 130, 60]),
    ("peach", [253, 205, 175]),
    ("salmon", [250, 150, 130]),
    ("cream", [253, 245, 225]),
    ("tan", [210, 180, 140]),
    ("coral pink", [245, 125, 110]),
];

/// Reads a colour from the end of a list of words; also returns how many words it took.
///
/// A shade may stand before the name: light, pale, soft, dark, deep.
pub(super) fn ending(words: &[&str]) -> Option<(Colour, usize)> {
    for taken in [2, 1] {
        let Some(start) = words.len().checked_sub(taken) else { continue };
        let name = words[start..].join(" ");
        if let Some((name, rgb)) = NAMED.iter().find(|(known, _)| *known == name) {
            let shade = start.checked_sub(1).and_then(|at| shaded(words[at], *rgb));
            return Some(match shade {
                Some(rgb) => (Colour { name: format!("{} {name}", words[start - 1]), rgb }, taken + 1),
                None => (Colour { name: (*name).to_owned(), rgb: *rgb }, taken),
            });
        }
    }
    None
}

fn shaded(shade: &str, rgb: [u8; 3]) -> Option<[u8; 3]> {
    let mix = |to: u16, share: u16| {
        rgb.map(|v| u8::try_from((u16::from(v) * (100 - share) + to * share) / 100).expect("a mean of bytes is a byte"))
    };
    match shade {
        "light" | "pale" | "soft" | "pastel" => Some(mix(255, 50)),
        "dark" | "deep" => Some(mix(0, 40)),
        "bright" | "vivid" => Some(rgb),
        _ => None,
    }
}

impl Colour {
    /// Colours a decoded picture (premultiplied RGBA) if it does not show the colour yet.
    ///
    /// What has the subject's main hue changes, with its light and shade; a subject without one changes as a
    /// whole, but for its dark and light details, which are mostly eyes, outlines and highlights. The model
    /// learnt eight colour words too, but mottles two subjects in three.
    pub(super) fn tint(&self, canvas: &[f32]) -> Option<Vec<f32>> {
        assert_eq!(canvas.len(), SIDE * SIDE * 4, "a canvas has one length");
        let target = self.rgb.map(|v| f32::from(v) / 255.0);
        let straight = |p: &[f32]| [p[0] / p[3], p[1] / p[3], p[2] / p[3]];
        let visible = || canvas.chunks(4).filter(|p| p[3] > 0.5).map(straight);
        let (mut all, mut alike) = (0.0_f32, 0.0_f32);
        let mut hues = [0.0_f32; 24];
        for pixel in visible() {
            all += 1.0;
            alike += if looks_like(pixel, target) { 1.0 } else { 0.0 };
            let (hue, saturation, _) = hue(pixel);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a hue is in 0..6")]
            let bin = (hue * 4.0) as usize % hues.len();
            hues[bin] += if saturation > 0.25 { 1.0 } else { 0.0 };
        }
        if all < 1.0 || alike / all > 0.3 {
            return None;
        }
        // The main hue is the middle of the fullest three of 24 neighbouring bins.
        let three = |bin: usize| hues[(bin + 23) % 24] + hues[bin] + hues[(bin + 1) % 24];
        let bin = (0..24_u8).max_by(|a, b| three(usize::from(*a)).total_cmp(&three(usize::from(*b)))).unwrap_or(0);
        let main = (three(usize::from(bin)) / all > 0.25).then(|| (f32::from(bin) + 0.5) / 4.0);
        let share = |pixel: [f32; 3]| {
            let (hue, saturation, _) = hue(pixel);
            match main {
                Some(main) => {
                    let apart = (hue - main).abs();
                    ramp(apart.min(6.0 - apart), 1.0, 0.6) * ramp(saturation, 0.12, 0.3)
                }
                None => ramp(luma(pixel), 0.12, 0.32),
            }
        };
        let (sum, weight) =
            visible().fold((0.0, 0.0), |(sum, weight), p| (sum + luma(p) * share(p), weight + share(p)));
        let mean = (sum / f32::max(weight, 1.0)).max(0.05);
        let mut out = canvas.to_vec();
        for pixel in out.chunks_mut(4).filter(|p| p[3] > 0.02) {
            let (alpha, before) = (pixel[3], straight(pixel));
            let (by, share) = (luma(before) / mean, share(before));
            for c in 0..3 {
                let light = target[c] + (1.0 - target[c]) * ((by - 1.0) * 0.5).min(0.6);
                let tinted = if by <= 1.0 { target[c] * by } else { light };
                pixel[c] = (before[c] + (tinted - before[c]) * share).clamp(0.0, 1.0) * alpha;
            }
        }
        Some(out)
    }
}

/// Rises from 0 at `none` to 1 at `full`, which may be the smaller.
fn ramp(v: f32, none: f32, full: f32) -> f32 {
    ((v - none) / (full - none)).clamp(0.0, 1.0)
}

fn luma(rgb: [f32; 3]) -> f32 {
    0.3 * rgb[0] + 0.59 * rgb[1] + 0.11 * rgb[2]
}

/// Returns whether a person would call both by one colour name: like hue, or like grey of like lightness.
fn looks_like(a: [f32; 3], b: [f32; 3]) -> bool {
    let ((hue_a, sat_a, light_a), (hue_b, sat_b, light_b)) = (hue(a), hue(b));
    if sat_b < 0.2 || light_b < 0.15 {
        return sat_a < 0.3 && (light_a - light_b).abs() < 0.25;
    }
    let apart = (hue_a - hue_b).abs();
    // Brown and gold are dark and plain oranges: their lightness must agree as well.
    (sat_a - sat_b).abs() < 0.4 && apart.min(6.0 - apart) < 0.35 && (light_a - light_b).abs() < 0.35
}

/// Returns hue (0..6), saturation and lightness.
fn hue(rgb: [f32; 3]) -> (f32, f32, f32) {
    let (most, least) = (rgb[0].max(rgb[1]).max(rgb[2]), rgb[0].min(rgb[1]).min(rgb[2]));
    let span = most - least;
    if span < 1e-4 {
        return (0.0, 0.0, most);
    }
    let hue = if most <= rgb[0] {
        (rgb[1] - rgb[2]) / span
    } else if most <= rgb[1] {
        (rgb[2] - rgb[0]) / span + 2.0
    } else {
        (rgb[0] - rgb[1]) / span + 4.0
    };
    (hue.rem_euclid(6.0), span / most, most)
}
