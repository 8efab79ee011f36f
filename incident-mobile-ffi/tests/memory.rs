//! How much memory the outbox takes at most. Each is a process of its own, so that the peak is no other test's.

#[expect(dead_code, reason = "each suite uses its part")]
mod support;

use std::{path::Path, process::Stdio};

use support::{Phone, example};

/// The numbers that a program says.
fn numbers(name: &str, file: &Path) -> Vec<i64> {
    let output = example(name, file).stderr(Stdio::inherit()).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    said.split_whitespace().map(|number| number.parse().unwrap()).collect()
}

#[test]
fn a_repair_of_46_mb_takes_less_than_32_mib() {
    let mut phone = Phone::new();
    drop(phone.outbox.take());
    let said = numbers("repairer", &phone.path());
    let [bytes, saved, lost, peak_kib] = said[..] else { panic!("{said:?}") };
    assert!(bytes > 46_000_000, "{said:?}");
    assert!(saved > 10_000 && lost == 0, "{said:?}");
    assert!(peak_kib < 32 * 1024, "{said:?}");
}

#[test]
fn the_reading_of_no_answer_takes_more_than_16_mib() {
    let mut phone = Phone::new();
    drop(phone.outbox.take());
    let said = numbers("hostile_answers", &phone.path());
    let [peak_kib] = said[..] else { panic!("{said:?}") };
    assert!(peak_kib < 16 * 1024, "{said:?}");
}
