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

/// Colour words the model learnt for subjects, with others that come to the same.
const LEARNT: [(&str, &str); 19] = [
    ("red", "red"),
    ("crimson", "red"),
    ("scarlet", "red"),
    ("orange", "orange"),
    ("yellow", "yellow"),
    ("green", "green"),
    ("lime", "green"),
    ("teal", "teal"),
    ("turquoise", "teal"),
    ("cyan", "teal"),
    ("blue", "blue"),
    ("light blue", "blue"),
    ("sky blue", "blue"),
    ("navy", "blue"),
    ("indigo", "blue"),
    ("purple", "purple"),
    ("violet", "purple"),
    ("pink", "pink"),
    ("magenta", "pink"),
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
    /// Returns the word the model learnt for this colour on a subject, if it did.
    pub(super) fn learnt(&self) -> Option<&'static str> {
        let plain = self.name.rsplit(' ').next().expect("a split has a last part");
        let found = LEARNT
            .iter()
            .find(|(name, _)| *name == self.name)
            .or_else(|| LEARNT.iter().find(|(name, _)| *name == plain));
        found.map(|(_, learnt)| *learnt)
    }

    /// Colours a decoded picture (premultiplied RGBA) if it does not show the colour yet. Light and shade stay;
    /// so do black and white parts, which are mostly eyes, outlines and highlights.
    pub(super) fn tint(&self, canvas: &[f32]) -> Option<Vec<f32>> {
        assert_eq!(canvas.len(), SIDE * SIDE * 4, "a canvas has one length");
        let target = self.rgb.map(|v| f32::from(v) / 255.0);
        let visible = || canvas.chunks(4).filter(|p| p[3] > 0.5).map(|p| [p[0] / p[3], p[1] / p[3], p[2] / p[3]]);
        let (mut all, mut alike, mut light) = (0.0, 0.0, 0.0);
        for pixel in visible() {
            all += 1.0;
            light += luma(pixel);
            if looks_like(pixel, target) {
                alike += 1.0;
            }
        }
        if all < 1.0 || alike / all > 0.3 {
            return None;
        }
        let mean = (light / all).max(0.05);
        let mut out = canvas.to_vec();
        for pixel in out.chunks_mut(4).filter(|p| p[3] > 0.02) {
            let alpha = pixel[3];
            let straight = [pixel[0] / alpha, pixel[1] / alpha, pixel[2] / alpha];
            let level = luma(straight);
            // Dark details count less the darker they are; the same for white ones on a subject that is not.
            let detail = ((level - 0.12) / 0.2).clamp(0.0, 1.0);
            let by = level / mean;
            for c in 0..3 {
                let tinted = if by <= 1.0 {
                    target[c] * by
                } else {
                    target[c] + (1.0 - target[c]) * ((by - 1.0) * 0.5).min(0.6)
                };
                pixel[c] = (straight[c] + (tinted - straight[c]) * detail).clamp(0.0, 1.0) * alpha;
            }
        }
        Some(out)
    }
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
    sat_a > 0.2 && apart.min(6.0 - apart) < 0.6 && (light_a - light_b).abs() < 0.35
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
