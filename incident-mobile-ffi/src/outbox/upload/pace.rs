//! When to send again: back-off with full jitter, the server's `Retry-After`, and clocks that step back.

use std::time::{Duration, UNIX_EPOCH};

use rusqlite::{Connection, OptionalExtension, params};

use super::{
    super::{
        error::OutboxError,
        limits::{FIRST_BACK_OFF_MS, LONGEST_BACK_OFF_MS, LONGEST_RETRY_AFTER_MS},
    },
    protocol::{Header, WaitReason},
};

/// How the queue of one reporter is getting on; kept in the file, so that a restart does not hammer the server.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Pace {
    pub(crate) failures: i64,
    pub(crate) successes: i64,
    pub(crate) until_ms: i64,
    /// The part of the wait that the server asked for.
    asked_until_ms: i64,
    longest_ms: i64,
    why: i64,
}

impl Pace {
    pub(crate) fn load(connection: &Connection, reporter: &str) -> Result<Self, OutboxError> {
        let sql = "SELECT failures, successes, until_ms, asked_until_ms, longest_ms, why
                   FROM pace WHERE reporter = ?1";
        let found = connection.prepare_cached(sql)?.query_row([reporter], |row| {
            Ok(Self {
                failures: row.get(0)?,
                successes: row.get(1)?,
                until_ms: row.get(2)?,
                asked_until_ms: row.get(3)?,
                longest_ms: row.get(4)?,
                why: row.get(5)?,
            })
        });
        Ok(found.optional()?.unwrap_or_default())
    }

    /// Keeps it, or nothing where nothing waits: of one whose reports are all gone no name is left.
    pub(crate) fn save(&self, connection: &Connection, reporter: &str) -> Result<(), OutboxError> {
        let any = "SELECT EXISTS (SELECT 1 FROM entry WHERE reporter = ?1)";
        let struck = "SELECT EXISTS (SELECT 1 FROM entry WHERE reporter = ?1 AND state = 0 AND strikes > 0)";
        let which = if self.failures > 0 || self.until_ms > 0 { any } else { struck };
        let is_needed: bool = connection.prepare_cached(which)?.query_row([reporter], |row| row.get(0))?;
        if !is_needed {
            connection.prepare_cached("DELETE FROM pace WHERE reporter = ?1")?.execute([reporter])?;
            return Ok(());
        }
        let sql = "INSERT OR REPLACE INTO pace 
                   (reporter, failures, successes, until_ms, asked_until_ms, longest_ms, why)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let Self { failures, successes, until_ms, asked_until_ms, longest_ms, why } = self;
        let values = params![reporter, failures, successes, until_ms, asked_until_ms, longest_ms, why];
        connection.prepare_cached(sql)?.execute(values)?;
        Ok(())
    }

    /// Until when to wait and why, if there is a wait. One that is longer than it could have been when it began
    /// means that the clock was set back: it begins anew (`true`) at its longest, and never slides on.
    pub(crate) fn wait(&mut self, now_ms: i64) -> Option<(i64, WaitReason, bool)> {
        if self.until_ms <= now_ms {
            return None;
        }
        let stepped_back = self.until_ms - now_ms > self.longest_ms;
        if stepped_back {
            self.longest_ms = self.longest_ms.min(LONGEST_BACK_OFF_MS);
            self.until_ms = now_ms + self.longest_ms;
        }
        Some((self.until_ms, WaitReason::from_number(self.why), stepped_back))
    }

    /// A failure: waits for the back-off or for what the server asks, whichever is later.
    pub(crate) fn fail(
        &mut self,
        now_ms: i64,
        asked: Option<Asked>,
        why: WaitReason,
        rng: &mut fastrand::Rng,
    ) {
        let back_off_ms = back_off_ms(self.failures, rng);
        let asked_ms = asked.map_or(0, |asked| asked.ms);
        self.failures += 1;
        self.until_ms = now_ms.saturating_add(back_off_ms.max(asked_ms));
        let by_server = asked.filter(|asked| asked.by_server);
        self.asked_until_ms = by_server.map_or(0, |asked| now_ms.saturating_add(asked.ms));
        self.longest_ms =
            if asked_ms > LONGEST_BACK_OFF_MS { LONGEST_RETRY_AFTER_MS } else { LONGEST_BACK_OFF_MS };
        self.why = why.number();
    }

    pub(crate) fn succeed(&mut self) {
        (self.failures, self.until_ms, self.asked_until_ms) = (0, 0, 0);
        self.successes += 1;
    }

    /// Whether the last upload had no answer at all.
    pub(crate) fn had_no_answer(&self) -> bool {
        self.failures > 0 && WaitReason::from_number(self.why).is_no_answer()
    }

