//! Moments: read by the contract's grammar and nothing else, written in one way.

use incident_core::Timestamp;

use super::input::Input;

/// A text is a moment exactly where arithmetic of its own says so, and the same one; what is written is read again.
///
/// # Panics
/// It does not hold.
pub fn timestamps(data: &[u8]) {
    let ms = i64::from_le_bytes(Input(data).number());
    if let Ok(moment) = Timestamp::from_unix_ms(ms.rem_euclid(Timestamp::MAX.unix_ms() + 1)) {
        survives(moment);
        assert!(moment.to_the_minute() <= moment && moment.to_the_minute().unix_ms() % 60_000 == 0);
    }
    let Ok(text) = str::from_utf8(data) else { return };
    let read = text.parse::<Timestamp>().ok();
    assert_eq!(read.map(Timestamp::unix_ms), unix_ms(text.as_bytes()), "{text:?}");
    read.into_iter().for_each(survives);
}

fn survives(moment: Timestamp) {
    let text = moment.to_string();
    assert_eq!((text.len(), text.parse()), (24, Ok(moment)), "{text}");
}

/// The contract's section 2 once more, with a calendar of its own (Howard Hinnant's `days_from_civil`).
fn unix_ms(text: &[u8]) -> Option<i64> {
    let (date, rest) = text.split_at_checked(16)?;
    let shape = |at: usize, allowed: &[u8]| date.get(at).is_some_and(|sign| allowed.contains(sign));
    if !(shape(4, b"-") && shape(7, b"-") && shape(10, b"Tt") && shape(13, b":")) {
        return None;
    }
    let [year, month, day] = [&date[..4], &date[5..7], &date[8..10]].map(number);
    let [hour, minute] = [&date[11..13], &date[14..]].map(number);
    let (days, hour, minute) = (days(year?, month?, day?)?, hour?, minute?);
    let (second_ms, rest) = second_ms(rest)?;
    let offset = offset_minutes(rest)?;
    if hour > 23 || minute > 59 {
        return None;
    }
    let ms = ((days * 24 + hour) * 60 + minute - offset) * 60_000 + second_ms;
    (0..=253_402_300_799_999).contains(&ms).then_some(ms)
}

fn number(digits: &[u8]) -> Option<i64> {
    let digit = |value: i64, digit: &u8| digit.is_ascii_digit().then(|| value * 10 + i64::from(digit - b'0'));
    digits.iter().try_fold(0, digit)
}

fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=longest).contains(&day) {
        return None;
    }
    let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    Some(era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468)
}

fn second_ms(text: &[u8]) -> Option<(i64, &[u8])> {
    let Some(text) = text.strip_prefix(b":") else { return Some((0, text)) };
    let (second, rest) = text.split_at_checked(2)?;
    let second = number(second).filter(|second| *second < 60)?;
    let Some(rest) = rest.strip_prefix(b".").or_else(|| rest.strip_prefix(b",")) else {
        return Some((second * 1000, rest));
    };
    let digits = rest.iter().take_while(|sign| sign.is_ascii_digit()).count();
    let (fraction, rest) = rest.split_at(digits);
    let ms = number(&[fraction, b"00"].concat()[..3.min(digits + 2)])?;
    (1..=9).contains(&digits).then_some((second * 1000 + ms, rest))
}

fn offset_minutes(text: &[u8]) -> Option<i64> {
    let (sign, digits) = match text {
        b"Z" | b"z" => return Some(0),
        [b'+', digits @ ..] => (1, digits),
        [b'-', digits @ ..] => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = match digits {
        [a, b] => ([*a, *b], [b'0', b'0']),
        [a, b, b':', c, d] | [a, b, c, d] => ([*a, *b], [*c, *d]),
        _ => return None,
    };
    let (hours, minutes) = (number(&hours)?, number(&minutes)?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes))
}
