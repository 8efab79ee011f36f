//! A history that breaks a promise, with the fewest steps that still do.

use crate::history::{Ground, Plan};

/// Leaves out whatever can be left out.
pub(crate) fn shrink(ground: &Ground, seed: u64, steps: &[usize]) -> Vec<usize> {
    let breaks = |steps: &[usize]| {
        let steps = Some(steps.iter().copied().collect());
        ground.run(&Plan { seed, steps, is_told: false }).verdict.is_err()
    };
    let mut left = steps.to_vec();
    let mut size = left.len().div_ceil(2);
    while size > 0 {
        let mut at = 0;
        while at < left.len() {
            let without = [&left[..at], &left[left.len().min(at + size)..]].concat();
            if breaks(&without) { left = without } else { at += size }
        }
        size /= 2;
    }
    left
}
