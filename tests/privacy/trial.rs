//! One day, and everything tried on what it left.

use fastrand::Rng;

use crate::{
    Failure,
    attack::{
        arrival::{self, Source},
        asking,
        combination::{self, Learned},
        nearest, recomputing,
    },
    day,
    evidence::Evidence,
    figures::Scores,
    phone::Habits,
    service::{Kind, Service},
    world::Size,
};

/// Asking as everybody is asking a thousand times: so many incidents stand for all.
const ASKED: usize = 100;

/// Lives a day on a database, then tries everything.
pub(crate) async fn hold(kind: Kind, size: Size, habits: &Habits) -> Result<Scores, Failure> {
    println!("{}, {}:", kind.as_str(), habits.name);
    let learned = learn(size, habits).await?;
    let service = Service::start(kind).await?;
    let day = day::live(&service, size, habits).await?;
    let evidence = Evidence::seize(&service, &day).await?;
    let mut scores = Scores::new(day.truth, size.people);
    scores.add("recompute keys", "both secrets", &evidence, &recomputing::keys(&evidence));
    by_content(&evidence, &mut scores);
    by_arrival(&evidence, &learned, &mut scores);
    by_asking(&service, &evidence, size, &mut scores).await;
    service.stop().await?;
    Ok(scores)
}

/// A day of the attacker's own, on which they know everything; what it teaches, for each source.
async fn learn(size: Size, habits: &Habits) -> Result<Vec<Learned>, Failure> {
    let own = Size { people: size.people / 2, incidents: size.incidents / 2, seed: size.seed + 100, ..size };
    let service = Service::start(Kind::Sqlite).await?;
    let day = day::live(&service, own, habits).await?;
    let evidence = Evidence::seize(&service, &day).await?;
    service.stop().await?;
    let learn = |source| combination::learn(&evidence, &arrival::moments(&evidence, source), &day.truth);
    Ok(Source::ALL.map(learn).into())
}

fn by_content(evidence: &Evidence, scores: &mut Scores) {
    let source = Source::Database.as_str();
    scores.add("content: whoever reports there most", source, evidence, &nearest::by_place(evidence));
    scores.add("content: nearest on earth", source, evidence, &nearest::in_space(evidence));
    scores.add("content: nearest in creation", source, evidence, &nearest::in_creation(evidence));
}

fn by_arrival(evidence: &Evidence, learned: &[Learned], scores: &mut Scores) {
    let database = Source::Database.as_str();
    scores.add("arrival: named one before", database, evidence, &nearest::before(evidence));
    scores.add("arrival: named one after", database, evidence, &nearest::after(evidence));
    for (source, learned) in Source::ALL.into_iter().zip(learned) {
        let moments = arrival::moments(evidence, source);
        let name = source.as_str();
        scores.add("arrival: nearest in time", name, evidence, &nearest::in_time(evidence, &moments));
        let of_time = combination::guess(evidence, &moments, &learned.of_time());
        scores.add("combination of times", name, evidence, &of_time);
        scores.add("combination of all", name, evidence, &combination::guess(evidence, &moments, learned));
    }
}

async fn by_asking(service: &Service, evidence: &Evidence, size: Size, scores: &mut Scores) {
    let mut sample: Vec<usize> = evidence.anonymous().map(|(number, _)| number).collect();
    Rng::with_seed(size.seed).shuffle(&mut sample);
    sample.truncate(ASKED);
    let read = asking::read(service, evidence, &sample).await;
    scores.add("read as everybody", "both secrets", evidence, &read);
    // This one writes, so it comes last.
    let repeat = asking::repeat(service, evidence, &sample[..sample.len() / 4]).await;
    scores.add("repeat as everybody", "both secrets", evidence, &repeat);
}
