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

/// Goes on until there are so many histories of this commit.
pub(crate) fn live_and_write(
    ground: &Ground,
    histories: u64,
    jobs: usize,
    file: &Path,
) -> Result<(), Failure> {
    let proof = Proof::new("world", file)?;
    loop {
        let done = proof.so_far()?.count("histories");
        println!("{done} of {histories} histories");
        if done >= histories {
            return Ok(());
        }
        let portion = PORTION.min(histories - done);
        let lived = live(ground, done, Until::Seed(done + portion), jobs, ENOUGH);
        println!("{lived}");
        proof.update(|run| count(run, &lived))?;
        lived.verdict(ground)?;
    }
}

fn count(run: &mut Run, lived: &Lived) {
    run.add("histories", lived.histories);
    run.add("processorMs", u64::try_from(lived.processor_time.as_millis()).unwrap_or(0));
    run.append("brokenSeeds", lived.broken.iter().map(|(seed, ..)| *seed));
    run.set("firstSeed", 0);
    run.set("lastSeed", run.count("histories").saturating_sub(1));
    run.set("perProcessorSecond", run.count("histories") * 1000 / run.count("processorMs").max(1));
}
