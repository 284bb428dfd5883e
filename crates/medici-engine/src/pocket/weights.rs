//! Reading the weights file into the shapes the arithmetic wants.

use half::f16;
use half::slice::HalfFloatSliceExt as _;
use safetensors::{Dtype, SafeTensors};

/// Why the weights could not be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file is not a safetensors file, or lacks a tensor.
    #[error("the pocket weights cannot be read")]
    Weights(#[from] safetensors::SafeTensorError),
    /// A tensor has another type or shape than this model's.
    #[error("tensor {name} is {found}, expected {expected}")]
    Tensor {
        /// The tensor's name in the file.
        name: String,
        /// What was there.
        found: String,
        /// What should be there.
        expected: String,
    },
    /// The tokenizer cannot be read.
    #[error("the pocket tokenizer cannot be read: {0}")]
    Tokenizer(String),
    /// The list of names cannot be read.
    #[error("the pocket names cannot be read")]
    Names(#[from] serde_json::Error),
}

/// A linear layer: `y = x · weight + bias`.
pub(super) struct Linear {
    /// Input by output, so that a product runs along memory.
    pub(super) weight: Vec<f32>,
    /// One a column; empty is none.
    pub(super) bias: Vec<f32>,
    pub(super) inputs: usize,
    pub(super) outputs: usize,
}

/// A weights file, read on demand.
pub(super) struct Weights<'a> {
    file: SafeTensors<'a>,
}

impl<'a> Weights<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, LoadError> {
        Ok(Self { file: SafeTensors::deserialize(bytes)? })
    }

    /// Returns a tensor of 16 or 32-bit floats as f32, after checking its shape.
    pub(super) fn floats(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, LoadError> {
        let tensor = self.file.tensor(name)?;
        check(name, shape, tensor.shape())?;
        match tensor.dtype() {
            Dtype::F32 => {
                Ok(tensor.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
            }
            Dtype::F16 => {
                // Through a small buffer, so that the conversion uses the processor's own instruction where
                // it has one.
                let mut out = vec![0.0; tensor.data().len() / 2];
                let mut halves = [f16::ZERO; 1024];
                for (to, from) in out.chunks_mut(1024).zip(tensor.data().chunks(2048)) {
                    for (half, bytes) in halves.iter_mut().zip(from.chunks_exact(2)) {
                        *half = f16::from_le_bytes([bytes[0], bytes[1]]);
                    }
                    halves[..to.len()].convert_to_f32_slice(to);
                }
                Ok(out)
            }
            found => Err(wrong(name, format!("{found:?}"), "F16 or F32".to_owned())),
        }
    }

    /// Returns a tensor of signed bytes where it lies in the file, after checking its shape.
    pub(super) fn bytes(&self, name: &str, shape: &[usize]) -> Result<&'a [u8], LoadError> {
        let tensor = self.file.tensor(name)?;
        check(name, shape, tensor.shape())?;
        match tensor.dtype() {
            Dtype::I8 => Ok(tensor.data()),
            found => Err(wrong(name, format!("{found:?}"), "I8".to_owned())),
        }
    }

    /// Returns the layer `name.weight`, `name.bias`, transposed from the file's output by input.
    pub(super) fn linear(&self, name: &str, inputs: usize, outputs: usize) -> Result<Linear, LoadError> {
        let bias = self.floats(&format!("{name}.bias"), &[outputs])?;
        Ok(Linear { bias, ..self.linear_unbiased(name, inputs, outputs)? })
    }

    /// Returns the layer `name.weight`, which has no bias.
    pub(super) fn linear_unbiased(&self, name: &str, inputs: usize, outputs: usize) -> Result<Linear, LoadError> {
        let rows = self.floats(&format!("{name}.weight"), &[outputs, inputs])?;
        Ok(Linear { weight: transposed(&rows, outputs, inputs), bias: Vec::new(), inputs, outputs })
    }

    /// Returns a 3×3 convolution as a layer whose inputs are the nine neighbours' channels.
    pub(super) fn convolution(&self, name: &str, channels: usize, outputs: usize) -> Result<Linear, LoadError> {
        let rows = self.floats(&format!("{name}.weight"), &[outputs, channels, 3, 3])?;
        let bias = self.floats(&format!("{name}.bias"), &[outputs])?;
        let mut weight = vec![0.0; rows.len()];
        for output in 0..outputs {
            for channel in 0..channels {
                for tap in 0..9 {
                    weight[(tap * channels + channel) * outputs + output] =
                        rows[(output * channels + channel) * 9 + tap];
                }
            }
        }
        Ok(Linear { weight, bias, inputs: 9 * channels, outputs })
    }
}

fn check(name: &str, expected: &[usize], found: &[usize]) -> Result<(), LoadError> {
    if expected == found { Ok(()) } else { Err(wrong(name, format!("{found:?}"), format!("{expected:?}"))) }
}

fn wrong(name: &str, found: String, expected: String) -> LoadError {
    LoadError::Tensor { name: name.to_owned(), found, expected }
}

/// Transposes in blocks, because a column of a large matrix misses the cache at every row.
fn transposed(rows: &[f32], height: usize, width: usize) -> Vec<f32> {
    const BLOCK: usize = 16;
    let mut out = vec![0.0; rows.len()];
    for top in (0..height).step_by(BLOCK) {
        for left in (0..width).step_by(BLOCK) {
            for y in top..height.min(top + BLOCK) {
                for x in left..width.min(left + BLOCK) {
                    out[x * height + y] = rows[y * width + x];
                }
            }
        }
    }
    out
}
