//! Hostile uploads: nothing panics, and memory stays in proportion to what the header says.
//!
//! Every allocation is counted, which is why these tests are a program of their own.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]
#![allow(unsafe_code, reason = "counting allocations takes an allocator")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    path::Path,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use medici_engine::PictureFiles;
use medici_studio::{
    engine::{Drawing, Pixels, Size},
    picture_file::{Decoder, Encoder, FileFormat, Output, Provenance, Upload, UploadError, UploadFormat, UploadLimits},
};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{RngCore, SeedableRng},
};

struct Counting;

static TAKEN: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: everything is done by the system's allocator, with the arguments as they came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        TAKEN.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(place, layout) }
    }
}

fn count(bytes: usize) {
    MOST.fetch_max(TAKEN.fetch_add(bytes, Relaxed) + bytes, Relaxed);
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Held by whoever counts.
static COUNTS: Mutex<()> = Mutex::new(());

/// Does something, and returns how many bytes it took at once.
fn counted<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = TAKEN.load(Relaxed);
    MOST.store(before, Relaxed);
    let done = work();
    (done, MOST.load(Relaxed) - before)
}

fn decode(bytes: &[u8], limits: &UploadLimits) -> (Result<Upload, UploadError>, usize) {
    counted(|| PictureFiles.decode(bytes, limits))
}

/// Every file of `tests/files`, and one of each format that is written here.
fn seeds() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some());
    paths.sort();
    let mut seeds: Vec<Vec<u8>> = paths.iter().map(|path| std::fs::read(path).unwrap()).collect();
    for format in FileFormat::ALL {
        for compression in [50, 100] {
            seeds.push(PictureFiles.encode(&slopes(19, 23, true), Output { format, compression }, &told()));
        }
    }
    seeds
}

fn told() -> Provenance {
    Provenance {
        model: "pocket-1".to_owned(),
        seed: 7,
        index: 0,
        steps: None,
        operation: Drawing::Generate,
        prompt: None,
        reading: None,
    }
}

fn slopes(width: u32, height: u32, alpha: bool) -> Pixels {
    let channels = if alpha { 4 } else { 3 };
    let pixel = |x: u32, y: u32| [x * 7, y * 5, x * y, x + y].map(|n| u8::try_from(n % 256).unwrap());
    let bytes = (0..height).flat_map(|y| (0..width).flat_map(move |x| pixel(x, y).into_iter().take(channels)));
    Pixels { size: Size { width, height }, alpha, bytes: bytes.collect() }
}

/// Spoils a file in a way that the number chooses.
struct Spoiler(ChaCha8Rng);

impl Spoiler {
    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.0.next_u64() % u64::try_from(bound.max(1)).unwrap()).unwrap()
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.below(256)).unwrap()
    }

    /// Spoils it once.
    fn spoil(&mut self, file: &mut Vec<u8>, other: &[u8]) {
        const LENGTHS: [u32; 8] = [0, 1, 2, 0x7fff, 0xffff, 0x00ff_ffff, 0x7fff_ffff, u32::MAX];
        let at = self.below(file.len());
        match self.below(8) {
            0 => file[at] ^= 1 << self.below(8),
            1 => file[at] = self.byte(),
            2 => file.truncate(at.max(1)),
            3 => {
                // A length, or a side, in either order of bytes.
                let length = LENGTHS[self.below(LENGTHS.len())];
                let bytes = if self.below(2) == 0 { length.to_be_bytes() } else { length.to_le_bytes() };
                let bytes = if self.below(2) == 0 { &bytes[..] } else { &bytes[..2] };
                let place = at..(at + bytes.len()).min(file.len());
                file[place.clone()].copy_from_slice(&bytes[..place.len()]);
            }
            4 => {
                // A piece of another file in place of its own.
                let from = self.below(other.len());
                let piece = &other[from..(from + self.below(64)).min(other.len())];
                let place = at..(at + piece.len()).min(file.len());
                file.splice(place, piece.iter().copied());
            }
            5 => {
                let end = (at + self.below(64)).min(file.len());
                let again = file[at..end].to_vec();
                file.splice(at..at, again);
            }
            6 => {
                let end = (at + self.below(32)).min(file.len() - 1).max(at);
                file.drain(at..end);
            }
            _ => {
                let more: Vec<u8> = (0..self.below(16)).map(|_| self.byte()).collect();
                file.splice(at..at, more);
            }
        }
    }
}

