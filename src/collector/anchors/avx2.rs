//! Marking 32 places at once. The only module that may hold `unsafe`: it reads through references of fixed size, and
//! calls what needs AVX2 after asking for it. `tests` compares it with [`super::tables::mark`].
#![expect(unsafe_code, reason = "the compiler cannot see that a processor has AVX2, nor loads vectors from arrays")]

use std::arch::x86_64::{
    __m256i, _mm256_and_si256, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_or_si256,
    _mm256_set1_epi8, _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_srli_epi16,
};

use super::Marker;
use super::tables::{LANE, Tables, WINDOW};

/// The marker, if this processor can run it.
pub(super) fn marker() -> Option<Marker> {
    std::arch::is_x86_feature_detected!("avx2").then_some(|tables, text, marks| {
        // SAFETY: this closure leaves the function only where the processor has AVX2, all that `mark` asks for.
        unsafe { mark(tables, text, marks) }
    })
}

#[target_feature(enable = "avx2")]
fn mark(tables: &Tables, text: &[u8], marks: &mut [u32]) {
    let lanes = text.windows(LANE + WINDOW - 1).step_by(LANE);
    for (mark, lane) in marks.iter_mut().zip(lanes) {
        let (mut first, mut second) = (_mm256_set1_epi8(-1), _mm256_set1_epi8(-1));
        for (bytes, eights) in lane.windows(LANE).zip(&tables.eights) {
            let Some(bytes) = bytes.first_chunk() else { continue };
            let bytes = load(bytes);
            let lows = _mm256_and_si256(bytes, _mm256_set1_epi8(0x0f));
            let highs = _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), _mm256_set1_epi8(0x0f));
            let allowed = |low, high| {
                _mm256_and_si256(_mm256_shuffle_epi8(load(low), lows), _mm256_shuffle_epi8(load(high), highs))
            };
            let ([low, other_low], [high, other_high]) = (&eights.low, &eights.high);
            first = _mm256_and_si256(first, allowed(low, high));
            second = _mm256_and_si256(second, allowed(other_low, other_high));
        }
        let none = _mm256_cmpeq_epi8(_mm256_or_si256(first, second), _mm256_setzero_si256());
        *mark = !_mm256_movemask_epi8(none).cast_unsigned();
    }
}

#[target_feature(enable = "avx2")]
fn load(bytes: &[u8; LANE]) -> __m256i {
    // SAFETY: the reference is to as many bytes as are read, and the read needs no alignment.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}
