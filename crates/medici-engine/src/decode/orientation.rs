//! How the camera was held: read from an EXIF block, and undone.

use medici_studio::engine::{Pixels, Size};

/// The entry of an EXIF block that says how the camera was held.
const ORIENTATION: u16 = 0x0112;
/// The type of a number of two bytes.
const SHORT: u16 = 3;

/// Returns 1 to 8 as EXIF counts; `None` where the block does not say or cannot be read.
pub(super) fn of_exif(block: &[u8]) -> Option<u8> {
    let little = match block.get(..4)? {
        b"II*\0" => true,
        b"MM\0*" => false,
        _ => return None,
    };
    let u16_at = |at: usize| {
        let bytes = block.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) })
    };
    let first: [u8; 4] = block.get(4..8)?.try_into().ok()?;
    let first = if little { u32::from_le_bytes(first) } else { u32::from_be_bytes(first) };
    let first = usize::try_from(first).ok()?;
    let entries = usize::from(u16_at(first)?);
    // Each has a name, a type, a count and a value; as many as the block can hold are looked at.
    let mut places = (0..entries).map_while(|entry| first.checked_add(2 + 12 * entry));
    let place = places.find(|place| u16_at(*place).is_none_or(|name| name == ORIENTATION))?;
    if u16_at(place + 2)? != SHORT {
        return None;
    }
    u8::try_from(u16_at(place + 8)?).ok().filter(|orientation| (1..=8).contains(orientation))
}

/// Turns and mirrors a picture so that it stands upright.
pub(super) fn upright(pixels: Pixels, orientation: u8) -> Pixels {
    if orientation == 1 {
        return pixels;
    }
    if pixels.alpha { turned::<4>(&pixels, orientation) } else { turned::<3>(&pixels, orientation) }
}

fn turned<const CHANNELS: usize>(pixels: &Pixels, orientation: u8) -> Pixels {
    let Size { width, height } = pixels.size;
    let lies = orientation > 4;
    let size = if lies { Size { width: height, height: width } } else { pixels.size };
    let (stored, _) = pixels.bytes.as_chunks::<CHANNELS>();
    let mut bytes = Vec::with_capacity(pixels.bytes.len());
    for y in 0..size.height {
        for x in 0..size.width {
            let (from_x, from_y) = match orientation {
                2 => (width - 1 - x, y),
                3 => (width - 1 - x, height - 1 - y),
                4 => (x, height - 1 - y),
                5 => (y, x),
                6 => (y, height - 1 - x),
                7 => (width - 1 - y, height - 1 - x),
                8 => (width - 1 - y, x),
                _ => (x, y),
            };
            let at = u64::from(from_y) * u64::from(width) + u64::from(from_x);
            bytes.extend_from_slice(&stored[usize::try_from(at).expect("a pixel that is in memory has a place there")]);
        }
    }
    Pixels { size, alpha: pixels.alpha, bytes }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two rows of three pixels: 0 1 2, then 3 4 5.
    fn picture() -> Pixels {
        Pixels { size: Size { width: 3, height: 2 }, alpha: false, bytes: (0..6).flat_map(|n| [n; 3]).collect() }
    }

    #[test]
    fn every_way_to_hold_a_camera_is_undone() {
        let rows = |orientation| {
            let upright = upright(picture(), orientation);
            let row = usize::try_from(upright.size.width).unwrap();
            let pixels: Vec<u8> = upright.bytes.chunks(3).map(|pixel| pixel[0]).collect();
            pixels.chunks(row).map(<[u8]>::to_vec).collect::<Vec<_>>()
        };
        assert_eq!(rows(1), [[0, 1, 2], [3, 4, 5]]);
        assert_eq!(rows(2), [[2, 1, 0], [5, 4, 3]]);
        assert_eq!(rows(3), [[5, 4, 3], [2, 1, 0]]);
        assert_eq!(rows(4), [[3, 4, 5], [0, 1, 2]]);
        assert_eq!(rows(5), [[0, 3], [1, 4], [2, 5]]);
        assert_eq!(rows(6), [[3, 0], [4, 1], [5, 2]]);
        assert_eq!(rows(7), [[5, 2], [4, 1], [3, 0]]);
        assert_eq!(rows(8), [[2, 5], [1, 4], [0, 3]]);
    }

    #[test]
    fn an_exif_block_is_read_in_both_byte_orders_and_never_past_its_end() {
        let little = b"II*\0\x08\0\0\0\x02\0\x0f\x01\x02\0\x01\0\0\0AB\0\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0";
        let big = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x08\0\0";
        assert_eq!(of_exif(little), Some(6));
        assert_eq!(of_exif(big), Some(8));
        assert_eq!(of_exif(b"MM\0*\xff\xff\xff\xff\0\x01"), None);
        assert_eq!(of_exif(b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x09\0\0"), None, "there is no ninth way");
        for block in [&little[..], big] {
            for end in 0..block.len() {
                let _may_be_none = of_exif(&block[..end]);
            }
        }
    }
}
