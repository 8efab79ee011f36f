//! What the fuzzer found worth keeping, once more, on the compiler that users have. `tests/fuzz/run` finds more.

use std::{fs, path::PathBuf};

#[expect(unreachable_pub, reason = "the fuzz targets have them from a library")]
mod properties;

/// Holds a property against every file of its corpus.
#[track_caller]
fn replay(target: &str, holds: fn(&[u8])) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut count = 0;
    for file in fs::read_dir(&folder).expect("there is a corpus") {
        let file = file.expect("a file").path();
        let data = fs::read(&file).expect("it can be read");
        // Which one it was, if it is the one.
        println!("{}", file.display());
        holds(&data);
        count += 1;
    }
    assert!(count > 0, "{} is empty, so nothing was tested", folder.display());
}

macro_rules! replayed {
    ($($test:ident: $target:ident),* $(,)?) => {
        $(#[test]
        fn $test() {
            replay(stringify!($target), properties::$target);
        })*
    };
}

replayed! {
    every_answer_that_was_found_settles_nothing_but_its_own: answers,
    every_batch_that_was_found_is_judged_payload_by_payload: batches,
    every_cursor_that_was_found_is_one_that_was_given_out_or_none: cursors,
    every_payload_that_was_found_has_one_canonical_form: payloads,
    every_form_that_was_found_survives_the_way_through_text: round_trips,
    every_damage_that_was_found_spares_what_it_does_not_touch: salvage,
    every_moment_that_was_found_is_what_the_calendar_says: timestamps,
    every_token_that_was_found_lets_in_whom_it_names_or_nobody: tokens,
}