/// Makes the checksums of a PNG right again, so that what was spoiled is looked at.
fn repair(file: &mut [u8]) {
    let mut at = 8;
    while let Some(length) = file.get(at..at + 4) {
        let length = usize::try_from(u32::from_be_bytes(length.try_into().unwrap())).unwrap();
        let end = at.saturating_add(8).saturating_add(length);
        let Some(checked) = file.get(at + 4..end) else { return };
        let sum = checksum(checked).to_be_bytes();
        let Some(place) = file.get_mut(end..end + 4) else { return };
        place.copy_from_slice(&sum);
        at = end + 4;
    }
}

/// The checksum of PNG, bit by bit.
fn checksum(bytes: &[u8]) -> u32 {
    let step = |sum: u32, byte: &u8| {
        let shift = |sum: u32, _| if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 };
        (0..8).fold(sum ^ u32::from(*byte), shift)
    };
    !bytes.iter().fold(!0, step)
}

#[test]
fn ten_thousand_spoiled_uploads_panic_nowhere_and_take_little_memory() {
    let _counting = COUNTS.lock().unwrap_or_else(PoisonError::into_inner);
    let limits = UploadLimits { bytes_max: 1_000_000, pixels_max: 250_000, side_max: 8_192 };
    // Twelve bytes a pixel, and what decoders make room for before they know that there is not as much.
    const TAKEN_MAX: usize = 12 * 250_000 + (20 << 20);
    let seeds = seeds();
    let mut spoiler = Spoiler(ChaCha8Rng::seed_from_u64(20_261_126));
    let (mut read, mut refused) = (0, 0);
    for number in 0..10_000 {
        let mut file = seeds[number % seeds.len()].clone();
        let other = seeds[spoiler.below(seeds.len())].clone();
        for _ in 0..=spoiler.below(4) {
            spoiler.spoil(&mut file, &other);
        }
        if spoiler.below(4) > 0 && file.starts_with(b"\x89PNG\r\n\x1a\n") {
            repair(&mut file);
        }
        let (decoded, taken) = decode(&file, &limits);
        assert!(taken <= TAKEN_MAX, "{taken} bytes taken by {number}: {decoded:?}");
        match decoded {
            Ok(upload) => {
                let Pixels { size, alpha, bytes } = &upload.pixels;
                assert_eq!(bytes.len() as u64, size.pixels() * if *alpha { 4 } else { 3 }, "{number}");
                read += 1;
            }
            Err(_) => refused += 1,
        }
    }
    // Both happen, or the files were spoiled too much or too little to tell anything.
    assert!(read > 1_000 && refused > 4_000, "{read} read, {refused} refused");
}

#[test]
fn a_large_picture_takes_twelve_bytes_a_pixel_at_most() {
    let _counting = COUNTS.lock().unwrap_or_else(PoisonError::into_inner);
    let (width, height) = (1_100_u16, 900_u16);
    let area = usize::from(width) * usize::from(height);
    let mut files = Vec::new();
    for alpha in [false, true] {
        let picture = slopes(width.into(), height.into(), alpha);
        for (format, compression) in
            [(FileFormat::Png, 100), (FileFormat::Jpeg, 90), (FileFormat::Webp, 100), (FileFormat::Webp, 80)]
        {
            files.push((3, PictureFiles.encode(&picture, Output { format, compression }, &told())));
        }
    }
    let data = slopes(width.into(), height.into(), true).bytes;
    for (colour, samples) in
        [(jpeg_encoder::ColorType::Luma, 1), (jpeg_encoder::ColorType::Rgb, 3), (jpeg_encoder::ColorType::Cmyk, 4)]
    {
        for progressive in [false, true] {
            let mut file = Vec::new();
            let mut encoder = jpeg_encoder::Encoder::new(&mut file, 90);
            encoder.set_progressive(progressive);
            encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::F_1_1);
            encoder.encode(&data[..area * samples], width, height, colour).unwrap();
            files.push((samples, file));
        }
    }
    for (number, (samples, file)) in files.iter().enumerate() {
        let (decoded, taken) = decode(file, &UploadLimits::default());
        decoded.unwrap();
        // Of four inks a picture may have three quarters of the pixels that others may have.
        let most = if *samples == 4 { 16 } else { 12 } * area + file.len() + (1 << 20);
        assert!(taken <= most, "file {number}: {taken} bytes taken, {most} may be");
    }
}

