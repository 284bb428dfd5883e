//! What a request asks to be priced, as a line writes it.

use super::prices::parse_size;
use super::words::Words;
use crate::operation::Operation;
use crate::price_rule::MeterName;
use crate::quote::Usage;

/// Reads what follows an operation: `[xCOUNT] [model M] [quality Q] [size WxH] [steps N] [METER=COUNT …]`.
pub(super) fn parse_usage(operation: Operation, words: &mut Words<'_>) -> Result<Usage, String> {
    let mut usage = Usage::of(operation, 1);
    if let Some(number) = words.peek().and_then(|word| word.strip_prefix('x')) {
        usage.count = number.parse().map_err(|_| format!("a count such as x4 needed, x{number} found"))?;
        words.next("count")?;
    }
    while let Some(word) = words.peek() {
        let metered = word.split_once('=');
        if metered.is_none() && !matches!(word, "model" | "quality" | "size" | "steps") {
            break;
        }
        words.next("part of a request")?;
        match (word, metered) {
            (_, Some((meter, count))) => {
                let meter: MeterName = meter.parse().map_err(|error| format!("{error}"))?;
                let count = count.parse().map_err(|_| format!("a count such as {meter}=5 needed, {word:?} found"))?;
                usage.meters.push((meter, count));
            }
            ("model", None) => usage.model = Some(words.next("model")?.into()),
            ("quality", None) => usage.quality = Some(words.next("quality")?.into()),
            ("steps", None) => usage.steps = Some(words.parse("number of steps")?),
            _ => (usage.width, usage.height) = parse_size(words)?,
        }
    }
    Ok(usage)
}
