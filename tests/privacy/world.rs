//! A day of a made-up hospital: who reports what, where and when, and when their phones have network.

use std::ops::Range;

use fastrand::Rng;
use incident_core::Timestamp;
use incident_mobile_ffi::outbox::Draft;

/// 2026-11-24T06:00:00.000Z
pub(crate) const MORNING_MS: i64 = 1_795_500_000_000;
pub(crate) const MINUTE_MS: i64 = 60_000;
pub(crate) const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
const SHIFT_MS: i64 = DAY_MS / 3;
const PLACES: usize = 60;

/// How large the hospital is, and where chance begins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) people: usize,
    pub(crate) incidents: usize,
    /// How many shifts of eight hours the day has.
    pub(crate) shifts: i64,
    pub(crate) seed: u64,
}

/// Somebody with a phone.
pub(crate) struct Person {
    pub(crate) sub: String,
    /// What they report, oldest first.
    pub(crate) reports: Vec<Report>,
    /// When their phone has network; the last spell has no end.
    pub(crate) online: Vec<Range<i64>>,
}

/// A report as it is typed in.
#[derive(Debug, Clone)]
pub(crate) struct Report {
    place: usize,
    longitude: f64,
    latitude: f64,
    room: String,
    pub(crate) is_anonymous: bool,
    pub(crate) created_ms: i64,
    /// When it is called off, if it is.
    pub(crate) called_off_ms: Option<i64>,
}

impl Report {
    /// What the app's form gives.
    pub(crate) fn typed_in(&self) -> Draft {
        Draft {
            room_number: Some(self.room.clone()),
            is_anonymous: self.is_anonymous,
            created_at_ms: Some(self.created_ms),
            ..Draft::new(format!("ward-{}", self.place), self.longitude, self.latitude)
        }
    }
}

pub(crate) fn moment(unix_ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(unix_ms).expect("a moment of this century")
}

/// The people and all that they do.
pub(crate) fn people(size: Size) -> Vec<Person> {
    let mut random = Rng::with_seed(size.seed);
    let mut people: Vec<Worker> = (0..size.people).map(|_| Worker::new(&mut random, size.shifts)).collect();
    let busy: Vec<f64> = people.iter().map(|_| 0.3 + exponential(&mut random, 1.0)).collect();
    let all: f64 = busy.iter().sum();
    for number in 0..size.incidents {
        let mut left = random.f64() * all;
        let chosen = busy.iter().position(|share| {
            left -= share;
            left <= 0.0
        });
        // Every fifth report is anonymous, whoever makes it.
        people[chosen.unwrap_or(0)].report(&mut random, number % 5 == 0);
    }
    people.into_iter().map(|worker| worker.person).collect()
}

struct Worker {
    person: Person,
    home: usize,
    shift: Range<i64>,
}

impl Worker {
    fn new(random: &mut Rng, shifts: i64) -> Self {
        let from = MORNING_MS + SHIFT_MS * random.i64(0..shifts);
        let shift = from..from + SHIFT_MS;
        let sub = format!("staff-{:016x}", random.u64(..));
        let person = Person { sub, reports: Vec::new(), online: network(random, &shift) };
        Self { person, home: random.usize(0..PLACES), shift }
    }

    fn report(&mut self, random: &mut Rng, is_anonymous: bool) {
        let created_ms = self.when(random);
        let place = if random.f64() < 0.7 { self.home } else { random.usize(0..PLACES) };
        let mut near = || (random.f64() - 0.5) * 0.0008;
        let report = Report {
            place,
            longitude: 12.49 + 0.002 * degrees(place % 10) + near(),
            latitude: 41.89 + 0.002 * degrees(place / 10) + near(),
            room: format!("{}{}", random.u8(1..40), random.char('A'..='C')),
            is_anonymous,
            created_ms,
            called_off_ms: (random.u8(0..12) == 0).then(|| created_ms + minutes(exponential(random, 20.0))),
        };
        let place = self.person.reports.partition_point(|other| other.created_ms < created_ms);
        self.person.reports.insert(place, report);
    }

    /// Reports come in clusters: four of ten within minutes of another one of the same phone.
    fn when(&self, random: &mut Rng) -> i64 {
        let reports = &self.person.reports;
        loop {
            let alone = random.i64(self.shift.clone());
            let near = random.choice(reports).filter(|_| random.f64() < 0.4);
            let at = near.map_or(alone, |near| near.created_ms + random.i64(-10 * MINUTE_MS..10 * MINUTE_MS));
            if self.shift.contains(&at) && reports.iter().all(|other| other.created_ms != at) {
                return at;
            }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a few dozen at most")]
fn degrees(step: usize) -> f64 {
    step as f64
}

/// Spells of network, 40 minutes in the mean, between spells without: 12 minutes, and one in seven 90.
fn network(random: &mut Rng, shift: &Range<i64>) -> Vec<Range<i64>> {
    let mut online = Vec::new();
    let mut from = shift.start + if random.f64() < 0.8 { 0 } else { minutes(exponential(random, 20.0)) };
    while from < shift.end {
        let to = from + MINUTE_MS + minutes(exponential(random, 40.0));
        online.push(from..to);
        let mean = if random.u8(0..7) == 0 { 90.0 } else { 12.0 };
        from = to + MINUTE_MS + minutes(exponential(random, mean));
    }
    online.push(from..i64::MAX);
    online
}

fn exponential(random: &mut Rng, mean: f64) -> f64 {
    -mean * (1.0 - random.f64()).ln()
}

#[expect(clippy::cast_possible_truncation, reason = "hours at most")]
fn minutes(minutes: f64) -> i64 {
    (minutes * 60_000.0) as i64
}