/// Puts chunks into a PNG.
fn png(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, data) in chunks {
        file.extend_from_slice(&u32::try_from(data.len()).unwrap().to_be_bytes());
        file.extend_from_slice(*kind);
        file.extend_from_slice(data);
        file.extend_from_slice(&[0; 4]);
    }
    repair(&mut file);
    file
}

fn png_header(width: u32, height: u32) -> Vec<u8> {
    [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 6, 0, 0, 0]].concat()
}

/// The coded data of one transparent pixel.
const ONE_PIXEL: [u8; 11] = [0x78, 0x9c, 0x63, 0x60, 0, 0x02, 0, 0, 5, 0, 1];

/// Coded data of sixty megabytes of nothing: stored blocks are long, so one that repeats itself is taken.
fn very_compressible() -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, 8_000, 2_000);
    encoder.set_color(png::ColorType::Rgba);
    encoder.write_header().unwrap().write_image_data(&vec![0; 64_000_000]).unwrap();
    let mut coded = Vec::new();
    let mut at = 8;
    while at < file.len() {
        let length = usize::try_from(u32::from_be_bytes(file[at..at + 4].try_into().unwrap())).unwrap();
        if &file[at + 4..at + 8] == b"IDAT" {
            coded.extend_from_slice(&file[at + 8..at + 8 + length]);
        }
        at += 12 + length;
    }
    coded
}

#[test]
fn bombs_are_refused_or_defused_without_memory() {
    let _counting = COUNTS.lock().unwrap_or_else(PoisonError::into_inner);
    let compressible = very_compressible();
    assert!(compressible.len() < 1_000_000);
    let one = png_header(1, 1);
    let text = [&b"Comment\0\0"[..], &compressible].concat();
    let profile = [&b"icc\0\0"[..], &compressible].concat();
    let jpeg = [
        &b"\xff\xd8\xff\xc2\0\x11\x08\xff\xff\xff\xff\x03\x01\x44\0\x02\x11\0\x03\x11\0"[..],
        b"\xff\xda\0\x0c\x03\x01\0\x02\0\x03\0\0\x3f\0\0\xff\xd9",
    ]
    .concat();
    let vp8 = b"RIFF\x16\0\0\0WEBPVP8 \x0a\0\0\0\x10\0\0\x9d\x01\x2a\xff\x3f\xff\x3f";
    let canvas =
        b"RIFF\x28\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x0f\0\0\x0f\0\0VP8 \x0a\0\0\0\x10\0\0\x9d\x01\x2a\xff\x3f\xff\x3f";
    let gif = b"GIF89a\xff\xff\xff\xff\0\0\0,\0\0\0\0\xff\xff\xff\xff\0\x02\x02\x44\x01\0;";
    let is = |what: &str, bytes: &[u8], expected: Option<UploadError>| {
        let (decoded, taken) = decode(bytes, &UploadLimits::default());
        assert_eq!(decoded.err(), expected, "{what}");
        assert!(taken < 1 << 20, "{what} took {taken} bytes");
    };
    let too_many = |width, height| Some(UploadError::TooManyPixels { size: Size { width, height }, max: 25_000_000 });
    let pixel = |chunk: (&[u8; 4], &[u8])| png(&[(b"IHDR", &one), chunk, (b"IDAT", &ONE_PIXEL), (b"IEND", &[])]);
    is(
        "a large claim",
        &png(&[(b"IHDR", &png_header(50_000, 50_000)), (b"IDAT", &compressible), (b"IEND", &[])]),
        too_many(50_000, 50_000),
    );
    is("one pixel of sixty megabytes", &png(&[(b"IHDR", &one), (b"IDAT", &compressible), (b"IEND", &[])]), None);
    is("a text of sixty megabytes", &pixel((b"zTXt", &text)), None);
    is("a profile of sixty megabytes", &pixel((b"iCCP", &profile)), None);
    is("a progressive JPEG of four gigapixels", &jpeg, too_many(65_535, 65_535));
    is("a WebP of 16383 a side", vp8, too_many(16_383, 16_383));
    is("a picture larger than its canvas", canvas, Some(UploadError::Broken(UploadFormat::Webp)));
    is("a GIF of four gigapixels", gif, too_many(65_535, 65_535));
}

