//! The prior: from words and noise to a latent.
//!
//! A small text network turns word pieces into a condition; a multilayer perceptron predicts the clean latent
//! from a noisy one at time t; Euler steps walk from noise (t = 0) to picture (t = 1).

use super::LATENT;
use super::matmul::{Into, matmul};
use super::weights::{Linear, LoadError, Weights};

/// Word pieces of a prompt that count.
pub(super) const TOKENS: usize = 16;
/// Numbers of a condition: the pooled text, then its share in each block.
#[cfg(test)]
pub(super) const CONDITION: usize = WIDTH + BLOCKS * INNER;
/// Latents that are denoised together. Fixed, because a matrix product may round differently with its shape:
/// fewer latents are padded, more go in several batches.
pub(super) const BATCH: usize = 4;

const PIECES: usize = 30_522;
const WORD: usize = 256;
const HEADS: usize = 4;
const WIDTH: usize = 640;
const INNER: usize = 1_280;
const BLOCKS: usize = 4;
const MODULATION: usize = 3 * WIDTH * BLOCKS + 2 * WIDTH;
const RMS_EPSILON: f32 = 1.19e-7;
const LAYER_EPSILON: f32 = 1e-5;

/// The word pieces of one prompt; fewer than [`TOKENS`] are padded by the network. None is the empty prompt.
pub(super) type Pieces = Vec<u32>;

/// The prior's weights.
pub(super) struct Prior {
    table: Table,
    tin: Linear,
    pos: Vec<f32>,
    mixes: [Linear; 2],
    att: Linear,
    po: Linear,
    null: Vec<f32>,
    shares: Vec<Linear>,
    time: [Linear; 2],
    inp: Linear,
    modl: Linear,
    modulate: Linear,
    up: Vec<Linear>,
    down: Vec<Linear>,
    out: Linear,
}

/// The static word table: one vector a word piece, kept as bytes and a scale a row.
pub(super) struct Table {
    bytes: &'static [u8],
    scale: Vec<f32>,
}

impl Table {
    /// Returns the vector of a word piece.
    pub(super) fn row(&self, piece: u32) -> impl Iterator<Item = f32> + '_ {
        let piece = usize::try_from(piece).expect("an id fits a usize");
        let scale = self.scale[piece];
        self.bytes[piece * WORD..(piece + 1) * WORD].iter().map(move |byte| f32::from(byte.cast_signed()) * scale)
    }
}

/// How to walk from noise to picture.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walk {
    pub(super) steps: usize,
    /// How strongly to lean towards the words; 1 is not at all.
    pub(super) guidance: f32,
    /// The guidance of the first third, which decides what the picture is of; later it decides how it looks.
    pub(super) early_guidance: f32,
}

impl Prior {
    pub(super) fn new(weights: &Weights<'static>) -> Result<Self, LoadError> {
        let linear = |name: &str, inputs, outputs| weights.linear(&format!("prior.{name}"), inputs, outputs);
        let each = |name: &str, inputs, outputs| -> Result<Vec<Linear>, LoadError> {
            (0..BLOCKS).map(|i| linear(&format!("{name}.{i}"), inputs, outputs)).collect()
        };
        Ok(Self {
            table: Table {
                bytes: weights.bytes("text.table_i8", &[PIECES, WORD])?,
                scale: weights.floats("text.table_scale", &[PIECES])?,
            },
            tin: linear("tin", WORD, WORD)?,
            pos: weights.floats("prior.pos", &[TOKENS, WORD])?,
            mixes: [linear("c1", 3 * WORD, WORD)?, linear("c2", 3 * WORD, WORD)?],
            att: linear("att", WORD, HEADS)?,
            po: linear("po", HEADS * WORD, WIDTH)?,
            null: weights.floats("prior.null", &[WIDTH])?,
            shares: (0..BLOCKS)
                .map(|i| weights.linear_unbiased(&format!("prior.ct.{i}"), WIDTH, INNER))
                .collect::<Result<_, _>>()?,
            time: [linear("tm.0", WORD, WIDTH)?, linear("tm.2", WIDTH, WIDTH)?],
            inp: linear("inp", LATENT, WIDTH)?,
            modl: linear("modl", WIDTH, 64)?,
            modulate: linear("mod", 64, MODULATION)?,
            up: each("a", WIDTH, INNER)?,
            down: each("b", INNER, WIDTH)?,
            out: linear("out", WIDTH, LATENT)?,
        })
    }

