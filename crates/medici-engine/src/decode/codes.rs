//! How much memory the prefix codes of a losslessly coded WebP take.
//!
//! A picture may have up to 65,536 sets of five codes, whether its pixels use them or not, and the decoder builds a
//! table for each: a file of three megabytes, whatever its size in pixels, can make it take more than a gigabyte.
//! The decoder has no limit for it, so the beginning of the data is read here first, just far enough to add up what
//! the tables would take. Nothing is kept of it, and whether the data makes sense is left to the decoder.

use medici_studio::{
    engine::Size,
    picture_file::{UploadError, UploadFormat},
};

const BROKEN: UploadError = UploadError::Broken(UploadFormat::Webp);
/// The most memory for all tables; encoders make pictures of a tenth of it.
const TABLES_BYTES_MAX: usize = 64 << 20;

/// In which order the lengths of the lengths' code are written.
const ORDER: [usize; 19] = [17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
/// Symbols of green that are green.
const LITERALS: usize = 256;
/// Symbols of green that say how much is repeated.
const LENGTHS: usize = 24;
/// Symbols of how far back what is repeated lies.
const DISTANCES: usize = 40;
/// The longest code.
const CODE_BITS_MAX: usize = 15;

/// Refuses data, from its first transform on, whose codes would take too much memory.
pub(super) fn check(data: &[u8], size: Size) -> Result<(), UploadError> {
    let mut bits = Bits { data, at: 0 };
    let Size { mut width, height } = size;
    let mut seen = [false; 4];
    while bits.read(1)? == 1 {
        let transform = bits.read(2)?;
        if std::mem::replace(&mut seen[transform], true) {
            return Err(BROKEN);
        }
        match transform {
            0 | 1 => {
                let block = bits.read(3)? + 2;
                image(&mut bits, blocks(width, block), blocks(height, block))?;
            }
            2 => {}
            _ => {
                let colours = bits.read(8)? + 1;
                image(&mut bits, u32::try_from(colours).expect("colours are few"), 1)?;
                // Few colours: several pixels share one.
                width = blocks(
                    width,
                    if colours <= 2 {
                        3
                    } else if colours <= 4 {
                        2
                    } else {
                        usize::from(colours <= 16)
                    },
                );
            }
        }
    }
    let cached = cache(&mut bits)?;
    let mut sets = 1;
    if bits.read(1)? == 1 {
        let block = bits.read(3)? + 2;
        sets += image(&mut bits, blocks(width, block), blocks(height, block))?;
    }
    let mut taken = 0_usize;
    for _ in 0..sets {
        taken += five_codes(&mut bits, cached)?.iter().map(Code::table_bytes).sum::<usize>();
        if taken > TABLES_BYTES_MAX {
            return Err(UploadError::Unsupported { what: "a WebP whose codes take more than 64 MB" });
        }
    }
    Ok(())
}

/// Returns how many blocks of so many bits a side has.
fn blocks(side: u32, bits: usize) -> u32 {
    side.div_ceil(1 << bits)
}

/// Reads how many colours are remembered.
fn cache(bits: &mut Bits<'_>) -> Result<usize, UploadError> {
    if bits.read(1)? == 0 {
        return Ok(0);
    }
    match bits.read(4)? {
        remembered @ 1..=11 => Ok(1 << remembered),
        _ => Err(BROKEN),
    }
}

/// Reads a small image that is coded within the picture, and returns the largest number of a set that it names.
///
/// What is repeated, and what is remembered, was named before: the literals alone tell the largest.
fn image(bits: &mut Bits<'_>, width: u32, height: u32) -> Result<usize, UploadError> {
    let cached = cache(bits)?;
    let [green, red, blue, alpha, distance] = five_codes(bits, cached)?;
    let mut left = u64::from(width) * u64::from(height);
    let mut largest = 0;
    while left > 0 {
        let symbol = green.read(bits)?;
        if symbol < LITERALS {
            largest = largest.max(red.read(bits)? << 8 | symbol);
            blue.read(bits)?;
            alpha.read(bits)?;
            left -= 1;
        } else if symbol < LITERALS + LENGTHS {
            let count = repeated(bits, symbol - LITERALS)?;
            let back = distance.read(bits)?;
            repeated(bits, back)?;
            left = left.saturating_sub(count);
        } else {
            left -= 1;
        }
    }
    Ok(largest)
}

/// Reads the rest of a number of which the symbol gives the magnitude.
fn repeated(bits: &mut Bits<'_>, symbol: usize) -> Result<u64, UploadError> {
    if symbol < 4 {
        return Ok(symbol as u64 + 1);
    }
    let more = (symbol - 2) >> 1;
    let base = (2 + (symbol & 1)) << more;
    Ok((base + bits.read(more)?) as u64 + 1)
}

fn five_codes(bits: &mut Bits<'_>, cached: usize) -> Result<[Code; 5], UploadError> {
    let green = Code::given(bits, LITERALS + LENGTHS + cached)?;
    let [red, blue, alpha] = [Code::given(bits, 256)?, Code::given(bits, 256)?, Code::given(bits, 256)?];
    Ok([green, red, blue, alpha, Code::given(bits, DISTANCES)?])
}

/// A prefix code: how many codes there are of each length, and their symbols from the shortest on.
struct Code {
    counts: [u16; CODE_BITS_MAX + 1],
    symbols: Vec<u16>,
}

impl Code {
    /// Reads a code of an alphabet.
    fn given(bits: &mut Bits<'_>, alphabet: usize) -> Result<Self, UploadError> {
        let simple = bits.read(1)? == 1;
        if !simple {
            return Self::of_lengths(&lengths(bits, alphabet)?);
        }
        let symbols = bits.read(1)? + 1;
        let first = if bits.read(1)? == 1 { bits.read(8)? } else { bits.read(1)? };
        let mut code = Self { counts: [0; CODE_BITS_MAX + 1], symbols: vec![u16_of(first)] };
        if symbols == 2 {
            code.symbols.push(u16_of(bits.read(8)?));
            code.counts[1] = 2;
        }
        Ok(code)
    }

    /// Makes a code of its symbols' lengths; 0 for a symbol that has none.
    fn of_lengths(lengths: &[u8]) -> Result<Self, UploadError> {
        let mut counts = [0; CODE_BITS_MAX + 1];
        let mut symbols = Vec::new();
        for length in 1..=CODE_BITS_MAX {
            let own = lengths.iter().enumerate().filter(|(_, own)| usize::from(**own) == length);
            symbols.extend(own.map(|(symbol, _)| u16_of(symbol)));
            let shorter: u16 = counts.iter().sum();
            counts[length] = u16_of(symbols.len()) - shorter;
        }
        let space: u32 = (1..=CODE_BITS_MAX).map(|length| u32::from(counts[length]) << (CODE_BITS_MAX - length)).sum();
        match symbols.len() {
            0 => Err(BROKEN),
            // The only symbol takes no bits, whatever its length.
            1 => Ok(Self { counts: [0; CODE_BITS_MAX + 1], symbols }),
            _ if space == 1 << CODE_BITS_MAX => Ok(Self { counts, symbols }),
            _ => Err(BROKEN),
        }
    }

    /// Reads a symbol.
    fn read(&self, bits: &mut Bits<'_>) -> Result<usize, UploadError> {
        if let [only] = self.symbols[..] {
            return Ok(only.into());
        }
        let (mut code, mut first, mut index) = (0_usize, 0_usize, 0_usize);
        for count in &self.counts[1..] {
            code |= bits.read(1)?;
            let count = usize::from(*count);
            if code < first + count {
                return Ok(self.symbols[index + code - first].into());
            }
            index += count;
            first = (first + count) << 1;
            code <<= 1;
        }
        Err(BROKEN)
    }

    /// Returns what the decoder takes for this code: a table of up to ten bits, and a tree of longer codes.
    fn table_bytes(&self) -> usize {
        const TABLE_BITS: usize = 10;
        const ENTRY: usize = 4;
        const NODE: usize = 16;
        const BESIDE: usize = 64;
        let longest = self.counts.iter().rposition(|count| *count > 0).unwrap_or(0);
        let longer: usize = self.counts[TABLE_BITS + 1..].iter().map(|count| usize::from(*count)).sum();
        BESIDE + (ENTRY << longest.min(TABLE_BITS)) + 2 * NODE * longer
    }
}

/// Reads the lengths of a code's symbols, which are coded themselves.
fn lengths(bits: &mut Bits<'_>, alphabet: usize) -> Result<Vec<u8>, UploadError> {
    let mut own = [0; 19];
    let given = 4 + bits.read(4)?;
    for place in ORDER.into_iter().take(given) {
        own[place] = u8::try_from(bits.read(3)?).expect("three bits make a byte");
    }
    let code = Code::of_lengths(&own)?;
    let mut read_max = usize::MAX;
    if bits.read(1)? == 1 {
        let width = 2 + 2 * bits.read(3)?;
        read_max = 2 + bits.read(width)?;
    }
    let mut lengths = Vec::with_capacity(alphabet);
    let mut last = 8;
    while lengths.len() < alphabet && read_max > 0 {
        read_max -= 1;
        let (length, count) = match code.read(bits)? {
            16 => (last, 3 + bits.read(2)?),
            17 => (0, 3 + bits.read(3)?),
            18 => (0, 11 + bits.read(7)?),
            literal => (u8::try_from(literal).expect("a length is short"), 1),
        };
        if length > 0 {
            last = length;
        }
        lengths.resize(lengths.len() + count, length);
    }
    if lengths.len() > alphabet { Err(BROKEN) } else { Ok(lengths) }
}

fn u16_of(symbol: usize) -> u16 {
    u16::try_from(symbol).expect("an alphabet is small")
}

/// Bits of data, the lowest of each byte first.
struct Bits<'a> {
    data: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    /// Reads a number.
    fn read(&mut self, count: usize) -> Result<usize, UploadError> {
        let mut number = 0;
        for bit in 0..count {
            let byte = *self.data.get(self.at / 8).ok_or(BROKEN)?;
            number |= usize::from(byte >> (self.at % 8) & 1) << bit;
            self.at += 1;
        }
        Ok(number)
    }
}