/// Writes bits, the lowest of each byte first.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    at: usize,
}

impl Bits {
    fn put(&mut self, number: usize, count: usize) {
        for bit in 0..count {
            if self.at.is_multiple_of(8) {
                self.bytes.push(0);
            }
            *self.bytes.last_mut().unwrap() |= u8::from(number >> bit & 1 == 1) << (self.at % 8);
            self.at += 1;
        }
    }

    /// Puts the shortest code whose table has a thousand entries: lengths 1 to 9, and twice 10.
    fn put_code(&mut self) {
        const ORDER: [usize; 14] = [17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10];
        self.put(0, 1);
        self.put(ORDER.len() - 4, 4);
        for length in ORDER {
            self.put(
                match length {
                    1..=6 => 3,
                    7..=10 => 4,
                    _ => 0,
                },
                3,
            );
        }
        // Eleven lengths follow.
        self.put(1, 1);
        self.put(1, 3);
        self.put(9, 4);
        for length in [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10] {
            let (code, count) = if length <= 6 { (length - 1, 3) } else { (length + 5, 4) };
            (0..count).rev().for_each(|bit| self.put(code >> bit & 1, 1));
        }
    }
}

/// Returns a WebP of 16 by 16 pixels with so many sets of codes.
fn with_sets(sets: usize) -> Vec<u8> {
    let mut bits = Bits::default();
    for (number, count) in [(0x2f, 8), (15, 14), (15, 14), (0, 1), (0, 3)] {
        bits.put(number, count);
    }
    // No transform, nothing remembered, and a small image in which every block names the last set.
    for (number, count) in [(0, 1), (0, 1), (1, 1), (0, 3), (0, 1)] {
        bits.put(number, count);
    }
    let last = sets - 1;
    for only in [last & 255, last >> 8, 0, 0, 0] {
        bits.put(0b101, 3);
        bits.put(only, 8);
    }
    (0..5 * sets).for_each(|_| bits.put_code());
    bits.put(0, 8);
    bits.bytes.resize(bits.bytes.len() + 2_000, 0);
    let data = bits.bytes;
    let mut file = b"RIFF".to_vec();
    let length = u32::try_from(data.len()).unwrap();
    file.extend_from_slice(&(length.next_multiple_of(2) + 12).to_le_bytes());
    file.extend_from_slice(b"WEBPVP8L");
    file.extend_from_slice(&length.to_le_bytes());
    file.extend_from_slice(&data);
    file.resize(file.len().next_multiple_of(2), 0);
    file
}

#[test]
fn a_small_webp_with_very_many_codes_takes_no_memory() {
    let _counting = COUNTS.lock().unwrap_or_else(PoisonError::into_inner);
    let few = with_sets(100);
    let (decoded, taken) = decode(&few, &UploadLimits::default());
    assert_eq!(decoded.unwrap().pixels.size, Size::square(16));
    assert!(taken > 1_000_000, "{taken} bytes: the decoder keeps a table for each code");
    // Without a check of ours this one takes 1.4 gigabytes.
    let many = with_sets(65_536);
    assert!(many.len() < 4_000_000);
    let (decoded, taken) = decode(&many, &UploadLimits::default());
    assert_eq!(decoded, Err(UploadError::Unsupported { what: "a WebP whose codes take more than 64 MB" }));
    assert!(taken < 1 << 20, "{taken} bytes taken");
}