    pub(super) fn table(&self) -> &Table {
        &self.table
    }

    /// Returns the condition of a prompt: [`CONDITION`] numbers.
    pub(super) fn condition(&self, pieces: &[u32]) -> Vec<f32> {
        let pooled = self.pool(pieces);
        let mut condition = pooled.clone();
        for share in &self.shares {
            condition.extend(apply(share, &pooled, 1));
        }
        condition
    }

    /// Returns the conditions of several prompts, for less time than one after the other.
    pub(super) fn conditions(&self, prompts: &[Pieces]) -> Vec<Vec<f32>> {
        let rows = prompts.len();
        let pooled: Vec<f32> = prompts.iter().flat_map(|pieces| self.pool(pieces)).collect();
        let shares: Vec<Vec<f32>> = self.shares.iter().map(|share| apply(share, &pooled, rows)).collect();
        let row = |row: usize| {
            let own = shares.iter().flat_map(|share| &share[row * INNER..(row + 1) * INNER]);
            pooled[row * WIDTH..(row + 1) * WIDTH].iter().chain(own).copied().collect()
        };
        (0..rows).map(row).collect()
    }

    fn pool(&self, pieces: &[u32]) -> Vec<f32> {
        let used = pieces.len().min(TOKENS);
        if used == 0 {
            return self.null.clone();
        }
        // Always sixteen rows, the shape the network was trained in; the padding stays zero throughout.
        let mut words = vec![0.0; TOKENS * WORD];
        for (row, piece) in words.chunks_mut(WORD).zip(pieces) {
            row.iter_mut().zip(self.table.row(*piece)).for_each(|(to, from)| *to = from);
        }
        let mut h = apply(&self.tin, &words, TOKENS);
        add(&mut h, &self.pos);
        h[used * WORD..].fill(0.0);
        for mix in &self.mixes {
            let mut near = vec![0.0; TOKENS * 3 * WORD];
            for (at, row) in near.chunks_mut(3 * WORD).enumerate() {
                for (slot, from) in
                    [at.checked_sub(1), Some(at), Some(at + 1).filter(|n| *n < TOKENS)].into_iter().enumerate()
                {
                    if let Some(from) = from {
                        row[slot * WORD..(slot + 1) * WORD].copy_from_slice(&h[from * WORD..(from + 1) * WORD]);
                    }
                }
            }
            let mut y = apply(mix, &near, TOKENS);
            y.iter_mut().for_each(|v| *v = gelu(*v));
            y[used * WORD..].fill(0.0);
            add(&mut h, &y);
        }
        let heat = apply(&self.att, &h, TOKENS);
        let mut pooled = vec![0.0; HEADS * WORD];
        for head in 0..HEADS {
            let most = (0..used).map(|at| heat[at * HEADS + head]).fold(f32::MIN, f32::max);
            let weights: Vec<f32> = (0..used).map(|at| (heat[at * HEADS + head] - most).exp()).collect();
            let sum: f32 = weights.iter().sum();
            let out = &mut pooled[head * WORD..(head + 1) * WORD];
            for (at, weight) in weights.iter().enumerate() {
                let row = &h[at * WORD..(at + 1) * WORD];
                out.iter_mut().zip(row).for_each(|(to, from)| *to += weight / sum * from);
            }
        }
        layer_norm(&apply(&self.po, &pooled, 1))
    }

