//! Which places are marked, and marking them one at a time.
//!
//! Each anchor is put in one of 16 buckets. For each of an anchor's first bytes, a bucket keeps which low and which high
//! halves of a byte may stand there. A place is marked if one bucket allows both halves of all bytes there.

/// Bytes that are looked at to mark a place.
pub(super) const WINDOW: usize = 4;
/// Places in one mark.
pub(super) const LANE: usize = 32;
const BUCKETS: usize = 16;

/// The buckets that allow each half of a byte, a bit for each.
#[derive(Clone, Copy, Default)]
struct Halves {
    low: [u16; 16],
    high: [u16; 16],
}

/// What marking needs, for each byte of a window.
pub(super) struct Tables {
    /// The buckets that allow each byte.
    bytes: [[u16; 256]; WINDOW],
    /// Those that allow each half, for [`LANE`] places at once.
    #[cfg(target_arch = "x86_64")]
    pub(super) eights: [Eights; WINDOW],
}

/// The buckets by half of a byte, eight and eight, each table twice over as shuffles stay within half a vector.
#[cfg(target_arch = "x86_64")]
pub(super) struct Eights {
    pub(super) low: [[u8; LANE]; 2],
    pub(super) high: [[u8; LANE]; 2],
}

impl Tables {
    pub(super) fn of(anchors: &[String]) -> Self {
        let mut halves = [Halves::default(); WINDOW];
        for (bucket, allowed) in buckets(anchors).iter().enumerate() {
            for (halves, allowed) in halves.iter_mut().zip(&allowed.0) {
                for (half, (low, high)) in halves.low.iter_mut().zip(&mut halves.high).enumerate() {
                    *low |= (allowed.low >> half & 1) << bucket;
                    *high |= (allowed.high >> half & 1) << bucket;
                }
            }
        }
        let whole =
            |halves: Halves| std::array::from_fn(|byte| at(&halves.low, byte & 15) & at(&halves.high, byte >> 4));
        Self {
            bytes: halves.map(whole),
            #[cfg(target_arch = "x86_64")]
            eights: halves.map(|halves| Eights { low: eights(&halves.low), high: eights(&halves.high) }),
        }
    }
}

#[cfg(target_arch = "x86_64")]
fn eights(halves: &[u16; 16]) -> [[u8; LANE]; 2] {
    let (mut first, mut second) = ([0; LANE], [0; LANE]);
    for ((first, second), halves) in first.iter_mut().zip(&mut second).zip(halves.iter().cycle()) {
        [*first, *second] = halves.to_le_bytes();
    }
    [first, second]
}

fn at<T: Copy + Default>(table: &[T], place: usize) -> T {
    table.get(place).copied().unwrap_or_default()
}

/// Marks one place at a time.
pub(super) fn mark(tables: &Tables, text: &[u8], marks: &mut [u32]) {
    let mut allowed = text.windows(WINDOW).map(|window| {
        let each = window.iter().zip(&tables.bytes).map(|(byte, table)| at(table, usize::from(*byte)));
        each.fold(u16::MAX, |all, each| all & each)
    });
    for mark in marks {
        *mark = (0..LANE).zip(allowed.by_ref()).fold(0, |mark, (bit, allowed)| mark | u32::from(allowed != 0) << bit);
    }
}

/// The halves that a bucket allows for one byte of a window, a bit for each.
#[derive(Clone, Copy, Default)]
struct Allowed {
    low: u16,
    high: u16,
}

impl Allowed {
    /// The byte in both cases; any byte for what an anchor is too short to have.
    fn of(byte: Option<&u8>) -> Self {
        let Some(byte) = byte else { return Self { low: u16::MAX, high: u16::MAX } };
        let bits = |byte: u8| Self { low: 1 << (byte & 15), high: 1 << (byte >> 4) };
        bits(byte.to_ascii_lowercase()).and(bits(byte.to_ascii_uppercase()))
    }

    const fn and(self, other: Self) -> Self {
        Self { low: self.low | other.low, high: self.high | other.high }
    }

    /// About how often a byte of text is allowed, in 1,024.
    fn share(self) -> u64 {
        // Rows of sixteen bytes: controls, then signs, digits, capitals, small letters, then bytes of other scripts.
        const EACH: [u64; 16] = [4, 0, 8, 6, 3, 3, 22, 20, 1, 1, 1, 1, 1, 1, 1, 1];
        let rows = (0..).zip(EACH).filter(|(row, _)| self.high >> row & 1 == 1);
        rows.map(|(_, each)| each * u64::from(self.low.count_ones())).sum::<u64>().max(1)
    }
}

/// What a bucket allows at each byte of a window.
#[derive(Clone, Copy, Default)]
struct Bucket([Allowed; WINDOW]);

impl Bucket {
    fn and(self, other: Self) -> Self {
        Self(std::array::from_fn(|place| at(&self.0, place).and(at(&other.0, place))))
    }

    /// How often it allows a place of a text without anchors.
    fn cost(self) -> u64 {
        self.0.iter().map(|allowed| allowed.share()).product()
    }
}

/// Puts each anchor where it allows the least beside itself, those that allow the most by themselves first.
fn buckets(anchors: &[String]) -> [Bucket; BUCKETS] {
    let mut windows: Vec<Bucket> = anchors
        .iter()
        .map(|text| Bucket(std::array::from_fn(|place| Allowed::of(text.as_bytes().get(place)))))
        .collect();
    windows.sort_by_key(|window| std::cmp::Reverse(window.cost()));
    let mut buckets = [Bucket::default(); BUCKETS];
    for window in windows {
        let cost = |bucket: &Bucket| if at(&bucket.0, 0).low == 0 { 0 } else { bucket.cost() };
        let best = buckets.iter_mut().min_by_key(|bucket| bucket.and(window).cost() - cost(bucket));
        if let Some(best) = best {
            *best = best.and(window);
        }
    }
    buckets
}
