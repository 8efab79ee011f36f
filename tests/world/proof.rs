//! Many histories, counted in a file that the next run goes on with.

use std::path::Path;

use incident_tests::proof::{Proof, Run};

use crate::{
    Failure,
    history::Ground,
    many::{ENOUGH, Lived, Until, live},
};

/// After so many histories the file is written.
const PORTION: u64 = 5_000;

/// Goes on until there are so many histories of this commit, from the seed on that it began with.
pub(crate) fn live_and_write(
    ground: &Ground,
    first: u64,
    histories: u64,
    jobs: usize,
    file: &Path,
) -> Result<(), Failure> {
    let proof = Proof::new("world", file)?;
    loop {
        let so_far = proof.so_far()?;
        let done = so_far.count("histories");
        let first = if done == 0 { first } else { so_far.count("firstSeed") };
        println!("{done} of {histories} histories");
        if done >= histories {
            return Ok(());
        }
        let portion = PORTION.min(histories - done);
        let next = first + done;
        let lived = live(ground, next, Until::Seed(next + portion), jobs, ENOUGH);
        println!("{lived}");
        proof.update(|run| count(run, first, &lived))?;
        lived.verdict(ground)?;
    }
}

fn count(run: &mut Run, first: u64, lived: &Lived) {
    run.add("histories", lived.histories);
    run.add("processorMs", u64::try_from(lived.processor_time.as_millis()).unwrap_or(0));
    run.append("brokenSeeds", lived.broken.iter().map(|(seed, ..)| *seed));
    run.set("firstSeed", first);
    run.set("lastSeed", (first + run.count("histories")).saturating_sub(1));
    run.set("perProcessorSecond", run.count("histories") * 1000 / run.count("processorMs").max(1));
}
