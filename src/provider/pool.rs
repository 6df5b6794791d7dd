//! Several questions at a time.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Does the same for each, at most so many at a time; the results are in the order of what was given.
pub(crate) fn at_once<T: Sync, R: Send>(most: usize, all: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let one = || {
        let mut done = Vec::new();
        while let Some((at, item)) = Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, all.get(at)?)))
        {
            done.push((at, work(item)));
        }
        done
    };
    let mut done: Vec<(usize, R)> = thread::scope(|scope| {
        let hands: Vec<_> = (0..most.min(all.len())).map(|_| scope.spawn(one)).collect();
        let ends = hands.into_iter().map(|hand| hand.join().unwrap_or_else(|panic| resume_unwind(panic)));
        ends.flatten().collect()
    });
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_in_the_order_of_the_questions() {
        let all: Vec<usize> = (0..50).collect();
        assert_eq!(at_once(4, &all, |one| one * 2), all.iter().map(|one| one * 2).collect::<Vec<_>>());
        assert_eq!(at_once(4, &[] as &[usize], |one| *one), Vec::<usize>::new());
    }
}