    /// Predicts the clean latents from noisy ones, each at its own time and under its own condition.
    pub(super) fn denoise(&self, noisy: &[f32], times: &[f32], conditions: &[&[f32]]) -> Vec<f32> {
        let rows = conditions.len();
        assert_eq!(times.len(), rows, "every latent has its time");
        let text = |row: usize| &conditions[row][..WIDTH];
        let mut c = vec![0.0; rows * WIDTH];
        let mut time = Vec::new();
        for (row, c) in c.chunks_mut(WIDTH).enumerate() {
            if row == 0 || times[row].to_bits() != times[row - 1].to_bits() {
                time = self.time(times[row]);
            }
            c.iter_mut().zip(&time).zip(text(row)).for_each(|((c, time), text)| *c = silu(time + text));
        }
        let mut bottleneck = apply(&self.modl, &c, rows);
        bottleneck.iter_mut().for_each(|v| *v = silu(*v));
        let modulation = apply(&self.modulate, &bottleneck, rows);
        let part =
            |row: usize, at: usize| &modulation[row * MODULATION + at * WIDTH..row * MODULATION + (at + 1) * WIDTH];

        let mut h = apply(&self.inp, noisy, rows);
        for (row, h) in h.chunks_mut(WIDTH).enumerate() {
            add(h, text(row));
        }
        let mut y = vec![0.0; rows * WIDTH];
        for block in 0..BLOCKS {
            for (row, (y, h)) in y.chunks_mut(WIDTH).zip(h.chunks(WIDTH)).enumerate() {
                modulated_norm(y, h, part(row, 3 * block), part(row, 3 * block + 1));
            }
            let mut inner = apply(&self.up[block], &y, rows);
            for (row, inner) in inner.chunks_mut(INNER).enumerate() {
                let share = &conditions[row][WIDTH + block * INNER..WIDTH + (block + 1) * INNER];
                inner.iter_mut().zip(share).for_each(|(v, share)| *v = silu(*v + share));
            }
            let outer = apply(&self.down[block], &inner, rows);
            for (row, (h, outer)) in h.chunks_mut(WIDTH).zip(outer.chunks(WIDTH)).enumerate() {
                let gate = part(row, 3 * block + 2);
                h.iter_mut().zip(outer).zip(gate).for_each(|((h, outer), gate)| *h += gate * outer);
            }
        }
        for (row, (y, h)) in y.chunks_mut(WIDTH).zip(h.chunks(WIDTH)).enumerate() {
            modulated_norm(y, h, part(row, 3 * BLOCKS), part(row, 3 * BLOCKS + 1));
        }
        apply(&self.out, &y, rows)
    }

    fn time(&self, t: f32) -> Vec<f32> {
        const HALF: usize = WORD / 2;
        let mut features = vec![0.0; WORD];
        for i in 0..HALF {
            #[expect(clippy::cast_precision_loss, reason = "i is below 128")]
            let angle = t * 1000.0 * (i as f32 * (-(10_000.0_f32).ln() / 128.0)).exp();
            features[i] = angle.sin();
            features[HALF + i] = angle.cos();
        }
        let mut hidden = apply(&self.time[0], &features, 1);
        hidden.iter_mut().for_each(|v| *v = silu(*v));
        apply(&self.time[1], &hidden, 1)
    }

    /// Predicts the clean latents that the words lead to from [`BATCH`] noisy ones at step `at`.
    pub(super) fn predict(
        &self,
        z: &[f32],
        from: [f32; BATCH],
        conditions: &[&[f32]; BATCH],
        null: &[f32],
        walk: Walk,
        at: usize,
    ) -> Vec<f32> {
        assert_eq!(z.len(), BATCH * LATENT, "a batch has one shape");
        let now = from.map(|from| walk.time(from, at));
        let mut both = [null; 2 * BATCH];
        both[..BATCH].copy_from_slice(conditions);
        let mut clean = self.denoise(&[z, z].concat(), &[now, now].concat(), &both);
        let unconditioned = clean.split_off(BATCH * LATENT);
        for ((clean, unconditioned), now) in clean.chunks_mut(LATENT).zip(unconditioned.chunks(LATENT)).zip(now) {
            let guidance = walk.guidance(now);
            clean.iter_mut().zip(unconditioned).for_each(|(c, u)| *c = u + guidance * (*c - u));
        }
        clean
    }
}

