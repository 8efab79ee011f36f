//! Runs, long and short, and one image by itself.

use std::{fs, path::Path, time::Instant};

use incident_tests::proof::{Proof, processor_time};

use crate::{
    Failure,
    images::{Counts, Subject, Which, each_cut, open_all, put},
    record::{Event, Life},
};

/// Which syncs are forgotten by a disk that lies, and how many of its images are looked at, at most.
const EVERY: usize = 3;
const SOME_LIES: u64 = 500;
/// So many answers are held against their syncs, in a short run.
const SOME_ANSWERS: u64 = 500;

/// Goes on until there are so many images of this commit.
pub(crate) fn long(subject: &dyn Subject, images: u64, jobs: usize, results: &Path) -> Result<(), Failure> {
    let proof = Proof::new("powerCuts", results)?;
    let title = subject.names().1;
    let [opened, recordings] = ["images", "recordings"].map(|what| format!("{what}Of{title}"));
    loop {
        let before = proof.so_far()?;
        if before.count(&opened) >= images {
            return Ok(());
        }
        let seed = before.count(&recordings);
        let (started, used) = (Instant::now(), processor_time());
        let lives = subject.live(seed)?;
        let counts = open_all(subject, &lives, Which::Each(1), jobs)?;
        proof.update(|run| {
            run.add(&opened, counts.images);
            run.add(&recordings, 1);
            run.add(&format!("repairedOf{title}"), counts.repaired);
            run.add(&format!("sentAgainBy{title}"), counts.came_back);
            run.add(&format!("lostBy{title}"), counts.lost);
            run.add(&format!("notOpenedBy{title}"), counts.not_opened);
            let used = processor_time().saturating_sub(used);
            run.add("processorMs", u64::try_from(used.as_millis()).unwrap_or(0));
        })?;
        tell(&counts, seed, lives.len(), started);
        verdict(subject, &counts, seed)?;
    }
}

/// Goes on until there are so many answers of this commit; without a number it is some, and nothing is written.
pub(crate) fn answers(
    title: &str,
    wanted: Option<u64>,
    results: &Path,
    give: impl FnOnce(u64) -> Result<u64, Failure>,
) -> Result<(), Failure> {
    let Some(wanted) = wanted else {
        println!("{} answers, each after its sync", give(SOME_ANSWERS)?);
        return Ok(());
    };
    let (proof, name) = (Proof::new("powerCuts", results)?, format!("answersOf{title}"));
    let done = proof.so_far()?.count(&name);
    if done < wanted {
        let given = give(wanted - done)?;
        proof.update(|run| run.add(&name, given))?;
        println!("{given} answers, each after its sync");
    }
    Ok(())
}

/// Some of the images of the first recording, all over it.
pub(crate) fn short(subject: &dyn Subject, some: u64, jobs: usize) -> Result<(), Failure> {
    println!("{} answers, each after its sync", subject.answers(SOME_ANSWERS)?);
    let (started, lives) = (Instant::now(), subject.live(0)?);
    let mut all = 0;
    each_cut(&lives, |_| all += 1);
    let counts = open_all(subject, &lives, Which::Each((all / some.max(1)).max(1)), jobs)?;
    tell(&counts, 0, lives.len(), started);
    verdict(subject, &counts, 0)?;
    finds_something(subject, lives, all, jobs)
}

/// On a disk that says that a sync is done and does not do it, a few images have to show that something is lost, or is
/// refused because it is missing: or the others show nothing.
fn finds_something(
    subject: &dyn Subject,
    mut lives: Vec<Life>,
    all: u64,
    jobs: usize,
) -> Result<(), Failure> {
    for life in &mut lives {
        let mut syncs = 0;
        life.events.retain(|event| {
            syncs += usize::from(matches!(event, Event::Sync { .. }));
            !matches!(event, Event::Sync { .. }) || syncs % EVERY != 0
        });
    }
    let counts = open_all(subject, &lives, Which::Each((all / SOME_LIES).max(1)), jobs)?;
    if counts.lost + counts.not_opened == 0 {
        return Err(
            "on a disk that forgets its syncs nothing is lost: what was recorded is not what was done".into(),
        );
    }
    println!(
        "on a disk that forgets every third sync reports are lost or a start refuses the file, as must be"
    );
    Ok(())
}

/// Builds one image, says what is wrong with it, and leaves it.
pub(crate) fn show(subject: &dyn Subject, recording: u64, image: u64) -> Result<(), Failure> {
    let lives = subject.live(recording)?;
    let folder = Path::new("target").join(format!("power_cuts-{}-{recording}-{image}", subject.names().0));
    fs::create_dir_all(&folder)?;
    let mut is_found = false;
    each_cut(&lives, |cut| {
        if cut.number == image {
            is_found = put(&cut.disk.image(cut.plan), &folder).is_ok();
            println!("after {} calls of life {}; of these calls:", cut.expected.calls(), cut.life_number);
            for (kept, event) in cut.plan.kept.iter().zip(&cut.disk.pending) {
                println!("{} {event}", if *kept { "there" } else { "lost " });
            }
            println!(
                "{:?}, grown {}, with the index {}",
                cut.plan.torn, cut.plan.is_grown, cut.plan.has_index
            );
        }
    });
    if !is_found {
        return Err("there is no such image".into());
    }
    println!("it stands in {}", folder.display());
    verdict(subject, &open_all(subject, &lives, Which::This(image), 1)?, recording)
}

fn tell(counts: &Counts, seed: u64, lives: usize, started: Instant) {
    let Counts { images, repaired, came_back, not_opened, lost, .. } = counts;
    let seconds = started.elapsed().as_secs().max(1);
    println!(
        "recording {seed}: {images} images of {lives} lives, {} a second, {repaired} of them repaired, {came_back} send what was erased \
         again; {not_opened} do not open, \
         {lost} lost something",
        images / seconds
    );
}

fn verdict(subject: &dyn Subject, counts: &Counts, seed: u64) -> Result<(), Failure> {
    for (image, why) in &counts.faults {
        println!("{why}\n  target/release/power_cuts {} --image {seed}:{image}", subject.names().0);
    }
    if counts.faults.is_empty() { Ok(()) } else { Err("a power cut loses something".into()) }
}
