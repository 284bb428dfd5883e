//! x
mod pocket;