    /// Lets a back-off of ours lapse, and begins with short ones again: the network is another one.
    pub(crate) fn begin_anew(&mut self) {
        self.hurry();
        self.failures = 0;
    }

    /// Lets a back-off of ours lapse, at the user's wish; what the server asked for stays.
    pub(crate) fn hurry(&mut self) {
        self.until_ms = self.until_ms.min(self.asked_until_ms);
    }
}

/// A `Retry-After`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    pub(crate) ms: i64,
    /// Whether the server asked, and not somebody on the way: whose wish is a back-off of ours, and no longer.
    by_server: bool,
}

impl Asked {
    pub(crate) fn read(headers: &[Header], by_server: bool, now_ms: i64) -> Option<Self> {
        let ms = retry_after_ms(headers, now_ms)?;
        Some(Self { ms: if by_server { ms } else { ms.min(LONGEST_BACK_OFF_MS) }, by_server })
    }
}

/// `rand(0 … min(15 min, 2 s · 2ⁿ))`, but not 0: a wait that is over at once is none, and under the clock of a test, which
/// stands, it would never be seen.
pub(crate) fn back_off_ms(failures: i64, rng: &mut fastrand::Rng) -> i64 {
    let doublings = failures.clamp(0, 16);
    rng.i64(1..=(FIRST_BACK_OFF_MS << doublings).min(LONGEST_BACK_OFF_MS))
}

/// How long `Retry-After` (RFC 9110, section 10.2.3) asks to wait: seconds, or a date, which is measured from
/// the server's own `Date` where there is one, because the phone's clock may be wrong. At most 24 h.
fn retry_after_ms(headers: &[Header], now_ms: i64) -> Option<i64> {
    let find = |name: &str| headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
    let value = find("retry-after")?.value.trim();
    let asked_ms = if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        value.parse::<i64>().map_or(i64::MAX, |seconds| seconds.saturating_mul(1000))
    } else {
        let server_now_ms = find("date").and_then(|header| date_ms(&header.value));
        date_ms(value)? - server_now_ms.unwrap_or(now_ms)
    };
    Some(asked_ms.clamp(0, LONGEST_RETRY_AFTER_MS))
}

fn date_ms(text: &str) -> Option<i64> {
    let since =
        httpdate::parse_http_date(text.trim()).ok()?.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since.as_millis()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(value: &str, date: Option<&str>) -> Option<i64> {
        let header = |name: &str, value: &str| Header { name: name.into(), value: value.into() };
        let mut headers = vec![header("RETRY-After", value)];
        headers.extend(date.map(|date| header("Date", date)));
        retry_after_ms(&headers, 784_111_777_000)
    }

    #[test]
    fn seconds_and_all_three_forms_of_a_date_are_read() {
        assert_eq!(asked(" 120 ", None), Some(120_000));
        assert_eq!(asked("Sun, 06 Nov 1994 08:50:37 GMT", None), Some(60_000));
        assert_eq!(asked("Sunday, 06-Nov-94 08:50:37 GMT", None), Some(60_000));
        assert_eq!(asked("Sun Nov  6 08:50:37 1994", None), Some(60_000));
    }

    #[test]
    fn a_date_is_measured_by_the_servers_clock() {
        let date = Some("Sun, 06 Nov 1994 08:50:07 GMT");
        assert_eq!(asked("Sun, 06 Nov 1994 08:50:37 GMT", date), Some(30_000));
    }

    #[test]
    fn nonsense_is_no_wish_and_too_much_is_a_day() {
        assert_eq!(asked("soon", None), None);
        assert_eq!(asked("-5", None), None);
        assert_eq!(asked("", None), None);
        assert_eq!(asked("99999999999999999999999", None), Some(LONGEST_RETRY_AFTER_MS));
        assert_eq!(asked("Sat, 06 Nov 2094 08:49:37 GMT", None), Some(LONGEST_RETRY_AFTER_MS));
    }

    #[test]
    fn the_back_off_doubles_up_to_a_quarter_of_an_hour() {
        let mut rng = fastrand::Rng::with_seed(1);
        let mut longest = |failures| (0..2000).map(|_| back_off_ms(failures, &mut rng)).max().unwrap();
        assert!((1_900..=2_000).contains(&longest(0)));
        assert!((15_000..=16_000).contains(&longest(3)));
        assert!((850_000..=900_000).contains(&longest(i64::MAX)));
    }

    #[test]
    fn no_back_off_is_over_at_once() {
        let mut rng = fastrand::Rng::with_seed(1);
        assert!((0..100_000).all(|_| back_off_ms(0, &mut rng) > 0));
    }
}
