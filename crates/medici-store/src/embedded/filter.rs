//! A Bloom filter: says for sure that a key is not in a sealed partition, and nearly always when it is.

/// The best for 10 bits a key, good for more.
const PROBES: u64 = 7;

/// A fixed set of 64-bit hashes. With 10 bits a hash one in a hundred others is taken for a member, with 16 one in
/// a thousand.
pub(crate) struct Filter {
    bytes: Vec<u8>,
}

impl Filter {
    /// Makes the filter of these hashes.
    pub(crate) fn of(hashes: impl ExactSizeIterator<Item = u64>, bits: usize) -> Self {
        let bytes = (hashes.len() * bits).div_ceil(8).max(8);
        let mut filter = Self { bytes: vec![0; bytes] };
        for hash in hashes {
            for bit in filter.probes(hash) {
                filter.bytes[bit / 8] |= 1 << (bit % 8);
            }
        }
        filter
    }

    /// Takes a filter back from its bytes.
    pub(crate) fn from_bytes(bytes: Vec<u8>) -> Option<Self> {
        (!bytes.is_empty()).then_some(Self { bytes })
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns `false` only if the hash is not a member.
    pub(crate) fn may_have(&self, hash: u64) -> bool {
        self.probes(hash).all(|bit| self.bytes[bit / 8] & (1 << (bit % 8)) != 0)
    }

    fn probes(&self, hash: u64) -> impl Iterator<Item = usize> + use<> {
        let bits = self.bytes.len() as u64 * 8;
        // Two halves of a SHA-256 are independent enough to stand for seven hashes.
        let (first, step) = (hash >> 32, (hash & 0xffff_ffff) | 1);
        (0..PROBES).map(move |probe| {
            let bit = first.wrapping_add(step.wrapping_mul(probe)).wrapping_mul(0x9e37_79b9_7f4a_7c15) % bits;
            usize::try_from(bit).expect("a filter is smaller than memory")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(number: u64) -> u64 {
        let hash = medici_ledger::Hash::of(&number.to_be_bytes());
        u64::from_be_bytes(hash.as_bytes()[..8].try_into().unwrap())
    }

    #[test]
    fn every_member_is_found_and_few_others() {
        let members: Vec<_> = (0..20_000).map(hash).collect();
        for (bits, most) in [(10, 500), (16, 50)] {
            let filter = Filter::of(members.iter().copied(), bits);
            let filter = Filter::from_bytes(filter.as_bytes().to_vec()).unwrap();
            assert!(members.iter().all(|member| filter.may_have(*member)));
            let mistaken = (20_000..40_000).filter(|number| filter.may_have(hash(*number))).count();
            assert!(mistaken < most, "{mistaken} of 20000 with {bits} bits");
        }
    }
}
