//! The test engine's pictures: eight bars, over what is given.

use medici_studio::engine::{Background, Given, Mask, Pixels, Size, Spec};

const BARS: u32 = 8;

/// How far a picture is: `at` of `of` steps. The earlier, the greyer, so each preview is nearer to the picture.
#[derive(Clone, Copy)]
pub(super) struct Progress {
    pub(super) at: u32,
    pub(super) of: u32,
}

impl Progress {
    /// The picture itself.
    pub(super) const DONE: Self = Self { at: 1, of: 1 };
}

/// Draws picture `index`: bars whose colours come from its words, the seed and the index.
///
/// - From words: the bars, from clear to solid where a transparent background is asked for.
/// - An edit: the source, and the bars inside the mask, mixed by its bytes; no feather.
/// - A variation: the bars, each mixed half and half with the source's mean colour.
pub(super) fn picture(spec: &Spec, given: &Given, index: u32, progress: Progress) -> Pixels {
    let colours = colours(spec, index);
    let clear = spec.background == Background::Transparent;
    match given {
        Given::Words => bars(spec.size, &colours.map(|colour| greyed(colour, progress)), clear),
        Given::Edit { source, mask } => {
            let new = bars(spec.size, &colours.map(|colour| greyed(colour, progress)), clear);
            laid_in(source, mask, &new)
        }
        Given::Vary { source, .. } => {
            let mean = mean(source);
            let mixed = colours.map(|colour| std::array::from_fn(|c| u8::midpoint(colour[c], mean[c])));
            bars(spec.size, &mixed.map(|colour| greyed(colour, progress)), clear)
        }
    }
}

/// Returns the words of picture `index`: its own reading, or else the prompt.
pub(super) fn words(spec: &Spec, index: u32) -> &str {
    let own = spec.readings.get(usize::try_from(index).expect("32 bits fit a usize"));
    own.unwrap_or(&spec.prompt)
}

fn colours(spec: &Spec, index: u32) -> [[u8; 3]; 8] {
    let words = words(spec, index).bytes().fold(0, |sum, byte| mixed(sum ^ u64::from(byte)));
    let key = mixed(words ^ mixed(spec.seed) ^ mixed(u64::from(index) << 32));
    std::array::from_fn(|bar| {
        let bar = u64::try_from(bar).expect("below 8");
        let [r, g, b, ..] = mixed(key ^ bar).to_le_bytes();
        [r, g, b]
    })
}

fn greyed(colour: [u8; 3], Progress { at, of }: Progress) -> [u8; 3] {
    colour.map(|v| u8::try_from((u32::from(v) * at + 128 * (of - at)) / of).expect("a mean of bytes"))
}

fn bars(size: Size, colours: &[[u8; 3]; 8], clear: bool) -> Pixels {
    let mut row = Vec::new();
    for x in 0..size.width {
        row.extend(colours[usize::try_from(x * BARS / size.width).expect("below 8")]);
        if clear {
            row.push(u8::try_from(x * 255 / size.width).expect("below 255"));
        }
    }
    let bytes = row.repeat(usize::try_from(size.height).expect("a side fits a usize"));
    Pixels { size, alpha: clear, bytes }
}

/// Lays a new picture into a mask over an old one; has an alpha channel if one of them has.
fn laid_in(source: &Pixels, mask: &Mask, new: &Pixels) -> Pixels {
    let alpha = source.alpha || new.alpha;
    let channels = |pixels: &Pixels| if pixels.alpha { 4 } else { 3 };
    let pixels = source.bytes.chunks(channels(source)).zip(new.bytes.chunks(channels(new))).zip(&mask.bytes);
    let mut bytes = Vec::with_capacity(mask.bytes.len() * 4);
    for ((old, new), share) in pixels {
        let mix = |old: u8, new: u8| {
            let sum = u32::from(old) * (255 - u32::from(*share)) + u32::from(new) * u32::from(*share);
            u8::try_from(sum / 255).expect("a mean of bytes")
        };
        bytes.extend((0..3).map(|c| mix(old[c], new[c])));
        if alpha {
            bytes.push(mix(*old.get(3).unwrap_or(&255), *new.get(3).unwrap_or(&255)));
        }
    }
    Pixels { size: source.size, alpha, bytes }
}

fn mean(source: &Pixels) -> [u8; 3] {
    let mut sums = [0_u64; 3];
    let mut count = 0;
    for pixel in source.bytes.chunks(if source.alpha { 4 } else { 3 }) {
        sums.iter_mut().zip(pixel).for_each(|(sum, v)| *sum += u64::from(*v));
        count += 1;
    }
    sums.map(|sum| u8::try_from(sum / count).expect("a mean of bytes"))
}

/// Mixes bits well enough that neighbouring seeds look nothing alike (the finaliser of SplitMix64).
pub(super) fn mixed(v: u64) -> u64 {
    let v = (v.wrapping_add(0x9e37_79b9_7f4a_7c15) ^ (v >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let v = (v ^ (v >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    v ^ (v >> 31)
}