impl Walk {
    /// Returns the time before step `at` of a way that starts at `from`; 0 is pure noise, 1 the picture.
    fn time(self, from: f32, at: usize) -> f32 {
        #[expect(clippy::cast_precision_loss, reason = "steps are few")]
        let share = at as f32 / self.steps as f32;
        from + (1.0 - from) * share
    }

    /// Returns how strongly to lean towards the words at a time.
    fn guidance(self, now: f32) -> f32 {
        if now < 1.0 / 3.0 { self.early_guidance } else { self.guidance }
    }

    /// Takes one Euler step of latents in place, towards the clean ones.
    pub(super) fn advance(self, z: &mut [f32], clean: &[f32], from: [f32; BATCH], at: usize) {
        for ((z, clean), from) in z.chunks_mut(LATENT).zip(clean.chunks(LATENT)).zip(from) {
            let (now, next) = (self.time(from, at), self.time(from, at + 1));
            let rate = (next - now) / (1.0 - now).max(1e-3);
            z.iter_mut().zip(clean).for_each(|(z, clean)| *z += rate * (clean - *z));
        }
    }
}

/// Computes a layer's output for `rows` inputs.
pub(super) fn apply(layer: &Linear, x: &[f32], rows: usize) -> Vec<f32> {
    let shape = (rows, layer.inputs, layer.outputs);
    let mut out = vec![0.0; rows * layer.outputs];
    if layer.bias.is_empty() {
        matmul(&mut out, x, &layer.weight, shape, Into::Fresh);
    } else {
        out.chunks_mut(layer.outputs).for_each(|row| row.copy_from_slice(&layer.bias));
        matmul(&mut out, x, &layer.weight, shape, Into::Sum);
    }
    out
}

fn add(to: &mut [f32], from: &[f32]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
}

fn silu(v: f32) -> f32 {
    v / (1.0 + (-v).exp())
}

/// The exact form, by Abramowitz and Stegun 7.1.26 in double precision: its error of 1.5e-7 is below f32's.
fn gelu(v: f32) -> f32 {
    let x = f64::from(v) / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * x.abs());
    let series =
        ((((1.061_405_429 * t - 1.453_152_027) * t + 1.421_413_741) * t - 0.284_496_736) * t + 0.254_829_592) * t;
    let erf = (1.0 - series * (-x * x).exp()).copysign(x);
    #[expect(clippy::cast_possible_truncation, reason = "f32 is the network's precision")]
    let out = (0.5 * f64::from(v) * (1.0 + erf)) as f32;
    out
}

#[expect(clippy::cast_precision_loss, reason = "the width is small")]
fn modulated_norm(to: &mut [f32], h: &[f32], scale: &[f32], shift: &[f32]) {
    let mean = h.iter().map(|v| v * v).sum::<f32>() / h.len() as f32;
    let by = 1.0 / (mean + RMS_EPSILON).sqrt();
    for (((to, h), scale), shift) in to.iter_mut().zip(h).zip(scale).zip(shift) {
        *to = h * by * (1.0 + scale) + shift;
    }
}

#[expect(clippy::cast_precision_loss, reason = "the width is small")]
fn layer_norm(x: &[f32]) -> Vec<f32> {
    let mean = x.iter().sum::<f32>() / x.len() as f32;
    let variance = x.iter().map(|v| (v - mean) * (v - mean)).sum::<f32>() / x.len() as f32;
    let by = 1.0 / (variance + LAYER_EPSILON).sqrt();
    x.iter().map(|v| (v - mean) * by).collect()
}
