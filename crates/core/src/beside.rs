//! Work on two processors at once that comes out as if one had done it (floor 0).

use std::num::NonZero;
use std::sync::mpsc::sync_channel;
use std::thread;

/// How many things go over at once.
const BATCH: usize = 64;
/// How many batches may wait.
const WAITING: usize = 8;

/// Makes things on a thread of their own, and takes them on this one in the order in which they were made. Only a few
/// are kept at a time, so that together they may be larger than memory.
pub(crate) fn piped<T: Send>(make: impl FnOnce(&mut dyn FnMut(T)) + Send, mut take: impl FnMut(T)) {
    let (sender, receiver) = sync_channel::<Vec<T>>(WAITING);
    thread::scope(|scope| {
        scope.spawn(move || {
            let mut batch = Vec::with_capacity(BATCH);
            make(&mut |one| {
                batch.push(one);
                if batch.len() == BATCH {
                    // Whoever takes them is gone only if it panicked, and then that is told.
                    let _ = sender.send(std::mem::replace(&mut batch, Vec::with_capacity(BATCH)));
                }
            });
            let _ = sender.send(batch);
        });
        receiver.into_iter().flatten().for_each(&mut take);
    });
}

/// What `each` makes of parts of a list, one part for each processor, joined in the order of the list.
pub(crate) fn split<I: Sync, O: Send>(items: &[I], each: impl Fn(&[I]) -> Vec<O> + Sync) -> Vec<O> {
    if items.len() < FEWEST { each(items) } else { split_into(MOST_PARTS, items, each) }
}

/// The same in so many parts at most, however few things there are: of things of which each takes long, or much memory.
pub(crate) fn split_into<I: Sync, O: Send>(most: usize, items: &[I], each: impl Fn(&[I]) -> Vec<O> + Sync) -> Vec<O> {
    let parts = thread::available_parallelism().map_or(1, NonZero::get).min(most);
    if parts < 2 || items.len() < 2 {
        return each(items);
    }
    let each = &each;
    thread::scope(|scope| {
        let running: Vec<_> =
            items.chunks(items.len().div_ceil(parts)).map(|part| scope.spawn(move || each(part))).collect();
        let done = running.into_iter().map(thread::ScopedJoinHandle::join);
        done.flat_map(|part| part.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    })
}

/// More parts than this gain little, as each has its own memory of what it met.
const MOST_PARTS: usize = 8;
/// Fewer things than this are done before a thread has begun.
const FEWEST: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_kept() {
        let all: Vec<usize> = (0..10_000).collect();
        let mut taken = Vec::new();
        piped(|to| all.iter().for_each(|n| to(*n)), |n| taken.push(n));
        assert_eq!(taken, all);
        assert_eq!(split(&all, <[usize]>::to_vec), all);
        assert!(split(&all[..0], <[usize]>::to_vec).is_empty());
    }
}
