//! Which of what was not synced a power cut leaves: what is legal is without bounds, what is tried is listed here.

use fastrand::Rng;

use crate::record::Event;

/// A drive writes sectors of one of these sizes whole or not at all, and in any order.
const SECTORS: [u64; 2] = [512, 4096];
/// Of this many pending calls each is left out, is there alone and is torn; of more a part, evenly.
const EACH: usize = 96;
/// How many subsets by chance there are at each sync.
const RANDOM: usize = 24;
/// At how many places of a sector of 512 bytes a write is torn.
const TORN: usize = 2;

/// One image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Which of the pending calls came to the disk.
    pub(crate) kept: Vec<bool>,
    /// One of them in part.
    pub(crate) torn: Option<Torn>,
    /// Whether files are as long as if all had come.
    pub(crate) is_grown: bool,
    /// Whether the kernel has written the indexes of logs on its own.
    pub(crate) has_index: bool,
}

/// A write of which one side is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Torn {
    /// Which of the pending calls.
    pub(crate) at: usize,
    /// After how many of its bytes.
    pub(crate) cut: usize,
    pub(crate) side: Side,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Before,
    Behind,
}

impl Plan {
    /// The first so many calls of so many.
    pub(crate) fn prefix(kept: usize, of: usize) -> Self {
        Self::of((0..of).map(|at| at < kept).collect())
    }

    fn of(kept: Vec<bool>) -> Self {
        Self { kept, torn: None, is_grown: false, has_index: false }
    }

    fn torn(mut self, at: usize, cut: usize, side: Side) -> Self {
        self.kept[at] = true;
        Self { torn: Some(Torn { at, cut, side }), ..self }
    }
}

/// All images at one sync.
pub(crate) fn plans(pending: &[&Event], rng: &mut Rng) -> Vec<Plan> {
    let count = pending.len();
    let mut plans: Vec<_> = (0..=count).map(|kept| Plan::prefix(kept, count)).collect();
    let step = count.div_ceil(EACH).max(1);
    let some = || (0..count).step_by(step);
    if count > 1 {
        plans.extend(some().map(|left_out| Plan::of((0..count).map(|at| at != left_out).collect())));
        plans.extend(some().map(|alone| Plan::of((0..count).map(|at| at == alone).collect())));
        plans.extend(by_target(pending));
    }
    plans.extend(some().flat_map(|at| torn(pending, at, rng)));
    if count > 2 {
        plans.extend((0..RANDOM).map(|_| by_chance(pending, rng)));
    }
    for plan in &mut plans {
        plan.has_index = rng.bool();
    }
    plans
}

/// One file came to the disk and the others did not, and the other way round; the names of the folder are as a file.
fn by_target(pending: &[&Event]) -> Vec<Plan> {
    let mut targets: Vec<_> = pending.iter().map(|event| target(event)).collect();
    targets.sort_unstable();
    targets.dedup();
    let plan = |wanted: &Option<usize>, is_there: bool| {
        Plan::of(pending.iter().map(|event| (target(event) == *wanted) == is_there).collect())
    };
    targets.iter().flat_map(|wanted| [plan(wanted, true), plan(wanted, false)]).collect()
}

fn target(event: &Event) -> Option<usize> {
    match event {
        Event::Write { file, .. } | Event::Resize { file, .. } => Some(*file),
        _ => None,
    }
}

/// The write is half there, and of the others those before it, or all.
fn torn(pending: &[&Event], at: usize, rng: &mut Rng) -> Vec<Plan> {
    let count = pending.len();
    let [mut small, large] = SECTORS.map(|sector| cuts(pending[at], sector));
    rng.shuffle(&mut small);
    let mut plans = Vec::new();
    for cut in large.into_iter().chain(small.into_iter().take(TORN)) {
        for (others, side) in
            [(at, Side::Before), (at, Side::Behind), (count, Side::Before), (count, Side::Behind)]
        {
            plans.push(Plan::prefix(others, count).torn(at, cut, side));
        }
    }
    plans
}

/// Where a write crosses from one sector into the next.
fn cuts(event: &Event, sector: u64) -> Vec<usize> {
    let Event::Write { at, bytes, .. } = event else { return Vec::new() };
    let ends = (at / sector + 1..).map(|number| number * sector - at);
    ends.map_while(|end| usize::try_from(end).ok().filter(|end| *end < bytes.len())).collect()
}

fn by_chance(pending: &[&Event], rng: &mut Rng) -> Plan {
    let quarters = rng.u8(1..4);
    let mut plan = Plan::of(pending.iter().map(|_| rng.u8(..4) < quarters).collect());
    plan.is_grown = rng.u8(..4) == 0;
    let at = rng.usize(..pending.len());
    let cuts = cuts(pending[at], SECTORS[rng.usize(..SECTORS.len())]);
    if rng.bool() && !cuts.is_empty() {
        let side = if rng.bool() { Side::Before } else { Side::Behind };
        plan = plan.torn(at, cuts[rng.usize(..cuts.len())], side);
    }
    plan
}
